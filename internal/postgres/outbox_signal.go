package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"omniflow/internal/omniflow"
)

// Signal is a signal that a committed transaction promised to a run, which is
// started with it if none is open. ID is the engine's request id: delivering
// twice is one signal.
type Signal struct {
	ID         uuid.UUID
	TeamID     uuid.UUID
	Workflow   string
	WorkflowID string
	Input      json.RawMessage
	Signal     string
	Summary    string
	// ConversationID becomes the search attribute of a run that is started; zero: it is of none.
	ConversationID uuid.UUID
}

// promiseSignal promises that the run of a workflow hears that something
// changed; conversationID is the conversation that the run is about.
func promiseSignal(ctx context.Context, tx pgx.Tx, teamID, conversationID uuid.UUID, workflow, workflowID string, input any, summary string) error {
	_, err := newSignal(ctx, tx, teamID, conversationID, workflow, workflowID, input, summary)
	return err
}

// newSignal is promiseSignal; it returns what is promised.
func newSignal(ctx context.Context, tx pgx.Tx, teamID, conversationID uuid.UUID, workflow, workflowID string, input any, summary string) (*Signal, error) {
	body, err := json.Marshal(input)
	if err != nil {
		return nil, fmt.Errorf("write input of %s: %w", workflowID, err)
	}
	s := Signal{ID: newID(), TeamID: teamID, Workflow: workflow, WorkflowID: workflowID, Input: body, Signal: omniflow.SignalChanged, Summary: summary, ConversationID: conversationID}
	_, err = tx.Exec(ctx, `
INSERT INTO outbox_signals (id, team_id, workflow, workflow_id, input, signal, summary, conversation_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		s.ID, s.TeamID, s.Workflow, s.WorkflowID, s.Input, s.Signal, s.Summary, conversationID)
	if err != nil {
		return nil, fmt.Errorf("promise signal to %s: %w", workflowID, err)
	}
	return &s, nil
}

// KeepSignal notes that a promised signal was delivered. One that a relay has
// in hand is left to it.
func (s *Store) KeepSignal(ctx context.Context, sig Signal) error {
	_, err := s.pool.Exec(ctx, `
		UPDATE outbox_signals SET delivered_at = now() WHERE id = (
		  SELECT id FROM outbox_signals WHERE id = $1 AND delivered_at IS NULL FOR UPDATE SKIP LOCKED)`, sig.ID)
	if err != nil {
		return fmt.Errorf("note delivery of signal %s: %w", sig.ID, err)
	}
	return nil
}

// wakeGroup tells the run of a group's creation to look again.
func wakeGroup(ctx context.Context, tx pgx.Tx, teamID, groupID uuid.UUID) error {
	return promiseSignal(ctx, tx, teamID, groupID, omniflow.CreateGroupRun, omniflow.CreateGroupID(teamID, groupID),
		omniflow.GroupRef{TeamID: teamID, GroupID: groupID}, "WhatsApp group")
}

// wakeMember tells the run of a member to look again, or starts it.
func wakeMember(ctx context.Context, tx pgx.Tx, teamID, groupID, memberID uuid.UUID, hash string) error {
	return promiseSignal(ctx, tx, teamID, groupID, omniflow.ChangeGroupMemberRun, omniflow.ChangeGroupMemberID(teamID, groupID, hash),
		omniflow.MemberRef{GroupRef: omniflow.GroupRef{TeamID: teamID, GroupID: groupID}, MemberID: memberID}, "member of a WhatsApp group")
}

// signalsAtOnce is how many signals of a round are on their way together: the
// engine writes several times for each.
const signalsAtOnce = 8

// deliverAll gives signals to deliver, several at once. It returns those that
// succeeded, never nil, and the first error: one that cannot be delivered keeps
// no other from it. Where nothing succeeds the engine is away, and the rest waits.
func deliverAll(ctx context.Context, due []Signal, deliver func(context.Context, Signal) error) ([]uuid.UUID, error) {
	var mu sync.Mutex
	done, failed := []uuid.UUID{}, 0
	away := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(done) == 0 && failed >= signalsAtOnce
	}
	var group errgroup.Group
	group.SetLimit(signalsAtOnce)
	for _, d := range due {
		group.Go(func() error {
			if away() || ctx.Err() != nil {
				return ctx.Err()
			}
			err := deliver(ctx, d)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed++
				return err
			}
			done = append(done, d.ID)
			return nil
		})
	}
	err := group.Wait()
	return done, err
}

func idsOf(signals []Signal) []uuid.UUID {
	ids := make([]uuid.UUID, len(signals))
	for i, s := range signals {
		ids[i] = s.ID
	}
	return ids
}

// dueSignals are those that are promised, in the order in which they are
// delivered: read from an index, however many wait.
const dueSignals = `
SELECT id, team_id, workflow, workflow_id, input, signal, summary, COALESCE(conversation_id, '00000000-0000-0000-0000-000000000000') FROM outbox_signals
WHERE delivered_at IS NULL ORDER BY tries, id LIMIT $1 FOR UPDATE SKIP LOCKED`

// DrainSignals gives promised signals, those that failed least first, at most
// limit, to deliver, several at once, and marks them done when it succeeds. Two signals to one
// run keep their order unless the first one failed; a run that hears of a
// change looks at the database, so the order does not matter. It returns how
// many were delivered; the first error ends the round.
func (s *Store) DrainSignals(ctx context.Context, limit int, deliver func(context.Context, Signal) error) (int, error) {
	delivered := 0
	var failed error
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, dueSignals, limit)
		due, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Signal])
		if err != nil {
			return err
		}
		var done []uuid.UUID
		if done, failed = deliverAll(ctx, due, deliver); failed != nil {
			_, err := tx.Exec(ctx, `UPDATE outbox_signals SET tries = LEAST(tries + 1, 32000) WHERE id = ANY ($1) AND id <> ALL ($2)`, idsOf(due), done)
			if err != nil {
				return err
			}
		}
		delivered = len(done)
		if _, err := tx.Exec(ctx, `UPDATE outbox_signals SET delivered_at = now() WHERE id = ANY ($1)`, done); err != nil {
			return err
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("drain signals: %w", err)
	}
	if failed != nil && delivered == 0 {
		return 0, fmt.Errorf("drain signals: %w", failed)
	}
	return delivered, nil
}
