package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// situation is what the rules need to know of a locked group and an actor; it
// locks the group's conversation too. Of a group that is still under review
// there is none: State is "".
func situation(ctx context.Context, tx pgx.Tx, g groupRow, actorID uuid.UUID) (omniflow.GroupSituation, error) {
	in := omniflow.GroupSituation{Group: g.group(), IsCreator: actorID == g.CreatorID}
	var follower *uuid.UUID
	err := tx.QueryRow(ctx, `SELECT state, follower_id FROM conversations WHERE team_id = $1 AND id = $2 FOR UPDATE`, g.TeamID, g.ID).Scan(&in.State, &follower)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return in, fmt.Errorf("load conversation of group %s: %w", g.ID, err)
	}
	in.Relation.Follower = follower != nil && *follower == actorID
	err = tx.QueryRow(ctx, `
		SELECT m.role, EXISTS (SELECT FROM collaborators c WHERE c.conversation_id = $3 AND c.member_id = $2),
		       EXISTS (SELECT FROM collaborators c WHERE c.conversation_id = $3)
		FROM members m WHERE m.team_id = $1 AND m.id = $2`, g.TeamID, actorID, g.ID).Scan(&in.Role, &in.Relation.Collaborator, &in.Collaborators)
	return in, oneRow(err, "member", actorID)
}

// GroupMove is a step that a member asks for in a group's conversation.
type GroupMove struct {
	TeamID, GroupID, ActorID uuid.UUID
	ReceiverID               uuid.UUID      // of a transfer
	Event                    omniflow.Event // follow, transfer, end or reopen
	Version                  int64          // what the actor saw; 0: does not matter
	ActionID                 uuid.UUID      // makes the log entry once
}

// MoveGroup makes the step, with its log entry and system message, in one
// transaction that holds the conversation: of two who follow at once one
// loses (D-CNV-5).
//
// Refusals: those of omniflow.MoveGroup, not_found, receiver_invalid.
func (s *Store) MoveGroup(ctx context.Context, mv GroupMove) error {
	err := s.inTeam(ctx, mv.TeamID, func(tx pgx.Tx) error {
		done, err := logged(ctx, tx, mv.GroupID, mv.ActionID)
		if err != nil || done {
			return err
		}
		g, err := lockGroup(ctx, tx, mv.TeamID, mv.GroupID)
		if err != nil {
			return err
		}
		in, err := situation(ctx, tx, g, mv.ActorID)
		if err != nil {
			return err
		}
		if err := addReceiver(ctx, tx, &in, mv); err != nil {
			return err
		}
		if err := checkVersion(ctx, tx, mv); err != nil {
			return err
		}
		step, no := omniflow.MoveGroup(in, mv.Event)
		if no != nil {
			return no
		}
		return applyMove(ctx, tx, mv, in, step)
	})
	var refusal *omniflow.Refusal
	if err != nil && !errors.As(err, &refusal) {
		return fmt.Errorf("%s group %s: %w", mv.Event, mv.GroupID, err)
	}
	return err
}

// addReceiver fills in what the rules ask of the receiver of a transfer.
func addReceiver(ctx context.Context, tx pgx.Tx, in *omniflow.GroupSituation, mv GroupMove) error {
	if mv.Event != omniflow.Transfer {
		return nil
	}
	err := tx.QueryRow(ctx, `
		SELECT m.role, m.state = 'active', EXISTS (SELECT FROM conversations c WHERE c.id = $3 AND c.follower_id = m.id),
		       EXISTS (SELECT FROM collaborators c WHERE c.conversation_id = $3 AND c.member_id = m.id)
		FROM members m WHERE m.team_id = $1 AND m.id = $2`, mv.TeamID, mv.ReceiverID, mv.GroupID).
		Scan(&in.ReceiverRole, &in.ReceiverActive, &in.ReceiverIsFollower, &in.ReceiverCollaborates)
	return oneRow(err, "member", mv.ReceiverID)
}

// checkVersion refuses a step of somebody who saw an older state, and names
// who was faster.
func checkVersion(ctx context.Context, tx pgx.Tx, mv GroupMove) error {
	if mv.Version == 0 {
		return nil
	}
	var version int64
	var follower string
	err := tx.QueryRow(ctx, `
		SELECT c.version, COALESCE(m.name, 'nobody') FROM conversations c LEFT JOIN members m ON m.id = c.follower_id WHERE c.id = $1`,
		mv.GroupID).Scan(&version, &follower)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	if err == nil && version != mv.Version {
		return omniflow.OtherVersion(mv.Version, version, "", follower)
	}
	return nil
}

// applyMove writes a permitted step.
func applyMove(ctx context.Context, tx pgx.Tx, mv GroupMove, in omniflow.GroupSituation, step omniflow.Step) error {
	former, err := currentFollower(ctx, tx, mv.GroupID)
	if err != nil {
		return err
	}
	st := conversationStep{TeamID: mv.TeamID, ConversationID: mv.GroupID, ActorID: mv.ActorID, Event: mv.Event, ReceiverID: mv.ReceiverID, ActionID: mv.ActionID}
	w := stepWrite{conversationStep: st, From: in.State, To: step.To, Former: former, Next: nextFollower(step.Follower, st, former), Collaborators: in.Collaborators}
	return w.commit(ctx, tx)
}

func currentFollower(ctx context.Context, tx pgx.Tx, id uuid.UUID) (*uuid.UUID, error) {
	var follower *uuid.UUID
	err := tx.QueryRow(ctx, `SELECT follower_id FROM conversations WHERE id = $1`, id).Scan(&follower)
	return follower, err
}
