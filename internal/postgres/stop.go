package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// applyStops stops what providers said by webhook takes nothing more: an
// account, or the lane of a message whose template was paused.
func applyStops(ctx context.Context, tx pgx.Tx, stops []omniflow.Stop) error {
	for _, s := range stops {
		stop := stopAccount
		if s.Template {
			stop = stopLaneOf
		}
		if err := stop(ctx, tx, s); err != nil {
			return fmt.Errorf("stop by webhook: %w", err)
		}
	}
	return nil
}

func stopAccount(ctx context.Context, tx pgx.Tx, s omniflow.Stop) error {
	tag, err := tx.Exec(ctx, `
		UPDATE channel_accounts SET state = 'stopped', stop_code = $3, stopped_at = now()
		WHERE team_id = $1 AND id = $2 AND state = 'active'`, s.TeamID, s.ChannelAccountID, storable(s.Code))
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	return audit(ctx, tx, s.TeamID, uuid.Nil, "account.stop", s.ChannelAccountID.String(), map[string]any{"code": storable(s.Code), "by": "webhook"})
}

func stopLaneOf(ctx context.Context, tx pgx.Tx, s omniflow.Stop) error {
	_, err := tx.Exec(ctx, `
		UPDATE broadcast_lanes l SET control = 'stopped', control_reason = $2, control_by = NULL, control_at = now()
		FROM messages m WHERE m.id = $1 AND l.broadcast_id = m.broadcast_id AND l.channel_account_id = m.channel_account_id
		  AND l.control = 'running'`, s.MessageID, string(s.Reason))
	return err
}

// AccountRef is where the events of one provider account belong.
type AccountRef struct {
	TeamID, ID uuid.UUID
}

// AccountIndex lists every account by channel and provider's id, as
// "channel/external id".
func (s *Store) AccountIndex(ctx context.Context) (map[string]AccountRef, error) {
	rows, err := s.pool.Query(ctx, `SELECT channel || '/' || external_id, team_id, id FROM channel_accounts`)
	if err != nil {
		return nil, fmt.Errorf("index accounts: %w", err)
	}
	index := map[string]AccountRef{}
	var name string
	var ref AccountRef
	_, err = pgx.ForEachRow(rows, []any{&name, &ref.TeamID, &ref.ID}, func() error {
		index[name] = ref
		return nil
	})
	return index, err
}
