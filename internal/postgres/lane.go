package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// LaneStatus reads where a lane stands. Slices lists the slices of size rows
// that still hold something to send. Of a lane of a million rows it reads some
// hundred counts and what waits, not the rows. A lane that has nothing left ends
// with this look, and the rate that was set for it does too.
func (s *Store) LaneStatus(ctx context.Context, lane omniflow.Lane, size int) (omniflow.LaneStatus, error) {
	var st omniflow.LaneStatus
	lanes, err := listLanes(ctx, s.pool, lane.TeamID, []uuid.UUID{lane.BroadcastID})
	if err != nil {
		return st, err
	}
	place := slices.IndexFunc(lanes, func(l BroadcastLane) bool { return l.ChannelAccountID == lane.ChannelAccountID })
	if place < 0 {
		return st, fmt.Errorf("read lane %s: %w", lane.ChannelAccountID, pgx.ErrNoRows)
	}
	l := lanes[place]
	if st.Tally, err = l.Tally(); err != nil {
		return st, err
	}
	if st.Tally.Unresolved() == 0 {
		if err := s.endRateOfLane(ctx, lane); err != nil {
			return st, err
		}
	}
	st.Control, st.Reason, st.StopCode = l.Control, l.ControlReason, omniflow.Code(l.StopCode)
	st.Waiting = l.Waiting(st.Tally, time.Now())
	if l.NextProof != nil {
		st.Reconcile = *l.NextProof
	}
	err = s.pool.QueryRow(ctx, `SELECT count(*) FROM broadcast_media b WHERE b.broadcast_id = $1 AND b.channel_account_id = $2 AND `+mediaDue,
		lane.BroadcastID, lane.ChannelAccountID).Scan(&st.Media)
	if err != nil {
		return st, fmt.Errorf("count media of lane %s: %w", lane.ChannelAccountID, err)
	}
	st.Slices, err = s.openSlices(ctx, lane, size)
	return st, err
}

// openSlices lists where the slices begin that hold something to send: from
// the counts, or from the rows of a lane so small that its slices are.
func (s *Store) openSlices(ctx context.Context, lane omniflow.Lane, size int) ([]int, error) {
	sql := `SELECT bucket * $3::integer FROM (` + countsOf + `) c GROUP BY bucket HAVING sum(queued) + sum(sending) > 0 ORDER BY 1`
	if size != omniflow.LaneBucket {
		sql = `SELECT DISTINCT seq / $3 * $3 FROM messages
			WHERE broadcast_id = $1 AND channel_account_id = $2 AND state IN ('queued', 'sending') ORDER BY 1`
	}
	rows, err := s.pool.Query(ctx, sql, lane.BroadcastID, lane.ChannelAccountID, size)
	if err != nil {
		return nil, fmt.Errorf("list slices of lane %s: %w", lane.ChannelAccountID, err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[int])
}

// BroadcastTally counts the rows of a broadcast by lane and state, and says
// why a lane is not moving.
func (s *Store) BroadcastTally(ctx context.Context, teamID, broadcastID uuid.UUID) (map[uuid.UUID]omniflow.LaneCount, error) {
	lanes, err := listLanes(ctx, s.pool, teamID, []uuid.UUID{broadcastID})
	if err != nil {
		return nil, err
	}
	out := map[uuid.UUID]omniflow.LaneCount{}
	for _, l := range lanes {
		tally, err := l.Tally()
		if err != nil {
			return nil, err
		}
		out[l.ChannelAccountID] = omniflow.LaneCount{Tally: tally, Waiting: l.Waiting(tally, time.Now())}
	}
	return out, nil
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
