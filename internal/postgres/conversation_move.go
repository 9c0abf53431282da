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

// conversationStep is one transition of a conversation: of a member, or of the
// system, where ActorID is zero.
type conversationStep struct {
	TeamID, ConversationID, ActorID uuid.UUID
	Event                           omniflow.Event
	ReceiverID                      uuid.UUID // of a transfer
	ActionID                        uuid.UUID // makes it once (D-NTF-1)
	Version                         int64     // what the actor saw; 0: does not matter
	Reason                          string    // in the actor's words, for the audit log
}

// conversationRow is a conversation that the transaction holds.
type conversationRow struct {
	ID            uuid.UUID
	TeamID        uuid.UUID
	Type          omniflow.ConversationType
	Channel       omniflow.Channel
	State         omniflow.ConversationState
	FollowerID    *uuid.UUID
	Follower      string // name
	Version       int64
	ContactID     *uuid.UUID
	Collaborators bool
	Now           time.Time
}

// ref names the conversation to its run.
func (c conversationRow) ref() omniflow.ConversationRef {
	return omniflow.ConversationRef{TeamID: c.TeamID, ConversationID: c.ID}
}

// lockConversation holds a conversation until the transaction ends, or is a
// Refusal not_found. What is read beside the row is read after the lock.
func lockConversation(ctx context.Context, tx pgx.Tx, teamID, id uuid.UUID) (conversationRow, error) {
	var held uuid.UUID
	err := tx.QueryRow(ctx, `SELECT id FROM conversations WHERE team_id = $1 AND id = $2 FOR UPDATE`, teamID, id).Scan(&held)
	if err != nil {
		return conversationRow{}, oneRow(err, "conversation", id)
	}
	rows, _ := tx.Query(ctx, `
SELECT c.id, c.team_id, c.type, c.channel, c.state, c.follower_id, COALESCE(m.name, '') AS follower, c.version, c.contact_id,
  EXISTS (SELECT FROM collaborators k WHERE k.conversation_id = c.id) AS collaborators, now() AS now
FROM conversations c LEFT JOIN members m ON m.id = c.follower_id WHERE c.id = $1`, id)
	c, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[conversationRow])
	return c, oneRow(err, "conversation", id)
}

// stepConversation makes one transition: it holds the row, checks state,
// version and permission, writes state, follower, log and audit, removes pins
// and unread that end with it, and wakes the conversation's run. Doing the same
// action twice changes nothing twice.
//
// Refusals: those of omniflow.MoveConversation; not_found.
func stepConversation(ctx context.Context, tx pgx.Tx, st conversationStep) error {
	c, err := lockConversation(ctx, tx, st.TeamID, st.ConversationID)
	if err != nil {
		return err
	}
	done, err := logged(ctx, tx, st.ConversationID, st.ActionID)
	if err != nil || done {
		return err
	}
	if st.Version != 0 && st.Version != c.Version {
		return omniflow.OtherVersion(st.Version, c.Version, c.State, c.Follower)
	}
	step, err := c.decide(ctx, tx, st)
	if err != nil {
		return err
	}
	w := stepWrite{conversationStep: st, From: c.State, To: step.To, Former: c.FollowerID, Next: nextFollower(step.Follower, st, c.FollowerID), Collaborators: c.Collaborators}
	return w.commit(ctx, tx)
}

// decide asks the rules.
func (c conversationRow) decide(ctx context.Context, tx pgx.Tx, st conversationStep) (omniflow.Step, error) {
	var step omniflow.Step
	var no *omniflow.Refusal
	if st.ActorID == uuid.Nil {
		step, no = omniflow.MoveBySystem(c.State, st.Event)
	} else {
		in, err := c.situation(ctx, tx, st)
		if err != nil {
			return step, err
		}
		step, no = omniflow.MoveConversation(in, st.Event)
	}
	if no != nil {
		return step, no
	}
	return step, nil
}

