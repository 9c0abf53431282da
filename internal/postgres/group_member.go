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

// memberRow is a row of group_members with its invitation.
type memberRow struct {
	ID, TeamID, GroupID         uuid.UUID
	Phone, PhoneHash            string
	State                       omniflow.GroupMemberState
	Code                        omniflow.Code
	Since                       time.Time
	Tries                       int
	NextAt, DeadlineAt          *time.Time
	Called                      bool
	RequestID                   *string
	MessageID                   *uuid.UUID
	MessageState, MessageCode   *string
	MessageDueAt                *time.Time
	JoinRequestID, JoinDecision string
	NewestEvent                 bool
}

const memberSelect = `
SELECT gm.id, gm.team_id, gm.group_id, gm.phone, gm.phone_hash, gm.state, gm.code, gm.since, gm.tries, gm.next_at, gm.deadline_at, gm.called,
  gm.request_id, gm.message_id, m.state::text AS message_state, m.code AS message_code, m.due_at AS message_due_at, gm.join_request_id,
  gm.join_decision, gm.event_at <= $3 AS newest_event
FROM group_members gm LEFT JOIN messages m ON m.id = gm.message_id `

// member is r as the rules see it.
func (r memberRow) member() omniflow.GroupMember {
	m := omniflow.GroupMember{ID: r.ID, TeamID: r.TeamID, GroupID: r.GroupID, Phone: r.Phone, State: r.State, Code: r.Code, Tries: r.Tries,
		Since: r.Since, NextAt: orZero(r.NextAt), Deadline: orZero(r.DeadlineAt), Called: r.Called,
		MessageDueAt: orZero(r.MessageDueAt), JoinRequestID: r.JoinRequestID, JoinDecision: r.JoinDecision}
	if r.MessageID != nil {
		m.MessageID = *r.MessageID
	}
	if r.MessageState != nil {
		m.Message = omniflow.MessageState(*r.MessageState)
	}
	if r.MessageCode != nil {
		m.MessageCode = omniflow.Code(*r.MessageCode)
	}
	return m
}

// lockMember reads one member and keeps others from changing it.
func lockMember(ctx context.Context, tx pgx.Tx, teamID, groupID, id uuid.UUID) (memberRow, error) {
	rows, _ := tx.Query(ctx, memberSelect+`WHERE gm.team_id = $1 AND gm.id = $2 AND gm.group_id = $4 FOR UPDATE OF gm`, teamID, id, time.Now(), groupID)
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[memberRow])
	if errors.Is(err, pgx.ErrNoRows) {
		return r, omniflow.Refuse(omniflow.MemberNotFound, "MEM-06", "the group has no such member")
	}
	return r, err
}

// memberOfPhone locks the member with a number, or returns nil.
func memberOfPhone(ctx context.Context, tx pgx.Tx, teamID, groupID uuid.UUID, phone string, at time.Time) (*memberRow, error) {
	rows, _ := tx.Query(ctx, memberSelect+`WHERE gm.team_id = $1 AND gm.phone = $2 AND gm.group_id = $4 FOR UPDATE OF gm`, teamID, phone, at, groupID)
	found, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[memberRow])
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// LoadGroupMember loads a member for a run. Refusal member_not_found.
func (s *Store) LoadGroupMember(ctx context.Context, ref omniflow.MemberRef) (omniflow.GroupMember, error) {
	rows, _ := s.pool.Query(ctx, memberSelect+`WHERE gm.team_id = $1 AND gm.id = $2`, ref.TeamID, ref.MemberID, time.Now())
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[memberRow])
	if errors.Is(err, pgx.ErrNoRows) {
		return omniflow.GroupMember{}, omniflow.Refuse(omniflow.MemberNotFound, "MEM-06", "the group has no such member")
	}
	if err != nil {
		return omniflow.GroupMember{}, fmt.Errorf("load member %s: %w", ref.MemberID, err)
	}
	return r.member(), nil
}

// setMember moves a locked member as moveMember does, for somebody else than
// its run, which hears of it where it waits or has work to do.
func setMember(ctx context.Context, tx pgx.Tx, m memberRow, e omniflow.MemberEvent, code omniflow.Code) (bool, error) {
	moved, err := moveMember(ctx, tx, m, e, code)
	next, _ := omniflow.NextMemberState(m.State, e)
	if err != nil || !moved || !hasRun(m.State) && !hasRun(next) {
		return moved, err
	}
	return true, wakeMember(ctx, tx, m.TeamID, m.GroupID, m.ID, m.PhoneHash)
}

// hasRun says whether a member in state s has something to wait for.
func hasRun(s omniflow.GroupMemberState) bool {
	return s == omniflow.MemberInviting || s == omniflow.MemberRemovePending
}

