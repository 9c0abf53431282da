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

// MemberOrder is what a follower asks about one member of a group.
type MemberOrder struct {
	TeamID, GroupID, ActorID uuid.UUID
	MemberID                 uuid.UUID // zero: Phone is a new number
	Phone, Hash              string
	Event                    omniflow.MemberEvent // add, remove or retry
	Decision                 string               // approve or reject: of a join request, instead of an event
}

// OrderMember checks and applies an order in one transaction that holds the
// group, so that of two people who add the last number one is refused
// (D-MEM-2). It returns the member; its run hears of the order.
//
// Refusals: those of omniflow.PermitChangeMembers, not_found, member_not_found,
// group_members_limit, phone_duplicate, member_already_removing,
// member_not_retryable, join_not_requested.
func (s *Store) OrderMember(ctx context.Context, o MemberOrder) (uuid.UUID, error) {
	id := o.MemberID
	err := s.inTeam(ctx, o.TeamID, func(tx pgx.Tx) error {
		g, err := lockGroup(ctx, tx, o.TeamID, o.GroupID)
		if err != nil {
			return err
		}
		if err := permitChange(ctx, tx, g, o.ActorID); err != nil {
			return err
		}
		if o.MemberID == uuid.Nil {
			id, err = addMember(ctx, tx, g, o)
			return err
		}
		m, err := lockMember(ctx, tx, o.TeamID, o.GroupID, o.MemberID)
		if err != nil {
			return err
		}
		switch {
		case o.Decision != "":
			return decideJoin(ctx, tx, m, o.Decision)
		case o.Event == omniflow.MemberRemove:
			return removeMember(ctx, tx, g, m)
		}
		return retryMember(ctx, tx, m)
	})
	var refusal *omniflow.Refusal
	if err != nil && !errors.As(err, &refusal) {
		return uuid.Nil, fmt.Errorf("change member of group %s: %w", o.GroupID, err)
	}
	return id, err
}

// permitChange asks whether the actor may change members of a locked group now.
func permitChange(ctx context.Context, tx pgx.Tx, g groupRow, actorID uuid.UUID) error {
	in, err := situation(ctx, tx, g, actorID)
	if err != nil {
		return err
	}
	if no := omniflow.PermitChangeMembers(in.Role, in.Relation, in.State, in.Group); no != nil {
		return no
	}
	return nil
}

// addMember invites a number: one that is new, or that failed or was removed before.
func addMember(ctx context.Context, tx pgx.Tx, g groupRow, o MemberOrder) (uuid.UUID, error) {
	m, err := memberOfPhone(ctx, tx, g.TeamID, g.ID, o.Phone, time.Now())
	if err != nil {
		return uuid.Nil, err
	}
	if m != nil && m.State.Counted() {
		return uuid.Nil, omniflow.Refuse(omniflow.PhoneDuplicate, "MEM-04", "this number is in the group already: %s", m.State)
	}
	if err := roomForOne(ctx, tx, g.ID); err != nil {
		return uuid.Nil, err
	}
	if m != nil {
		return m.ID, inviteAgain(ctx, tx, *m, omniflow.MemberAdd)
	}
	id := newID()
	_, err = tx.Exec(ctx, `INSERT INTO group_members (id, team_id, group_id, phone, phone_hash, state) VALUES ($1, $2, $3, $4, $5, $6)`,
		id, g.TeamID, g.ID, o.Phone, o.Hash, string(omniflow.MemberInviting))
	if err != nil {
		return uuid.Nil, err
	}
	return id, wakeMember(ctx, tx, g.TeamID, g.ID, id, o.Hash)
}