// situation is what the rules need to know of the conversation and the actor.
func (c conversationRow) situation(ctx context.Context, tx pgx.Tx, st conversationStep) (omniflow.ConversationSituation, error) {
	in := omniflow.ConversationSituation{Type: c.Type, State: c.State, Followed: c.FollowerID != nil, Follower: c.Follower, Collaborators: c.Collaborators}
	in.Relation.Follower = c.FollowerID != nil && *c.FollowerID == st.ActorID
	err := tx.QueryRow(ctx, `
SELECT m.role, m.state, EXISTS (SELECT FROM collaborators k WHERE k.conversation_id = $3 AND k.member_id = $2),
  EXISTS (SELECT FROM contact_bindings b WHERE b.contact_id = $4)
FROM members m WHERE m.team_id = $1 AND m.id = $2`, c.TeamID, st.ActorID, c.ID, c.ContactID).
		Scan(&in.Actor.Role, &in.Actor.State, &in.Relation.Collaborator, &in.Bound)
	if err != nil || st.Event != omniflow.Transfer {
		return in, oneRow(err, "member", st.ActorID)
	}
	in.ReceiverIsFollower = c.FollowerID != nil && *c.FollowerID == st.ReceiverID
	err = tx.QueryRow(ctx, `
SELECT m.role, m.state = 'active', EXISTS (SELECT FROM collaborators k WHERE k.conversation_id = $3 AND k.member_id = m.id)
FROM members m WHERE m.team_id = $1 AND m.id = $2`, c.TeamID, st.ReceiverID, c.ID).
		Scan(&in.ReceiverRole, &in.ReceiverActive, &in.ReceiverCollaborates)
	return in, oneRow(err, "member", st.ReceiverID)
}

// holdFor holds a conversation and says what the rules need to know of it and a
// member, who must be active: actor_inactive.
func holdFor(ctx context.Context, tx pgx.Tx, teamID, id, memberID uuid.UUID) (conversationRow, omniflow.ConversationSituation, error) {
	c, err := lockConversation(ctx, tx, teamID, id)
	if err != nil {
		return c, omniflow.ConversationSituation{}, err
	}
	in, err := c.situation(ctx, tx, conversationStep{ActorID: memberID})
	if err != nil {
		return c, in, err
	}
	if no := in.Actor.PermitActive(); no != nil {
		return c, in, no
	}
	return c, in, nil
}

// nextFollower is who follows after a step.
func nextFollower(next omniflow.NextFollower, st conversationStep, now *uuid.UUID) *uuid.UUID {
	switch next {
	case omniflow.FollowerActor:
		return &st.ActorID
	case omniflow.FollowerReceiver:
		return &st.ReceiverID
	case omniflow.FollowerRemembered:
		return now
	}
	return nil
}

// ConversationMove is a step that a member asks for.
type ConversationMove struct {
	TeamID, ConversationID, ActorID uuid.UUID
	ReceiverID                      uuid.UUID      // of a transfer
	Event                           omniflow.Event // follow, transfer, take_over, end or reopen
	Version                         int64          // what the actor saw; 0: does not matter
	ActionID                        uuid.UUID      // makes it once
	Reason                          string
}

// MoveConversation makes the step in one transaction that holds the
// conversation: of two at once the second is judged by what the first left
// (D-CNV-5). A WhatsApp group moves by its own tables, where to take over is to
// follow.
//
// Refusals: those of omniflow.MoveConversation or omniflow.MoveGroup; not_found.
func (s *Store) MoveConversation(ctx context.Context, mv ConversationMove) error {
	group := false
	err := s.inTeam(ctx, mv.TeamID, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `SELECT type = 'whatsapp_group' FROM conversations WHERE team_id = $1 AND id = $2`, mv.TeamID, mv.ConversationID).Scan(&group)
		if err != nil || group {
			return oneRow(err, "conversation", mv.ConversationID)
		}
		return stepConversation(ctx, tx, mv.step())
	})
	if group {
		event := mv.Event
		if event == omniflow.TakeOver {
			event = omniflow.Follow
		}
		return s.MoveGroup(ctx, GroupMove{TeamID: mv.TeamID, GroupID: mv.ConversationID, ActorID: mv.ActorID, ReceiverID: mv.ReceiverID,
			Event: event, Version: mv.Version, ActionID: mv.ActionID})
	}
	var refusal *omniflow.Refusal
	if err != nil && !errors.As(err, &refusal) {
		return fmt.Errorf("%s conversation %s: %w", mv.Event, mv.ConversationID, err)
	}
	return err
}

func (mv ConversationMove) step() conversationStep {
	return conversationStep{TeamID: mv.TeamID, ConversationID: mv.ConversationID, ActorID: mv.ActorID, Event: mv.Event,
		ReceiverID: mv.ReceiverID, ActionID: mv.ActionID, Version: mv.Version, Reason: mv.Reason}
}