// moveMember moves a locked member along the table of section 11; a pair that
// the table does not name leaves it alone (false).
func moveMember(ctx context.Context, tx pgx.Tx, m memberRow, e omniflow.MemberEvent, code omniflow.Code) (bool, error) {
	next, ok := omniflow.NextMemberState(m.State, e)
	if !ok {
		return false, nil
	}
	_, err := tx.Exec(ctx, `
		UPDATE group_members SET state = $2, code = $3, since = now(), tries = 0, next_at = NULL, deadline_at = NULL, called = false,
		  request_id = NULL, join_request_id = '', join_decision = '' WHERE id = $1`, m.ID, string(next), string(code))
	if err != nil {
		return false, fmt.Errorf("move member %s: %w", m.ID, err)
	}
	if next == omniflow.MemberRemoved {
		return true, settleReceipts(ctx, tx, m)
	}
	return true, nil
}

// applyMember applies an event about one person in a locked group. An event
// older than one that was heard says nothing.
func applyMember(ctx context.Context, tx pgx.Tx, g groupRow, e omniflow.GroupEvent) error {
	m, err := memberOfPhone(ctx, tx, g.TeamID, g.ID, storable(e.User), e.At)
	if err != nil {
		return err
	}
	if m == nil {
		return addStranger(ctx, tx, g, e)
	}
	if !m.NewestEvent && e.Type != omniflow.OnRemoveFailed {
		return nil
	}
	if _, err := tx.Exec(ctx, `UPDATE group_members SET event_at = GREATEST(event_at, $2) WHERE id = $1`, m.ID, e.At); err != nil {
		return err
	}
	switch e.Type {
	case omniflow.OnMemberJoined:
		_, err = setMember(ctx, tx, *m, omniflow.JoinEvent(m.State, m.Code), "")
	case omniflow.OnMemberLeft:
		_, err = setMember(ctx, tx, *m, omniflow.MemberLeaves, omniflow.MemberLeft)
	case omniflow.OnMemberRemoved:
		_, err = setMember(ctx, tx, *m, omniflow.MemberIsRemoved, omniflow.RemovedByUs)
	case omniflow.OnRemoveFailed:
		_, err = setMember(ctx, tx, *m, omniflow.MemberRemoveFaults, orElse(e.Code, omniflow.ProviderRejected))
	case omniflow.OnJoinRequested:
		err = noteJoinRequest(ctx, tx, g, *m, e)
	case omniflow.OnJoinRevoked:
		if m.JoinRequestID == e.JoinRequestID {
			_, err = setMember(ctx, tx, *m, omniflow.MemberRefuses, omniflow.JoinRevoked)
		}
	}
	return err
}

func orElse(code, other omniflow.Code) omniflow.Code {
	if code == "" {
		return other
	}
	return code
}

// noteJoinRequest keeps the request of somebody who was invited; where the
// team says so it is granted. A request after the invitation ran out counts.
func noteJoinRequest(ctx context.Context, tx pgx.Tx, g groupRow, m memberRow, e omniflow.GroupEvent) error {
	decision := ""
	if g.ApproveInvited && m.State == omniflow.MemberInviting && m.Code != omniflow.AsksToJoin {
		decision = omniflow.JoinApprove
	}
	if m.State == omniflow.MemberAddFailed || m.State == omniflow.MemberRemoved {
		if m.State == omniflow.MemberAddFailed && m.Code == omniflow.InviteExpired && g.ApproveInvited {
			decision = omniflow.JoinApprove
		}
		_, err := tx.Exec(ctx, `UPDATE group_members SET state = 'inviting', code = $2, since = now() WHERE id = $1`, m.ID, string(omniflow.AsksToJoin))
		if err != nil {
			return err
		}
	} else if m.State != omniflow.MemberInviting {
		return nil
	}
	_, err := tx.Exec(ctx, `
		UPDATE group_members SET join_request_id = $2, join_decision = $3, tries = 0, next_at = NULL, deadline_at = now() + $4::interval WHERE id = $1`,
		m.ID, storable(e.JoinRequestID), decision, g.InvitationTimeout)
	if err != nil {
		return fmt.Errorf("note join request: %w", err)
	}
	return wakeMember(ctx, tx, m.TeamID, m.GroupID, m.ID, m.PhoneHash)
}

// addStranger adds a number that nobody added: somebody who got the link of
// another.
func addStranger(ctx context.Context, tx pgx.Tx, g groupRow, e omniflow.GroupEvent) error {
	state, code, request := omniflow.MemberJoined, omniflow.JoinedByLink, ""
	deadline := time.Time{}
	switch e.Type {
	case omniflow.OnMemberJoined:
	case omniflow.OnJoinRequested:
		state, code, request = omniflow.MemberInviting, omniflow.AsksToJoin, storable(e.JoinRequestID)
		deadline = time.Now().Add(g.InvitationTimeout)
	default:
		return nil
	}
	if e.User == "" || e.UserHash == "" {
		return nil
	}
	id := newID()
	_, err := tx.Exec(ctx, `
		INSERT INTO group_members (id, team_id, group_id, phone, phone_hash, state, code, join_request_id, deadline_at, event_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		id, g.TeamID, g.ID, storable(e.User), e.UserHash, string(state), string(code), request, orNull(deadline), e.At)
	if err != nil || state == omniflow.MemberJoined {
		return err
	}
	return wakeMember(ctx, tx, g.TeamID, g.ID, id, e.UserHash)
}
