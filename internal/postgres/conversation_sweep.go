package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// overdue is how long after the time at which a run meant to look it counts as
// lost: it was terminated, or the engine was restored to an earlier day.
const overdue = 30 * time.Second

// SweepConversations promises a signal to the runs of at most limit
// conversations that should have looked and did not, and to which none is
// promised. It returns how many.
func (s *Store) SweepConversations(ctx context.Context, limit int) (int, error) {
	n := 0
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `
			SELECT c.team_id, c.id FROM conversations c WHERE c.armed_until < now() - $1::interval
			  AND NOT EXISTS (SELECT FROM outbox_signals o WHERE o.conversation_id = c.id AND o.delivered_at IS NULL)
			ORDER BY c.armed_until LIMIT $2 FOR UPDATE OF c SKIP LOCKED`, overdue, limit)
		lost, err := pgx.CollectRows(rows, pgx.RowToStructByPos[omniflow.ConversationRef])
		if err != nil {
			return err
		}
		n = len(lost)
		return wakeAll(ctx, tx, lost)
	})
	if err != nil {
		return 0, fmt.Errorf("sweep conversations: %w", err)
	}
	return n, nil
}

// wakeAll promises a signal to the run of each conversation, whatever it waits
// for. The caller holds them.
func wakeAll(ctx context.Context, tx pgx.Tx, refs []omniflow.ConversationRef) error {
	for _, ref := range refs {
		if _, err := tx.Exec(ctx, `UPDATE conversations SET armed_until = NULL WHERE id = $1`, ref.ConversationID); err != nil {
			return err
		}
		if err := wakeConversation(ctx, tx, ref, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// orderRecount notes that the open conversations of a team are to hear of its
// new rules, from the first one.
func orderRecount(ctx context.Context, tx pgx.Tx, teamID uuid.UUID) error {
	_, err := tx.Exec(ctx, `
INSERT INTO auto_close_recounts (team_id) VALUES ($1) ON CONFLICT (team_id) DO UPDATE SET after = excluded.after, ordered_at = now()`, teamID)
	if err != nil {
		return fmt.Errorf("order recount: %w", err)
	}
	return nil
}

// RecountAutoClose tells the next step conversations of a team whose rules have
// changed: those that may end before their run looks again. A deadline that
// became later needs nobody: the run looks, and sleeps again. It returns how
// many conversations it has walked over; 0: nobody's rules have changed.
func (s *Store) RecountAutoClose(ctx context.Context, step int) (int, error) {
	walked := 0
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var team, after uuid.UUID
		err := tx.QueryRow(ctx, `SELECT team_id, after FROM auto_close_recounts ORDER BY ordered_at LIMIT 1 FOR UPDATE SKIP LOCKED`).Scan(&team, &after)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		var last *uuid.UUID
		if walked, last, err = recountStep(ctx, tx, team, after, step); err != nil {
			return err
		}
		if last == nil || walked < step {
			_, err = tx.Exec(ctx, `DELETE FROM auto_close_recounts WHERE team_id = $1`, team)
			walked = max(walked, 1)
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE auto_close_recounts SET after = $2 WHERE team_id = $1`, team, *last)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("recount automatic endings: %w", err)
	}
	return walked, nil
}

// recountStep walks over open conversations. What else they must be is asked of
// the row once it is held: a look under the old rules may be writing it.
func recountStep(ctx context.Context, tx pgx.Tx, team, after uuid.UUID, step int) (walked int, last *uuid.UUID, err error) {
	rows, _ := tx.Query(ctx, `
SELECT c.id, COALESCE(r.enabled AND c.state = 'handling' AND c.waiting_since IS NULL AND c.last_human_reply_at IS NOT NULL
  AND c.armed_until > GREATEST(now(), GREATEST(c.last_human_reply_at, c.close_from) + r.duration), false)
FROM conversations c LEFT JOIN auto_close_rules r ON r.team_id = c.team_id AND c.channel = ANY (r.channels)
WHERE c.team_id = $1 AND c.armed_until IS NOT NULL AND c.id > $2 ORDER BY c.id LIMIT $3 FOR UPDATE OF c`, team, after, step)
	var id uuid.UUID
	var earlier bool
	var wake []omniflow.ConversationRef
	_, err = pgx.ForEachRow(rows, []any{&id, &earlier}, func() error {
		walked++
		at := id
		last = &at
		if earlier {
			wake = append(wake, omniflow.ConversationRef{TeamID: team, ConversationID: id})
		}
		return nil
	})
	if err != nil {
		return 0, nil, err
	}
	return walked, last, wakeAll(ctx, tx, wake)
}
