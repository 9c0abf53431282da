package postgres

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// applyStops stops what providers said by webhook takes nothing more: an
// account, or the lane of a message whose template was paused. Accounts and
// lanes in one order each.
func applyStops(ctx context.Context, tx pgx.Tx, stops []omniflow.Stop) error {
	stops = slices.SortedStableFunc(slices.Values(stops), func(a, b omniflow.Stop) int {
		return bytes.Compare(a.ChannelAccountID[:], b.ChannelAccountID[:])
	})
	for _, s := range stops {
		if s.Template {
			continue
		}
		if err := stopAccount(ctx, tx, s); err != nil {
			return fmt.Errorf("stop by webhook: %w", err)
		}
	}
	return stopLanes(ctx, tx, stops)
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

// stopLanes stops the running lanes of those messages whose template was paused.
func stopLanes(ctx context.Context, tx pgx.Tx, stops []omniflow.Stop) error {
	var messages []uuid.UUID
	var reasons []string
	for _, s := range stops {
		if s.Template {
			messages, reasons = append(messages, s.MessageID), append(reasons, string(s.Reason))
		}
	}
	if len(messages) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `
		WITH of AS (
		  SELECT m.broadcast_id, m.channel_account_id, min(s.reason) AS reason FROM unnest($1::uuid[], $2::text[]) AS s(id, reason) JOIN messages m USING (id) GROUP BY 1, 2
		), held AS (
		  SELECT l.broadcast_id, l.channel_account_id, of.reason FROM of JOIN broadcast_lanes l USING (broadcast_id, channel_account_id)
		  ORDER BY 1, 2 FOR UPDATE OF l
		)
		UPDATE broadcast_lanes l SET control = 'stopped', control_reason = h.reason, control_by = NULL, control_at = now()
		FROM held h WHERE l.broadcast_id = h.broadcast_id AND l.channel_account_id = h.channel_account_id AND l.control = 'running'`, messages, reasons)
	if err != nil {
		return fmt.Errorf("stop lanes by webhook: %w", err)
	}
	return nil
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
