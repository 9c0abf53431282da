package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// ControlBroadcast applies what an operator asked of a broadcast's lanes and
// writes the audit log, in one transaction; the claims obey it from their
// next statement on. It returns whether anything changed: asking twice is a
// no-op. A finished broadcast is refused with broadcast_finished.
func (s *Store) ControlBroadcast(ctx context.Context, o omniflow.ControlOrder) (bool, error) {
	changed := false
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var finished, planned bool
		err := tx.QueryRow(ctx, `SELECT finished_at IS NOT NULL, planned_at IS NOT NULL FROM broadcasts WHERE team_id = $1 AND id = $2 FOR NO KEY UPDATE`,
			o.TeamID, o.BroadcastID).Scan(&finished, &planned)
		if err != nil {
			return err
		}
		if finished {
			return omniflow.Refuse(omniflow.BroadcastFinished, "BRD-05", "the broadcast has ended; start a new one")
		}
		if changed, err = s.applyOrder(ctx, tx, o, planned); err != nil || !changed {
			return err
		}
		return audit(ctx, tx, o.TeamID, o.ActorID, "broadcast."+string(o.Order), o.BroadcastID.String(), map[string]any{
			"reason": o.Reason, "channel_account_id": o.ChannelAccountID, "rate_per_second": o.RatePerSecond})
	})
	if err != nil {
		return false, fmt.Errorf("%s broadcast %s: %w", o.Order, o.BroadcastID, err)
	}
	return changed, nil
}

// orders says which controls an order may replace, and by which.
var orders = map[omniflow.Order]struct {
	to   omniflow.Control
	from []string
}{
	omniflow.OrderPause:  {omniflow.Paused, []string{"running", "stopped"}},
	omniflow.OrderResume: {omniflow.Running, []string{"paused", "stopped"}},
	omniflow.OrderCancel: {omniflow.ControlCancelled, []string{"running", "paused", "stopped"}},
}

func (s *Store) applyOrder(ctx context.Context, tx pgx.Tx, o omniflow.ControlOrder, planned bool) (bool, error) {
	if o.Order == omniflow.OrderSetRate {
		return s.orderRate(ctx, tx, o, planned)
	}
	to, ok := orders[o.Order]
	if !ok && o.Order != omniflow.OrderApprove {
		return false, fmt.Errorf("unknown order %q", o.Order)
	}
	var actor *uuid.UUID
	if o.ActorID != uuid.Nil {
		actor = &o.ActorID
	}
	if !planned || o.Order == omniflow.OrderApprove {
		return orderStart(ctx, tx, o, actor)
	}
	tag, err := tx.Exec(ctx, `
		UPDATE broadcast_lanes SET control = $4, control_reason = $5, control_by = $6, control_at = now()
		WHERE team_id = $1 AND broadcast_id = $2 AND ($3::uuid = '00000000-0000-0000-0000-000000000000'::uuid OR channel_account_id = $3)
		  AND control = ANY ($7)`,
		o.TeamID, o.BroadcastID, o.ChannelAccountID, string(to.to), o.Reason, actor, to.from)
	if err != nil {
		return false, err
	}
	changed := tag.RowsAffected() > 0
	if o.Order == omniflow.OrderResume {
		if err := forgetOutcomes(ctx, tx, o); err != nil {
			return false, err
		}
		woken, err := s.wakeAccounts(ctx, tx, o)
		return changed || woken, err
	}
	return changed, nil
}

// forgetOutcomes begins the failure rate of resumed lanes anew: what failed
// before somebody looked must not stop them again.
func forgetOutcomes(ctx context.Context, tx pgx.Tx, o omniflow.ControlOrder) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM lane_outcomes WHERE broadcast_id = $1
		  AND ($2::uuid = '00000000-0000-0000-0000-000000000000'::uuid OR channel_account_id = $2)`, o.BroadcastID, o.ChannelAccountID)
	return err
}

// wakeAccounts lets stopped accounts of the resumed lanes send again: who
// resumes says that the cause is mended; if not, the next answer stops them.
func (s *Store) wakeAccounts(ctx context.Context, tx pgx.Tx, o omniflow.ControlOrder) (bool, error) {
	rows, _ := tx.Query(ctx, `
		UPDATE channel_accounts a SET state = 'active', stop_code = '', stopped_at = NULL
		FROM broadcast_lanes l
		WHERE l.team_id = $1 AND l.broadcast_id = $2 AND a.id = l.channel_account_id AND a.state = 'stopped'
		  AND ($3::uuid = '00000000-0000-0000-0000-000000000000'::uuid OR a.id = $3) RETURNING a.id`, o.TeamID, o.BroadcastID, o.ChannelAccountID)
	woken, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil || len(woken) == 0 {
		return false, err
	}
	return true, sendWaiting(ctx, tx, o.TeamID, woken...)
}

// limiterOf is the limiter that a broadcast runs under: LINE's goes by
// multicast calls, unless its texts hold the name variable.
func limiterOf(ctx context.Context, tx pgx.Tx, o omniflow.ControlOrder) (omniflow.LimiterName, error) {
	if o.Channel != omniflow.LINE {
		return omniflow.MessagesLimiter, nil
	}
	var name omniflow.LimiterName
	err := tx.QueryRow(ctx, `SELECT `+limiterByContent+` FROM broadcasts b WHERE b.team_id = $1 AND b.id = $2`, o.TeamID, o.BroadcastID).Scan(&name)
	return name, oneRow(err, "broadcast", o.BroadcastID)
}
