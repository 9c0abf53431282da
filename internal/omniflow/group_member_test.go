package omniflow

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestMemberStates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		from   GroupMemberState
		event  MemberEvent
		to     GroupMemberState
		change bool
	}{
		{"MEM-06 a new number", "", MemberAdd, MemberInviting, true},
		{"EX-025 it joins", MemberInviting, MemberAccepts, MemberJoined, true},
		{"EX-026 it refuses", MemberInviting, MemberRefuses, MemberAddFailed, true},
		{"EX-026 what failed is dropped", MemberAddFailed, MemberRemove, MemberRemoved, true},
		{"EX-029 the follower removes", MemberInviting, MemberRemove, MemberRemovePending, true},
		{"a member is removed", MemberJoined, MemberRemove, MemberRemovePending, true},
		{"Meta says so", MemberRemovePending, MemberIsRemoved, MemberRemoved, true},
		{"Meta cannot", MemberRemovePending, MemberRemoveFaults, MemberRemoveFailed, true},
		{"again", MemberRemoveFailed, MemberRemove, MemberRemovePending, true},
		{"D-MEM-3 late acceptance", MemberAddFailed, MemberAccepts, MemberJoined, true},
		{"D-MEM-3 late success of a removal", MemberRemoveFailed, MemberIsRemoved, MemberRemoved, true},
		{"D-MEM-4 leaves", MemberJoined, MemberLeaves, MemberRemoved, true},
		{"the same number again", MemberRemoved, MemberAdd, MemberInviting, true},
		{"a removal under way", MemberRemovePending, MemberRemove, MemberRemovePending, false},
		{"a refusal after the join", MemberJoined, MemberRefuses, MemberJoined, false},
		{"a join while a removal runs", MemberRemovePending, MemberAccepts, MemberRemovePending, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			to, change := NextMemberState(c.from, c.event)
			require.Equal(t, []any{c.to, c.change}, []any{to, change})
		})
	}
	require.Equal(t, MemberStrayJoin, JoinEvent(MemberRemoved, Withdrawn))
	require.Equal(t, MemberTurnsUp, JoinEvent(MemberRemoved, MemberLeft))
}

func TestStepsOfAMember(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 14, 2, 0, 0, time.UTC)
	message, soon, later := uuid.New(), now.Add(time.Minute), now.Add(7*24*time.Hour)
	for _, c := range []struct {
		name  string
		m     GroupMember
		step  MemberStep
		until time.Time
	}{
		{"not invited yet", GroupMember{State: MemberInviting}, StepInvite, time.Time{}},
		{"backs off", GroupMember{State: MemberInviting, MessageID: message, Message: Queued, MessageDueAt: soon, Deadline: later}, StepWait, soon},
		{"due again", GroupMember{State: MemberInviting, MessageID: message, Message: Queued, Deadline: later}, StepInvite, time.Time{}},
		{"a claim that somebody left", GroupMember{State: MemberInviting, MessageID: message, Message: Sending, Deadline: later}, StepInvite, time.Time{}},
		{"outcome unknown", GroupMember{State: MemberInviting, MessageID: message, Message: Unknown, MessageDueAt: soon, Deadline: later}, StepWait, soon},
		{"to be decided", GroupMember{State: MemberInviting, MessageID: message, Message: Unknown, MessageDueAt: now, Deadline: later}, StepReconcile, time.Time{}},
		{"not deliverable", GroupMember{State: MemberInviting, MessageID: message, Message: Failed, Deadline: later}, StepFail, time.Time{}},
		{"waits for the join", GroupMember{State: MemberInviting, MessageID: message, Message: Read, Deadline: later}, StepWait, later},
		{"D-MEM-3 the time is over", GroupMember{State: MemberInviting, MessageID: message, Message: Read, Deadline: now}, StepExpire, time.Time{}},
		{"asks, nobody has decided", GroupMember{State: MemberInviting, JoinRequestID: "r", Deadline: later}, StepWait, later},
		{"asks, and is let in", GroupMember{State: MemberInviting, JoinRequestID: "r", JoinDecision: JoinApprove, Deadline: later}, StepDecide, time.Time{}},
		{"EX-029 a removal", GroupMember{State: MemberRemovePending}, StepRemove, time.Time{}},
		{"waits for Meta", GroupMember{State: MemberRemovePending, Called: true, Deadline: later}, StepWait, later},
		{"Meta is silent", GroupMember{State: MemberRemovePending, Called: true, Deadline: now}, StepExpire, time.Time{}},
		{"in", GroupMember{State: MemberJoined}, StepEnd, time.Time{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			step, until := c.m.Next(now)
			require.Equal(t, []any{c.step, c.until}, []any{step, until})
		})
	}
}

func TestMovesOfACollaboration(t *testing.T) {
	t.Parallel()
	with := func(change func(*GroupSituation)) GroupSituation {
		in := GroupSituation{State: Handling, Group: Group{State: GroupCreated}, Role: CSAgent, Relation: Relation{Follower: true}, Collaborators: true,
			ReceiverRole: CSAgent, ReceiverActive: true}
		change(&in)
		return in
	}
	for _, c := range []struct {
		name  string
		in    GroupSituation
		event Event
		want  Code
	}{
		{"COL-23 to a collaborator", with(func(in *GroupSituation) { in.ReceiverCollaborates = true }), Transfer, ""},
		{"COL-23 to somebody else", with(func(*GroupSituation) {}), Transfer, ReceiverNotCollaborator},
		{"COL-28 by the follower", with(func(*GroupSituation) {}), End, ""},
		{"COL-28 by a collaborator", with(func(in *GroupSituation) { in.Relation = Relation{Collaborator: true} }), End, CollaboratorCannotClose},
		{"COL-20 by a collaborating manager", with(func(in *GroupSituation) { in.Role, in.Relation = CSManager, Relation{Collaborator: true} }), Follow, ""},
		{"COL-20 by a manager from outside", with(func(in *GroupSituation) { in.Role, in.Relation = CSManager, Relation{} }), Follow, NotCollaborator},
		{"COL-34 by a collaborator", with(func(in *GroupSituation) { in.State, in.Relation = Closed, Relation{Collaborator: true} }), Reopen, ""},
		{"COL-34 by an agent from outside", with(func(in *GroupSituation) { in.State, in.Relation = Closed, Relation{} }), Reopen, PermissionDenied},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			step, no := MoveGroup(c.in, c.event)
			require.Equal(t, c.want, code(no))
			if c.event == Reopen && no == nil {
				require.Equal(t, FollowerRemembered, step.Follower)
			}
		})
	}
}
