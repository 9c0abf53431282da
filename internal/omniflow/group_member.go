package omniflow

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// GroupMemberState is the state of one number in a WhatsApp group (MEM-06).
type GroupMemberState string

// The states of a member.
const (
	MemberInviting      GroupMemberState = "inviting"       // 邀請中
	MemberJoined        GroupMemberState = "joined"         // no mark
	MemberAddFailed     GroupMemberState = "add_failed"     // 新增失敗
	MemberRemovePending GroupMemberState = "remove_pending" // 等待移除
	MemberRemoved       GroupMemberState = "removed"        // not shown
	MemberRemoveFailed  GroupMemberState = "remove_failed"  // 移除失敗
)

// MemberEvent is what changes the state of a member.
type MemberEvent string

// The events of the table of section 11.
const (
	MemberAdd          MemberEvent = "add"
	MemberRetry        MemberEvent = "retry"
	MemberAccepts      MemberEvent = "joined"         // webhook
	MemberRefuses      MemberEvent = "refused"        // refusal, error, timeout: with the reason
	MemberRemove       MemberEvent = "remove"         // the follower's
	MemberIsRemoved    MemberEvent = "removed"        // webhook, or looked up
	MemberRemoveFaults MemberEvent = "remove_failed"  // error or timeout: with the reason
	MemberLeaves       MemberEvent = "left"           // webhook
	MemberTurnsUp      MemberEvent = "joined_anyhow"  // a join that nobody waits for
	MemberStrayJoin    MemberEvent = "joined_removed" // after we withdrew the invitation
)

// memberSteps is the table of section 11, with D-MEM-1 and the late webhooks
// of D-MEM-3.
var memberSteps = map[GroupMemberState]map[MemberEvent]GroupMemberState{
	"":                  {MemberAdd: MemberInviting, MemberAccepts: MemberJoined},
	MemberInviting:      {MemberAccepts: MemberJoined, MemberRefuses: MemberAddFailed, MemberRemove: MemberRemovePending},
	MemberJoined:        {MemberRemove: MemberRemovePending, MemberLeaves: MemberRemoved, MemberIsRemoved: MemberRemoved},
	MemberAddFailed:     {MemberAdd: MemberInviting, MemberRetry: MemberInviting, MemberRemove: MemberRemoved, MemberAccepts: MemberJoined},
	MemberRemovePending: {MemberIsRemoved: MemberRemoved, MemberLeaves: MemberRemoved, MemberRemoveFaults: MemberRemoveFailed},
	MemberRemoveFailed: {MemberRemove: MemberRemovePending, MemberRetry: MemberRemovePending, MemberIsRemoved: MemberRemoved,
		MemberLeaves: MemberRemoved},
	MemberRemoved: {MemberAdd: MemberInviting, MemberTurnsUp: MemberJoined, MemberStrayJoin: MemberRemovePending},
}

// NextMemberState gives the state of a member after an event, and whether the
// table names the pair; "" is nobody.
func NextMemberState(s GroupMemberState, e MemberEvent) (GroupMemberState, bool) {
	next, ok := memberSteps[s][e]
	if !ok {
		return s, false
	}
	return next, true
}

// JoinEvent is which event a join is for a member in state s with code. Who
// was removed before joining was not wanted: the join is undone. Who left may
// come back by the link.
func JoinEvent(s GroupMemberState, code Code) MemberEvent {
	switch {
	case s != MemberRemoved:
		return MemberAccepts
	case code == Withdrawn:
		return MemberStrayJoin
	}
	return MemberTurnsUp
}

// countedMembers are the states that count toward the limit of 8 (D-MEM-2).
var countedMembers = []GroupMemberState{MemberInviting, MemberJoined, MemberRemovePending, MemberRemoveFailed}

// CountedMembers lists the states that count toward the limit, and in which a
// number cannot be added again (phone_duplicate).
func CountedMembers() []GroupMemberState { return slices.Clone(countedMembers) }

// Counted says whether a member in state s counts toward the limit of 8.
func (s GroupMemberState) Counted() bool { return slices.Contains(countedMembers, s) }

