package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// NewConversationMessage is a message that a member sends in a conversation.
type NewConversationMessage struct {
	ID, TeamID, ConversationID, ActorID uuid.UUID
	Contents                            []omniflow.Content // frozen and checked for the channel
	QuotedID                            uuid.UUID          // of a message of the conversation, ours or the customer's; zero: none
}

// SendConversationMessage checks who writes and whether it may be said now,
// queues it and wakes the run, in one transaction that holds the conversation.
// It returns the signal that it promised, for who is in a hurry. One that is
// there under this id is left alone.
//
// Refusals: not_found, those of omniflow.Reply, quote_unsupported,
// quoted_message_not_found.
func (s *Store) SendConversationMessage(ctx context.Context, m NewConversationMessage) (*Signal, error) {
	var out *Signal
	err := s.inTeam(ctx, m.TeamID, func(tx pgx.Tx) error {
		var there bool
		err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM messages WHERE team_id = $1 AND id = $2)`, m.TeamID, m.ID).Scan(&there)
		if err != nil || there {
			return err
		}
		c, reply, err := holdForReply(ctx, tx, m.TeamID, m.ConversationID, m.ActorID)
		if err != nil {
			return err
		}
		if no := reply.Permit(m.Contents, c.Now); no != nil {
			return no
		}
		quoted, err := quotedMessage(ctx, tx, c, m.QuotedID)
		if err != nil {
			return err
		}
		if err := replySeen(ctx, tx, c, m.ActorID); err != nil {
			return err
		}
		out, err = queueAndWake(ctx, tx, conversationMessage{ID: m.ID, TeamID: m.TeamID, ConversationID: m.ConversationID, SenderID: m.ActorID,
			Origin: omniflow.OriginAgent, Contents: m.Contents, QuotedID: quoted})
		return err
	})
	return out, sendError("send in", m.ConversationID, err)
}

func sendError(act string, id uuid.UUID, err error) error {
	var refusal *omniflow.Refusal
	if err != nil && !errors.As(err, &refusal) {
		return fmt.Errorf("%s conversation %s: %w", act, id, err)
	}
	return err
}

// holdForReply holds a one-to-one conversation and says what decides whether a
// member may write in it.
func holdForReply(ctx context.Context, tx pgx.Tx, teamID, id, memberID uuid.UUID) (conversationRow, omniflow.Reply, error) {
	c, in, err := holdFor(ctx, tx, teamID, id, memberID)
	if err != nil {
		return c, omniflow.Reply{}, err
	}
	if c.Type != omniflow.OneToOne {
		return c, omniflow.Reply{}, omniflow.Refuse(omniflow.ContentUnsupported, "GRP-25", "this is a group: send to /v1/groups/%s/messages", id)
	}
	r := omniflow.Reply{ConversationSituation: in, Channel: c.Channel}
	var flags []string
	err = tx.QueryRow(ctx, `
SELECT c.last_customer_message_at, COALESCE(i.blocked_at IS NOT NULL, false), t.flags
FROM conversations c JOIN teams t ON t.team_id = c.team_id LEFT JOIN channel_identities i ON i.id = c.channel_identity_id WHERE c.id = $1`, id).
		Scan(&r.LastCustomerAt, &r.Blocked, &flags)
	r.ParticipantsOnly = slices.Contains(flags, string(omniflow.CollaborationEnabled))
	return c, r, err
}

// quotedMessage is the provider's id of a message of the conversation (QUO-02).
func quotedMessage(ctx context.Context, tx pgx.Tx, c conversationRow, id uuid.UUID) (string, error) {
	if id == uuid.Nil {
		return "", nil
	}
	if c.Channel != omniflow.WhatsApp {
		no := omniflow.Refuse(omniflow.QuoteUnsupported, "QUO-02", "on %s no message can be quoted", c.Channel)
		no.Channels = []omniflow.Channel{c.Channel}
		return "", no
	}
	var provider string
	err := tx.QueryRow(ctx, `
SELECT provider_id FROM inbound_messages WHERE id = $1 AND conversation_id = $2
UNION ALL SELECT provider_id FROM messages WHERE id = $1 AND conversation_id = $2 AND provider_id IS NOT NULL LIMIT 1`, id, c.ID).Scan(&provider)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", omniflow.Refuse(omniflow.QuotedMessageNotFound, "D-QUO-1", "the conversation has no such message that the customer can see")
	}
	return provider, err
}

// ResendMessage is ResendConversationMessage for a run, which looks anyhow.
func (s *Store) ResendMessage(ctx context.Context, in omniflow.ResendInput) error {
	_, err := s.ResendConversationMessage(ctx, in)
	return err
}

// ResendConversationMessage queues a failed message of an agent again, as the
// last of its conversation and the actor's own: who asks for it answers for it, and promises that the run hears of it: a second
// click finds it queued. It is judged as a new one would be.
//
// Refusals: not_found, message_not_failed, those of omniflow.Reply or, in a
// group, of omniflow.PermitGroupMessage.
func (s *Store) ResendConversationMessage(ctx context.Context, in omniflow.ResendInput) (*Signal, error) {
	var out *Signal
	err := s.inTeam(ctx, in.TeamID, func(tx pgx.Tx) error {
		if err := holdIfGroup(ctx, tx, in.ConversationRef); err != nil {
			return err
		}
		r, err := lockOutgoing(ctx, tx, omniflow.MessageRef{TeamID: in.TeamID, MessageID: in.MessageID})
		if err != nil {
			return err
		}
		switch {
		case r.ConversationID != in.ConversationID || r.Origin != omniflow.OriginAgent:
			return omniflow.Refuse(omniflow.NotFound, "SYS-13", "the conversation has no message of a member with this id")
		case in.ActorID == uuid.Nil && r.SenderID != nil:
			in.ActorID = *r.SenderID
		}
		if !omniflow.MessageState(r.State).ResendAllowed() {
			return omniflow.Refuse(omniflow.MessageNotFailed, "MSG-01", "only a failed message is sent again: this one is %s", r.State)
		}
		if err := r.permitAgain(ctx, tx, in.ActorID); err != nil {
			return err
		}
		out, err = requeue(ctx, tx, in)
		return err
	})
	return out, sendError("resend in", in.ConversationID, err)
}

// holdIfGroup locks the group of a conversation before its message, which is
// the order of everybody (applyIntake); one-to-one there is none.
func holdIfGroup(ctx context.Context, tx pgx.Tx, ref omniflow.ConversationRef) error {
	_, err := tx.Exec(ctx, `SELECT FROM groups WHERE team_id = $1 AND id = $2 FOR UPDATE`, ref.TeamID, ref.ConversationID)
	if err != nil {
		return fmt.Errorf("hold group %s: %w", ref.ConversationID, err)
	}
	return nil
}

// permitAgain asks of a message what was asked when it was new.
func (r outgoingRow) permitAgain(ctx context.Context, tx pgx.Tx, actorID uuid.UUID) error {
	if r.ToGroup {
		return permitToGroup(ctx, tx, r.TeamID, r.ConversationID, actorID, r.Contents...)
	}
	c, reply, err := holdForReply(ctx, tx, r.TeamID, r.ConversationID, actorID)
	if err != nil {
		return err
	}
	if no := reply.Permit(r.Contents, c.Now); no != nil {
		return no
	}
	return nil
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

func requeue(ctx context.Context, tx pgx.Tx, in omniflow.ResendInput) (*Signal, error) {
	_, err := tx.Exec(ctx, requeueFailed, in.MessageID)
	if err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, `UPDATE conversation_messages SET done_at = NULL, replied = false, place = DEFAULT, sender_id = $2 WHERE message_id = $1`,
		in.MessageID, orNil(in.ActorID))
	if err != nil {
		return nil, err
	}
	if err := audit(ctx, tx, in.TeamID, in.ActorID, "conversation.resend", in.MessageID.String(), map[string]any{"conversation_id": in.ConversationID}); err != nil {
		return nil, err
	}
	return wakeNow(ctx, tx, in.ConversationRef, time.Time{})
}

// CloseConversation ends a handled conversation in the name of the system, as
// its automatic ending does, once an action.
//
// Refusals: not_found, invalid_transition.
func (s *Store) CloseConversation(ctx context.Context, in omniflow.CloseInput) error {
	err := s.inTeam(ctx, in.TeamID, func(tx pgx.Tx) error {
		return stepConversation(ctx, tx, conversationStep{TeamID: in.TeamID, ConversationID: in.ConversationID, Event: omniflow.AutoClose,
			ActionID: in.ActionID, Reason: in.Reason})
	})
	return sendError("close", in.ConversationID, err)
}
