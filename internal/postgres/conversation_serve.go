package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// serveSteps bounds the plans of one turn: a reminder, an ending and its survey
// are three.
const serveSteps = 6

// ServeConversation looks at a conversation and does what is due, in one
// transaction that holds its row: what human replies do once the channel has
// taken them, the waiting level, the reminder, the automatic ending and the
// survey. It returns the messages that are to be handed over now; when there is
// none, it notes that the run looks again at Next, so that whoever changes
// something afterwards knows whether it has to be told. Doing it again, whoever
// died in between, changes nothing twice.
func (s *Store) ServeConversation(ctx context.Context, ref omniflow.ConversationRef) (omniflow.ConversationTurn, error) {
	var turn omniflow.ConversationTurn
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var held uuid.UUID
		err := tx.QueryRow(ctx, `SELECT id FROM conversations WHERE team_id = $1 AND id = $2 FOR UPDATE`, ref.TeamID, ref.ConversationID).Scan(&held)
		if errors.Is(err, pgx.ErrNoRows) {
			turn = omniflow.ConversationTurn{Over: true, Outcome: omniflow.OutcomeDeleted}
			return nil
		}
		if err != nil {
			return err
		}
		for range serveSteps {
			again, err := serve(ctx, tx, ref, &turn)
			if err != nil || !again {
				return err
			}
		}
		return fmt.Errorf("a turn does not end")
	})
	if err != nil {
		return turn, fmt.Errorf("serve conversation %s: %w", ref.ConversationID, err)
	}
	return turn, nil
}

// serve makes one plan and writes it; again: it did a step, after which another
// plan is needed.
func serve(ctx context.Context, tx pgx.Tx, ref omniflow.ConversationRef, turn *omniflow.ConversationTurn) (again bool, err error) {
	f, now, err := conversationFacts(ctx, tx, ref)
	if err != nil {
		return false, err
	}
	p := f.Plan(now)
	if !p.StepDue.IsZero() {
		if f.Unheard, err = unheard(ctx, tx, ref.TeamID, p.StepDue); err != nil {
			return false, err
		}
		p = f.Plan(now)
	}
	*turn = p.Turn(f, now)
	if err := writePlan(ctx, tx, ref, p); err != nil {
		return false, err
	}
	if p.Step != omniflow.ServeNothing {
		return true, takeServeStep(ctx, tx, ref, f, p.Step)
	}
	if p.Over {
		turn.Outcome, err = endedBy(ctx, tx, ref)
	}
	return false, err
}

// writePlan stores what a plan found. armed_until is when the run looks by
// itself: now, while there is something to hand over; null when it ends.
func writePlan(ctx context.Context, tx pgx.Tx, ref omniflow.ConversationRef, p omniflow.ConversationPlan) error {
	if len(p.Done) > 0 {
		_, err := tx.Exec(ctx, `
			UPDATE conversation_messages SET done_at = now(), replied = replied OR message_id = ANY ($2) WHERE message_id = ANY ($1)`,
			p.Done, append([]uuid.UUID{}, p.Replied...))
		if err != nil {
			return fmt.Errorf("settle messages: %w", err)
		}
	}
	busy := len(p.Due) > 0 || p.Step != omniflow.ServeNothing
	_, err := tx.Exec(ctx, `
		UPDATE conversations SET waiting_since = $2, waiting_level = $3, last_human_reply_at = $4,
		  armed_until = CASE WHEN $5 THEN now() WHEN $6 THEN NULL ELSE $7::timestamptz END,
		  reminded_at = CASE WHEN $8 THEN NULL ELSE reminded_at END,
		  close_from = CASE WHEN $8 AND close_from <= $4 THEN NULL ELSE close_from END
		WHERE id = $1`, ref.ConversationID, orNull(p.WaitingSince), int16(p.Level), orNull(p.RepliedAt), busy, p.Over, p.Next, len(p.Replied) > 0)
	if err != nil {
		return fmt.Errorf("write plan: %w", err)
	}
	return nil
}

// takeServeStep does the one step that a plan asks for.
func takeServeStep(ctx context.Context, tx pgx.Tx, ref omniflow.ConversationRef, f omniflow.ConversationFacts, step omniflow.ServeStep) error {
	m := conversationMessage{ID: newID(), TeamID: ref.TeamID, ConversationID: ref.ConversationID}
	column := "surveyed_at = closed_at"
	switch step {
	case omniflow.ServeEnding:
		return stepConversation(ctx, tx, conversationStep{TeamID: ref.TeamID, ConversationID: ref.ConversationID, Event: omniflow.AutoClose, ActionID: newID()})
	case omniflow.ServeReminder:
		m.Origin, m.Contents = omniflow.OriginReminder, []omniflow.Content{{Kind: omniflow.Text, Text: f.Silence.Rule.Reminder}}
		column = "reminded_at = clock_timestamp()"
	case omniflow.ServeSurvey:
		m.Origin, m.Contents = omniflow.OriginSurvey, []omniflow.Content{{Kind: omniflow.Text, Text: f.Survey.Text}}
	}
	if len(m.Contents) > 0 {
		if err := putConversationMessage(ctx, tx, m); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `UPDATE conversations SET `+column+` WHERE id = $1`, ref.ConversationID)
	if err != nil {
		return fmt.Errorf("note %s: %w", step, err)
	}
	return nil
}

// endedBy tells an automatic ending from a member's.
func endedBy(ctx context.Context, tx pgx.Tx, ref omniflow.ConversationRef) (omniflow.ServeOutcome, error) {
	var event string
	err := tx.QueryRow(ctx, `
		SELECT event FROM conversation_log WHERE conversation_id = $1 AND kind = 'log' AND event IN ('end', 'auto_close') ORDER BY id DESC LIMIT 1`,
		ref.ConversationID).Scan(&event)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", fmt.Errorf("find ending: %w", err)
	}
	if event == string(omniflow.AutoClose) {
		return omniflow.OutcomeAutoClosed, nil
	}
	return omniflow.OutcomeClosed, nil
}
