package postgres

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// Webhook is a verified request of a provider, as it came.
type Webhook struct {
	TeamID           uuid.UUID
	Channel          omniflow.Channel
	ChannelAccountID uuid.UUID
	Body             []byte
}

// WebhookAccount loads the account a webhook is addressed to, before any team
// is known. A Refusal not_found if there is none of this channel.
func (s *Store) WebhookAccount(ctx context.Context, channel omniflow.Channel, id uuid.UUID) (Account, error) {
	rows, _ := s.pool.Query(ctx, `SELECT `+accountColumns+` FROM channel_accounts WHERE id = $1 AND channel = $2`, id, channel)
	a, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Account])
	return a, oneRow(err, "channel account", id)
}

// ReceiveWebhook puts w into the inbox and says whether it was new: the same
// bytes for the same account are one webhook, however often they come (SYS-03).
func (s *Store) ReceiveWebhook(ctx context.Context, w Webhook) (bool, error) {
	key := sha256.Sum256(w.Body)
	tag, err := s.pool.Exec(ctx, `
INSERT INTO inbox (team_id, channel, channel_account_id, event_key, body) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (channel_account_id, event_key) DO NOTHING`, w.TeamID, w.Channel, w.ChannelAccountID, key[:], w.Body)
	if err != nil {
		return false, fmt.Errorf("store webhook of %s: %w", w.ChannelAccountID, err)
	}
	return tag.RowsAffected() == 1, nil
}
