package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// StartBroadcast notes how far a broadcast without lanes is, and returns what
// its operators want of it. One that is planned or over is left alone.
func (s *Store) StartBroadcast(ctx context.Context, teamID, broadcastID uuid.UUID, state omniflow.BroadcastState) (omniflow.StartFacts, error) {
	rows, _ := s.pool.Query(ctx, `
		UPDATE broadcasts SET state = CASE WHEN planned_at IS NULL AND finished_at IS NULL THEN $3 ELSE state END
		WHERE team_id = $1 AND id = $2
		RETURNING state, start_control AS control, control_reason AS reason, control_by AS by, control_at AS at, start_at, created_at`,
		teamID, broadcastID, string(state))
	f, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[omniflow.StartFacts])
	if errors.Is(err, pgx.ErrNoRows) {
		return f, omniflow.Refuse(omniflow.NotFound, "SYS-13", "no such broadcast")
	}
	if err != nil {
		return f, fmt.Errorf("start broadcast %s: %w", broadcastID, err)
	}
	return f, nil
}

// orderStart applies an order to a broadcast that waits for its start. It
// returns false, and changes nothing, when there is nothing to change.
func orderStart(ctx context.Context, tx pgx.Tx, o omniflow.ControlOrder, actor *uuid.UUID) (bool, error) {
	if o.Order == omniflow.OrderApprove {
		tag, err := tx.Exec(ctx, `
			UPDATE broadcasts SET approved_at = now() WHERE team_id = $1 AND id = $2 AND approved_at IS NULL`, o.TeamID, o.BroadcastID)
		return tag.RowsAffected() == 1, err
	}
	to := orders[o.Order]
	tag, err := tx.Exec(ctx, `
		UPDATE broadcasts SET start_control = $3, control_reason = $4, control_by = $5, control_at = now()
		WHERE team_id = $1 AND id = $2 AND planned_at IS NULL AND start_control = ANY ($6)`,
		o.TeamID, o.BroadcastID, string(to.to), o.Reason, actor, to.from)
	return tag.RowsAffected() == 1, err
}
