package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// TakeSlice gives the caller the slice: the fence it returns is newer than
// every earlier one, so attempts before it can claim nothing more. Rows that
// they left in sending are ambiguous now, and are dealt with as the channel
// allows: LINE's go again under the same retry key, the others' become
// unknown, due for reconciliation after reconcileAfter. It returns how many.
func (s *Store) TakeSlice(ctx context.Context, sl omniflow.Slice, reconcileAfter time.Duration) (fence, ambiguous int, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `
			INSERT INTO broadcast_slices (broadcast_id, channel_account_id, from_seq, team_id) VALUES ($1, $2, $3, $4)
			ON CONFLICT (broadcast_id, channel_account_id, from_seq) DO UPDATE SET fence = broadcast_slices.fence + 1
			RETURNING fence`, sl.BroadcastID, sl.ChannelAccountID, sl.From, sl.TeamID).Scan(&fence)
		if err != nil {
			return fmt.Errorf("take fence: %w", err)
		}
		tag, err := tx.Exec(ctx, `
			UPDATE messages SET
			  state  = CASE WHEN attempt_key IS NULL THEN 'unknown' ELSE 'queued' END::message_state,
			  code   = 'outcome_unknown',
			  due_at = CASE WHEN attempt_key IS NULL THEN attempted_at + $5::interval END
			WHERE broadcast_id = $1 AND channel_account_id = $2 AND seq >= $3 AND seq < $4
			  AND state = 'sending' AND fence < $6`,
			sl.BroadcastID, sl.ChannelAccountID, sl.From, sl.To, reconcileAfter, fence)
		ambiguous = int(tag.RowsAffected())
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("take slice %d of lane %s: %w", sl.From, sl.ChannelAccountID, err)
	}
	return fence, ambiguous, nil
}

// SliceStatus first skips the messages whose predecessor to the same
// recipient will never be sent (BRD-05), then counts what is left.
func (s *Store) SliceStatus(ctx context.Context, sl omniflow.Slice) (omniflow.SliceStatus, error) {
	var st omniflow.SliceStatus
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := skipFollowers(ctx, tx, sl); err != nil {
			return err
		}
		var next *time.Time
		err := tx.QueryRow(ctx, `
			SELECT count(*) FILTER (WHERE due), count(*) FILTER (WHERE state = 'queued' AND NOT due),
			       count(*) FILTER (WHERE state = 'sending'), count(*) FILTER (WHERE state = 'unknown'),
			       min(due_at) FILTER (WHERE state = 'queued' AND due_at > now())
			FROM (
			  SELECT m.state, m.due_at, m.state = 'queued' AND (m.due_at IS NULL OR m.due_at <= now()) AND (m.ordinal = 1 OR COALESCE((
			    SELECT p.state IN ('sent', 'received', 'read') FROM messages p
			    WHERE p.broadcast_id = $1 AND p.channel_account_id = $2 AND p.seq = m.seq - 1 LIMIT 1), false)) AS due
			  FROM messages m WHERE m.broadcast_id = $1 AND m.channel_account_id = $2 AND m.seq >= $3 AND m.seq < $4
			) x`, sl.BroadcastID, sl.ChannelAccountID, sl.From, sl.To).Scan(&st.Due, &st.Waiting, &st.Sending, &st.Unknown, &next)
		if next != nil {
			st.NextDue = *next
		}
		return err
	})
	if err != nil {
		return omniflow.SliceStatus{}, fmt.Errorf("read slice %d of lane %s: %w", sl.From, sl.ChannelAccountID, err)
	}
	return st, nil
}

// skipFollowers skips, link by link, the rest of a recipient's messages after
// one that failed, was skipped or was cancelled.
func skipFollowers(ctx context.Context, tx pgx.Tx, sl omniflow.Slice) error {
	for {
		tag, err := tx.Exec(ctx, `
			UPDATE messages m SET state = 'skipped', code = 'previous_not_sent', due_at = NULL
			WHERE m.broadcast_id = $1 AND m.channel_account_id = $2 AND m.seq >= $3 AND m.seq < $4
			  AND m.state = 'queued' AND m.ordinal > 1 AND EXISTS (
			    SELECT FROM messages p WHERE p.broadcast_id = $1 AND p.channel_account_id = $2 AND p.seq = m.seq - 1
			      AND p.state IN ('failed', 'skipped', 'cancelled'))`,
			sl.BroadcastID, sl.ChannelAccountID, sl.From, sl.To)
		if err != nil {
			return fmt.Errorf("skip followers: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return nil
		}
	}
}