// PermitChangeMembers says whether a member with role, who is r to the group's
// conversation in state s, may add, remove, retry, approve or reject (MEM-02,
// MEM-03, D-MEM-5): permission_denied, group_view_not_allowed, not_follower,
// group_not_approved.
func PermitChangeMembers(role Role, r Relation, s ConversationState, g Group) *Refusal {
	if GrantOf(ChangeWhatsAppGroupMembers, role) == Refused {
		return Permit(ChangeWhatsAppGroupMembers, role, r)
	}
	if no := g.Usable(); no != nil {
		return no
	}
	if s != Handling && s != Closed {
		return Refuse(GroupViewNotAllowed, "MEM-03", "members are changed in my handling and my closed only; the group is %s", s)
	}
	return Permit(ChangeWhatsAppGroupMembers, role, Relation{Follower: r.Follower})
}

// MemberStep is what a run does next for one member.
type MemberStep string

// The steps.
const (
	StepInvite    MemberStep = "invite"    // hand the invitation over, or over again
	StepReconcile MemberStep = "reconcile" // its outcome was never learned
	StepDecide    MemberStep = "decide"    // let a join request in, or not
	StepRemove    MemberStep = "remove"
	StepExpire    MemberStep = "expire" // the time is over
	StepFail      MemberStep = "fail"   // the invitation will never be delivered
	StepWait      MemberStep = "wait"
	StepEnd       MemberStep = "end"
)

// GroupMember is one number of a group as the steps see it.
type GroupMember struct {
	ID, TeamID, GroupID uuid.UUID
	Phone               string // digits
	State               GroupMemberState
	Code                Code
	Tries               int // calls of the present attempt that count (SYS-05)
	Since               time.Time
	NextAt              time.Time // a call that backs off is due then
	Deadline            time.Time // the wait for a webhook ends; zero: none runs yet
	Called              bool      // the removal was handed over

	MessageID    uuid.UUID    // the invitation's ledger row; zero: not written yet
	Message      MessageState // of that row
	MessageCode  Code
	MessageDueAt time.Time

	JoinRequestID string // "": no request is open
	JoinDecision  string // approve, reject, or "" while nobody has decided
}

// The decisions about a join request.
const (
	JoinApprove = "approve"
	JoinReject  = "reject"
)

// Next says what to do for m at now, and until when to wait if there is
// nothing to do (zero: for ever, or there is nothing to wait for).
func (m GroupMember) Next(now time.Time) (MemberStep, time.Time) {
	switch m.State {
	case MemberInviting:
		return m.nextInvite(now)
	case MemberRemovePending:
		switch {
		case !m.Called && m.NextAt.After(now):
			return StepWait, m.NextAt
		case !m.Called:
			return StepRemove, time.Time{}
		case !m.Deadline.After(now):
			return StepExpire, time.Time{}
		}
		return StepWait, m.Deadline
	}
	return StepEnd, time.Time{}
}

func (m GroupMember) nextInvite(now time.Time) (MemberStep, time.Time) {
	if m.JoinRequestID != "" && m.JoinDecision != "" {
		if m.NextAt.After(now) {
			return StepWait, m.NextAt
		}
		return StepDecide, time.Time{}
	}
	if !m.Deadline.IsZero() && !m.Deadline.After(now) {
		return StepExpire, time.Time{}
	}
	if m.JoinRequestID != "" {
		return StepWait, m.Deadline // somebody decides
	}
	if m.MessageID == uuid.Nil {
		return StepInvite, time.Time{}
	}
	switch m.Message {
	case Failed, Skipped, Cancelled:
		return StepFail, time.Time{}
	case Queued, Sending:
		if m.MessageDueAt.After(now) {
			return StepWait, earliest(m.MessageDueAt, m.Deadline)
		}
		return StepInvite, time.Time{}
	case Unknown:
		if m.MessageDueAt.After(now) {
			return StepWait, earliest(m.MessageDueAt, m.Deadline)
		}
		return StepReconcile, time.Time{}
	}
	return StepWait, m.Deadline
}

func earliest(a, b time.Time) time.Time {
	if b.IsZero() || a.Before(b) {
		return a
	}
	return b
}