// roomForOne refuses a ninth number. The group is locked, so nobody adds one
// in between.
func roomForOne(ctx context.Context, tx pgx.Tx, groupID uuid.UUID) error {
	var counted []string
	for _, state := range omniflow.CountedMembers() {
		counted = append(counted, string(state))
	}
	var n int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM group_members WHERE group_id = $1 AND state = ANY ($2)`, groupID, counted).Scan(&n); err != nil {
		return err
	}
	if n >= omniflow.MaxGroupMembers {
		return omniflow.Refuse(omniflow.GroupMembersLimit, "GRP-03", "a group has at most %d numbers", omniflow.MaxGroupMembers)
	}
	return nil
}

// inviteAgain forgets an earlier invitation and starts a new one.
func inviteAgain(ctx context.Context, tx pgx.Tx, m memberRow, e omniflow.MemberEvent) error {
	if _, err := tx.Exec(ctx, `UPDATE group_members SET message_id = NULL WHERE id = $1`, m.ID); err != nil {
		return err
	}
	_, err := setMember(ctx, tx, m, e, "")
	return err
}

// removeMember asks for the removal of a member, or drops one that never came
// to be (D-MEM-1). It interrupts a waiting invitation.
func removeMember(ctx context.Context, tx pgx.Tx, g groupRow, m memberRow) error {
	code := omniflow.Code("")
	switch m.State {
	case omniflow.MemberRemovePending:
		return omniflow.Refuse(omniflow.MemberAlreadyRemoving, "MEM-06", "the removal is under way")
	case omniflow.MemberInviting:
		code = omniflow.Withdrawn
	case omniflow.MemberAddFailed:
		code = omniflow.Withdrawn
	}
	moved, err := setMember(ctx, tx, m, omniflow.MemberRemove, code)
	if err == nil && !moved {
		return omniflow.Refuse(omniflow.MemberNotFound, "MEM-06", "this number is not in the group")
	}
	return err
}

// retryMember tries again what failed: the invitation, or the removal.
func retryMember(ctx context.Context, tx pgx.Tx, m memberRow) error {
	switch m.State {
	case omniflow.MemberAddFailed:
		if err := roomForOne(ctx, tx, m.GroupID); err != nil {
			return err
		}
		return inviteAgain(ctx, tx, m, omniflow.MemberRetry)
	case omniflow.MemberRemoveFailed:
		_, err := setMember(ctx, tx, m, omniflow.MemberRetry, "")
		return err
	}
	return hastenMember(ctx, tx, m)
}

// hastenMember makes what backs off due now. Refusal member_not_retryable:
// nothing failed and nothing backs off.
func hastenMember(ctx context.Context, tx pgx.Tx, m memberRow) error {
	waits := m.NextAt != nil || (m.MessageState != nil && *m.MessageState == string(omniflow.Queued))
	if (m.State != omniflow.MemberInviting && m.State != omniflow.MemberRemovePending) || !waits {
		return omniflow.Refuse(omniflow.MemberNotRetryable, "SYS-09", "there is nothing to retry: the member is %s", m.State)
	}
	if _, err := tx.Exec(ctx, `UPDATE group_members SET next_at = NULL WHERE id = $1`, m.ID); err != nil {
		return err
	}
	if m.MessageID != nil {
		if _, err := tx.Exec(ctx, `UPDATE messages SET due_at = NULL WHERE id = $1 AND state = 'queued'`, *m.MessageID); err != nil {
			return err
		}
	}
	return wakeMember(ctx, tx, m.TeamID, m.GroupID, m.ID, m.PhoneHash)
}

// decideJoin grants or refuses a join request.
func decideJoin(ctx context.Context, tx pgx.Tx, m memberRow, decision string) error {
	if m.State != omniflow.MemberInviting || m.JoinRequestID == "" {
		return omniflow.Refuse(omniflow.JoinNotRequested, "MEM-06", "this number does not ask to join")
	}
	if _, err := tx.Exec(ctx, `UPDATE group_members SET join_decision = $2, tries = 0, next_at = NULL WHERE id = $1`, m.ID, decision); err != nil {
		return err
	}
	return wakeMember(ctx, tx, m.TeamID, m.GroupID, m.ID, m.PhoneHash)
}
