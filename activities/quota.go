package activities

import (
	"context"
	"time"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// quotasAtOnce is how many accounts one round reads.
const quotasAtOnce = 20

// RefreshQuotas asks the providers that count recipients for the quotas that
// were not read for an hour, and returns how many it read. One that cannot be
// read keeps its last value and is asked again after five minutes.
func (a *Activities) RefreshQuotas(ctx context.Context) (int, error) {
	read := 0
	for _, ch := range omniflow.BroadcastChannels {
		reader, ok := a.senders[ch].(channel.QuotaReader)
		if !ok {
			continue
		}
		due, err := a.ledger.DueQuotas(ctx, ch, quotasAtOnce)
		if err != nil {
			return read, asTemporal(err)
		}
		for _, ref := range due {
			if err := a.refreshQuota(ctx, reader, ref); err != nil {
				a.log.Warn("quota is not read", "team_id", ref.TeamID, "channel", ch, "error", err)
				continue
			}
			read++
		}
	}
	return read, nil
}

func (a *Activities) refreshQuota(ctx context.Context, reader channel.QuotaReader, ref omniflow.AccountRef) error {
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	account, err := a.accounts.Account(ctx, ref.TeamID, ref.ChannelAccountID)
	if err != nil {
		return err
	}
	quota, err := reader.Quota(ctx, account)
	if err != nil {
		return err
	}
	quota.ReadAt = time.Now()
	return a.ledger.SaveQuota(ctx, ref, quota)
}
