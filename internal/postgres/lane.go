package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// LaneStatus reads where a lane stands. Slices lists the slices of size rows
// that still hold something to send.
func (s *Store) LaneStatus(ctx context.Context, lane omniflow.Lane, size int) (omniflow.LaneStatus, error) {
	var st omniflow.LaneStatus
	var due *time.Time
	err := s.pool.QueryRow(ctx, `
		SELECT l.control, l.control_reason, CASE WHEN a.state = 'stopped' THEN a.stop_code ELSE '' END,
		  (SELECT min(due_at) FROM messages m WHERE m.broadcast_id = $1 AND m.channel_account_id = $2 AND m.state = 'unknown')
		FROM broadcast_lanes l JOIN channel_accounts a ON a.id = l.channel_account_id
		WHERE l.broadcast_id = $1 AND l.channel_account_id = $2`, lane.BroadcastID, lane.ChannelAccountID).
		Scan(&st.Control, &st.Reason, &st.StopCode, &due)
	if err != nil {
		return st, fmt.Errorf("read lane %s: %w", lane.ChannelAccountID, err)
	}
	if due != nil {
		st.Reconcile = *due
	}
	if st.Tally, err = s.laneTally(ctx, lane); err != nil {
		return st, err
	}
	rows, err := s.pool.Query(ctx, `
		SELECT DISTINCT seq / $3 * $3 FROM messages
		WHERE broadcast_id = $1 AND channel_account_id = $2 AND state IN ('queued', 'sending') ORDER BY 1`,
		lane.BroadcastID, lane.ChannelAccountID, size)
	if err != nil {
		return st, fmt.Errorf("list slices of lane %s: %w", lane.ChannelAccountID, err)
	}
	st.Slices, err = pgx.CollectRows(rows, pgx.RowTo[int])
	return st, err
}

// laneTally counts a lane's rows by state.
func (s *Store) laneTally(ctx context.Context, lane omniflow.Lane) (omniflow.Tally, error) {
	var tally omniflow.Tally
	rows, err := s.pool.Query(ctx, `
		SELECT state::text, count(*) FROM messages WHERE broadcast_id = $1 AND channel_account_id = $2 GROUP BY state`,
		lane.BroadcastID, lane.ChannelAccountID)
	if err != nil {
		return tally, fmt.Errorf("count lane %s: %w", lane.ChannelAccountID, err)
	}
	var state string
	var n int
	_, err = pgx.ForEachRow(rows, []any{&state, &n}, func() error {
		tally.Add(omniflow.MessageState(state), n)
		return nil
	})
	return tally, err
}

// BroadcastTally counts the rows of a broadcast by lane and state.
func (s *Store) BroadcastTally(ctx context.Context, teamID, broadcastID uuid.UUID) (map[uuid.UUID]omniflow.Tally, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT channel_account_id, state::text, count(*) FROM messages WHERE team_id = $1 AND broadcast_id = $2 GROUP BY 1, 2`,
		teamID, broadcastID)
	if err != nil {
		return nil, fmt.Errorf("count broadcast %s: %w", broadcastID, err)
	}
	out := map[uuid.UUID]omniflow.Tally{}
	var account uuid.UUID
	var state string
	var n int
	_, err = pgx.ForEachRow(rows, []any{&account, &state, &n}, func() error {
		tally := out[account]
		tally.Add(omniflow.MessageState(state), n)
		out[account] = tally
		return nil
	})
	return out, err
}

// StopLane stops one lane with a reason that an operator can act on. It
// returns false if the lane was not running.
func (s *Store) StopLane(ctx context.Context, lane omniflow.Lane, reason omniflow.Code) (bool, error) {
	tag, err := s.pool.Exec(ctx, `
		UPDATE broadcast_lanes SET control = 'stopped', control_reason = $3, control_by = NULL, control_at = now()
		WHERE broadcast_id = $1 AND channel_account_id = $2 AND control = 'running'`,
		lane.BroadcastID, lane.ChannelAccountID, string(reason))
	if err != nil {
		return false, fmt.Errorf("stop lane %s: %w", lane.ChannelAccountID, err)
	}
	return tag.RowsAffected() == 1, nil
}

// StopAccount stops every lane of a channel account: its provider takes
// nothing until an operator acts. It returns false if it was stopped already.
func (s *Store) StopAccount(ctx context.Context, teamID, accountID uuid.UUID, code string) (bool, error) {
	stopped := false
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
			UPDATE channel_accounts SET state = 'stopped', stop_code = $3, stopped_at = now()
			WHERE team_id = $1 AND id = $2 AND state = 'active'`, teamID, accountID, code)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		stopped = true
		return audit(ctx, tx, teamID, uuid.Nil, "account.stop", accountID.String(), map[string]any{"code": code})
	})
	if err != nil {
		return false, fmt.Errorf("stop account %s: %w", accountID, err)
	}
	return stopped, nil
}

// CancelLane cancels what a cancelled lane has not handed to its provider.
// Rows in sending or unknown keep their own course.
func (s *Store) CancelLane(ctx context.Context, lane omniflow.Lane) (int, error) {
	tag, err := s.pool.Exec(ctx, `
		UPDATE messages m SET state = 'cancelled', code = 'cancelled', due_at = NULL
		FROM broadcast_lanes l
		WHERE m.broadcast_id = $1 AND m.channel_account_id = $2 AND m.state = 'queued' AND m.attempt_key IS NULL
		  AND l.broadcast_id = $1 AND l.channel_account_id = $2 AND l.control = 'cancelled'`,
		lane.BroadcastID, lane.ChannelAccountID)
	if err != nil {
		return 0, fmt.Errorf("cancel lane %s: %w", lane.ChannelAccountID, err)
	}
	return int(tag.RowsAffected()), nil
}
