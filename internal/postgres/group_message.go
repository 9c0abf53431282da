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

// NewGroupMessage is a message that a member sends to a group.
type NewGroupMessage struct {
	ID, TeamID, GroupID, ActorID uuid.UUID
	Content                      omniflow.Content
	QuotedMessageID              uuid.UUID // of a message of the group that it answers; zero: none
	ParticipantsOnly             bool      // COL-05
}

// CreateGroupMessage checks the group and the sender, stores the message and
// promises its run, in one transaction. One that is there under this id is
// left alone.
//
// Refusals: not_found, permission_denied, group_not_approved and the others of
// Usable, invalid_transition, not_participant, window_template_only,
// quoted_message_not_found.
func (s *Store) CreateGroupMessage(ctx context.Context, m NewGroupMessage) (*Start, error) {
	var out *Start
	workflowID := omniflow.SendMessageID(m.TeamID, m.ID)
	err := s.inTeam(ctx, m.TeamID, func(tx pgx.Tx) error {
		g, err := m.permit(ctx, tx)
		if err != nil {
			return err
		}
		if m.Content.QuotedID, err = quotedID(ctx, tx, m); err != nil {
			return err
		}
		if err := promiseMessage(ctx, tx, m, g, workflowID); err != nil {
			return err
		}
		out, err = openPromise(ctx, tx, m.TeamID, workflowID)
		return err
	})
	var refusal *omniflow.Refusal
	if err != nil && !errors.As(err, &refusal) {
		return nil, fmt.Errorf("create message to group %s: %w", m.GroupID, err)
	}
	return out, err
}

func (m NewGroupMessage) ref() omniflow.MessageRef {
	return omniflow.MessageRef{TeamID: m.TeamID, MessageID: m.ID, Files: m.Content.Media != nil}
}

// permit locks the group and asks whether the actor may send to it now.
func (m NewGroupMessage) permit(ctx context.Context, tx pgx.Tx) (groupRow, error) {
	g, err := lockGroup(ctx, tx, m.TeamID, m.GroupID)
	if err != nil {
		return g, err
	}
	in, err := situation(ctx, tx, g, m.ActorID)
	if err != nil {
		return g, err
	}
	var last *time.Time
	if err := tx.QueryRow(ctx, `SELECT max(last_customer_message_at) FROM conversations WHERE id = $1`, m.GroupID).Scan(&last); err != nil {
		return g, err
	}
	if no := omniflow.PermitGroupMessage(in, m.Content.Kind, m.ParticipantsOnly, last, time.Now()); no != nil {
		return g, no
	}
	return g, nil
}

// quotedID is the provider's id of the message that m answers, a member's or
// our own, or "". Refusal quoted_message_not_found.
func quotedID(ctx context.Context, tx pgx.Tx, m NewGroupMessage) (string, error) {
	if m.QuotedMessageID == uuid.Nil {
		return "", nil
	}
	var id string
	err := tx.QueryRow(ctx, `
		SELECT provider_id FROM messages WHERE team_id = $1 AND conversation_id = $2 AND id = $3 AND provider_id IS NOT NULL
		UNION ALL SELECT provider_id FROM inbound_messages WHERE team_id = $1 AND conversation_id = $2 AND id = $3 LIMIT 1`,
		m.TeamID, m.GroupID, m.QuotedMessageID).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", omniflow.Refuse(omniflow.QuotedMessageNotFound, "QUO-02", "the group has no such message, or it never left")
	}
	return id, err
}

func promiseMessage(ctx context.Context, tx pgx.Tx, m NewGroupMessage, g groupRow, workflowID string) error {
	var there bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM messages WHERE id = $1)`, m.ID).Scan(&there); err != nil || there {
		return err
	}
	_, err := queueMessage(ctx, tx, queuedMessage{ID: m.ID, TeamID: m.TeamID, ChannelAccountID: g.ChannelAccountID, ConversationID: g.ID,
		Recipient: *g.ProviderID, Contents: []omniflow.Content{m.Content}})
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
INSERT INTO outbox (id, team_id, workflow, workflow_id, input, summary, conversation_id) VALUES ($1, $2, $3, $4, $5, 'message to a WhatsApp group', $6)`,
		newID(), m.TeamID, omniflow.SendMessageRun, workflowID, m.ref(), g.ID)
	return err
}

// requeueFailed queues a failed message again, once. What an earlier attempt
// left must not be taken for news of this one: its trace moves to those of
// earlier attempts.
const requeueFailed = `
WITH before AS (
  INSERT INTO attempts (message_id, team_id, attempt, http_status, latency_ms, at, provider_id, trace)
  SELECT id, team_id, attempt, http_status, latency_ms, COALESCE(sent_at, attempted_at), COALESCE(provider_id, ''), COALESCE(trace, '')
  FROM messages WHERE id = $1 AND state = 'failed' AND http_status IS NOT NULL
)
UPDATE messages SET state = 'queued', code = NULL, due_at = NULL, tries = 0, attempt_key = NULL, provider_id = NULL, sent_at = NULL, received_at = NULL,
  read_at = NULL, confirmed_at = NULL, http_status = NULL, latency_ms = NULL, trace = NULL WHERE id = $1 AND state = 'failed'`

// ResendGroupMessage sends a failed message of a group again, by a run that is
// told or started. Of two who ask at once one is refused.
//
// Refusals: not_found, message_not_failed, and those of CreateGroupMessage.
func (s *Store) ResendGroupMessage(ctx context.Context, m NewGroupMessage) error {
	err := s.inTeam(ctx, m.TeamID, func(tx pgx.Tx) error {
		var state omniflow.MessageState
		err := tx.QueryRow(ctx, `
			SELECT m.state::text, k.body -> 0 FROM messages m JOIN contents k ON k.id = m.content_id
			WHERE m.team_id = $1 AND m.conversation_id = $2 AND m.id = $3`, m.TeamID, m.GroupID, m.ID).Scan(&state, &m.Content)
		if err != nil {
			return oneRow(err, "message", m.ID)
		}
		if _, err := m.permit(ctx, tx); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, requeueFailed, m.ID)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return omniflow.Refuse(omniflow.MessageNotFailed, "MSG-01", "only a failed message is sent again; this one is %s", state)
		}
		return promiseSignal(ctx, tx, m.TeamID, m.GroupID, omniflow.SendMessageRun, omniflow.SendMessageID(m.TeamID, m.ID), m.ref(), "message to a WhatsApp group, again")
	})
	var refusal *omniflow.Refusal
	if err != nil && !errors.As(err, &refusal) {
		return fmt.Errorf("send message %s again: %w", m.ID, err)
	}
	return err
}
