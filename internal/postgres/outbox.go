package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Start is a workflow start that a committed request promised.
type Start struct {
	ID         uuid.UUID
	TeamID     uuid.UUID
	Workflow   string
	WorkflowID string
	Input      json.RawMessage
	Summary    string
	// ConversationID becomes the search attribute of the run; zero: it is of none.
	ConversationID uuid.UUID
}

// dueStarts are those that are promised, in the order in which they are made:
// read from an index, however many wait.
const dueStarts = `
SELECT id, team_id, workflow, workflow_id, input, summary, COALESCE(conversation_id, '00000000-0000-0000-0000-000000000000') FROM outbox
WHERE started_at IS NULL AND created_at < now() - interval '1 second'
ORDER BY tries, id LIMIT $1 FOR UPDATE SKIP LOCKED`

// DrainOutbox gives every promised start that is older than a second, those
// that failed least first, at most limit, to start, and marks it done when start succeeds.
// Starting is idempotent by workflow id, so dying in between is harmless.
// It returns how many were started; the first error ends the round.
func (s *Store) DrainOutbox(ctx context.Context, limit int, start func(context.Context, Start) error) (int, error) {
	started := 0
	var failed error
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, dueStarts, limit)
		if err != nil {
			return err
		}
		due, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Start])
		if err != nil {
			return err
		}
		for _, d := range due {
			if failed = start(ctx, d); failed != nil {
				// The engine is away: what was started so far is committed, the
				// rest waits. Who failed goes behind the others, so that one start
				// that can never succeed holds up nobody.
				_, err := tx.Exec(ctx, `UPDATE outbox SET tries = LEAST(tries + 1, 32000) WHERE id = $1`, d.ID)
				return err
			}
			if _, err := tx.Exec(ctx, `UPDATE outbox SET started_at = now() WHERE id = $1`, d.ID); err != nil {
				return err
			}
			started++
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("drain outbox: %w", err)
	}
	if failed != nil && started == 0 {
		return 0, fmt.Errorf("drain outbox: %w", failed)
	}
	return started, nil
}
