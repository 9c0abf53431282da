package main

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
	"omniflow/internal/simulator"
	"omniflow/workflows"
)

func (h *hall) memberRun(id uuid.UUID, phone string) (workflows.ChangeGroupMemberResult, int) {
	var out workflows.ChangeGroupMemberResult
	n := h.result(h.runOf(id, phone), &out)
	return out, n
}

func (h *hall) runOf(id uuid.UUID, phone string) string {
	return omniflow.ChangeGroupMemberID(h.ID, id, h.keys.Hash(h.ID.String()+"/"+phone))
}

const (
	joiner = "886911000001"
	silent = "886911000002"
	absent = "886911000003"
)

func TestEX001EX002EX012EX029AGroupFromTheRequestToItsMembers(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	h.people(simulator.GroupUser{ID: silent, Behaviour: simulator.RefusesGroup}, simulator.GroupUser{ID: absent, Behaviour: simulator.NotOnWhatsApp})
	id := h.create("Jess的群組", joiner, silent, absent)
	g := h.until(id, "created", created)
	require.Equal(t, []any{omniflow.Handling, h.Member, ""}, []any{g.ConversationState, *g.FollowerID, g.Preview})
	h.until(id, "joined", member(joiner, omniflow.MemberJoined))
	g = h.until(id, "EX-026 not on WhatsApp", member(absent, omniflow.MemberAddFailed))
	require.Equal(t, omniflow.MemberInviting, g.Members[1].State)
	require.Len(t, h.sim.GroupsMarked("Jess的群組"), 1)
	var out workflows.CreateGroupResult
	require.Less(t, h.result(omniflow.CreateGroupID(h.ID, id), &out), 40)
	require.Equal(t, workflows.CreateGroupResult{Outcome: omniflow.GroupCreated}, out)
	joined, events := h.memberRun(id, joiner)
	require.Equal(t, omniflow.MemberJoined, joined.Outcome)
	require.Less(t, events, 40)
	h.record("CreateGroup-created", omniflow.CreateGroupID(h.ID, id))
	h.record("ChangeGroupMember-joined", h.runOf(id, joiner))

	// A removal interrupts the wait; who never was in the group is gone at once.
	h.order(id, silent, postgres.MemberOrder{Event: omniflow.MemberRemove})
	h.until(id, "removed", member(silent, omniflow.MemberRemoved))
	removed, events := h.memberRun(id, silent)
	require.Equal(t, workflows.ChangeGroupMemberResult{Outcome: omniflow.MemberRemoved, Code: omniflow.Withdrawn}, removed)
	require.Less(t, events, 45)
	h.record("ChangeGroupMember-withdrawn", h.runOf(id, silent))

	// Who withdrew comes too late: the join by the old link is undone.
	require.NoError(t, h.sim.Join(g.ProviderID, silent))
	h.until(id, "in the group", member(silent, omniflow.MemberRemovePending))
	h.until(id, "removed", member(silent, omniflow.MemberRemoved))

	// Somebody who is in is removed by the provider.
	h.order(id, joiner, postgres.MemberOrder{Event: omniflow.MemberRemove})
	h.until(id, "removed", member(joiner, omniflow.MemberRemoved))
	require.Empty(t, h.sim.GroupsMarked("Jess的群組")[0].Members)
}

func TestEX003ARefusedGroupIsFailedAndListed(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	h.fault(simulator.NextGroupFault{Operation: simulator.GroupCreate, Code: 131211, Async: true})
	id := h.create("Omnichat HK", joiner)
	g := h.until(id, "failed", func(g postgres.GroupDetail) bool { return g.State == omniflow.GroupFailed })
	require.Equal(t, []any{omniflow.GroupLimitReached, omniflow.Handling}, []any{g.Code, g.ConversationState})
	var out workflows.CreateGroupResult
	h.result(omniflow.CreateGroupID(h.ID, id), &out)
	require.Equal(t, workflows.CreateGroupResult{Outcome: omniflow.GroupFailed, Code: omniflow.GroupLimitReached}, out)
	require.Empty(t, h.sim.GroupsMarked("Omnichat HK"))
	h.record("CreateGroup-failed", omniflow.CreateGroupID(h.ID, id))
}

func TestALostAnswerNeverMakesTwoGroups(t *testing.T) {
	t.Parallel()
	for _, fault := range []simulator.Fault{simulator.LostReset, simulator.Lost500, simulator.Truncated} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			h := newHall(t)
			h.fault(simulator.NextGroupFault{Operation: simulator.GroupCreate, Fault: fault})
			id := h.create("品牌 A 群", joiner)
			h.until(id, "joined", member(joiner, omniflow.MemberJoined))
			require.Len(t, h.sim.GroupsMarked("品牌 A 群"), 1)
			require.Equal(t, 1, h.sim.GroupCalls(h.number)[simulator.GroupCreate])
		})
	}
}

func TestACrashBetweenTheCreateCallAndItsRecordMakesNoSecondCall(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	// The webhooks of this group are lost as well: only the list can tell.
	h.muted.Store(true)
	id := h.create("VIP 2025", joiner)
	h.until(id, "accepted", func(g postgres.GroupDetail) bool { return g.CreateCall == omniflow.CallAccepted })
	h.Exec(`UPDATE groups SET create_call = 'calling', request_id = NULL WHERE id = $1`, id)
	h.Exec(`DELETE FROM group_rendezvous WHERE ours = $1`, id)
	h.Exec(`INSERT INTO outbox_signals (id, team_id, workflow, workflow_id, input, signal) VALUES ($1, $2, 'CreateGroup', $3, '{}', 'changed')`,
		uuid.New(), h.ID, omniflow.CreateGroupID(h.ID, id))
	h.until(id, "found", created)
	h.muted.Store(false)
	require.Len(t, h.sim.GroupsMarked("VIP 2025"), 1)
	require.Equal(t, 1, h.sim.GroupCalls(h.number)[simulator.GroupCreate])
	h.record("CreateGroup-lost", omniflow.CreateGroupID(h.ID, id))
}

func TestDGRP4AReviewThatTakesTooLongMayStillSucceed(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	settings := simulator.DefaultGroups()
	settings.CreateMinMS, settings.CreateMaxMS, settings.LateCreate, settings.ReactMinMS, settings.ReactMaxMS = 6000, 6000, 0, 20, 100
	require.NoError(t, h.sim.SetGroups(settings))
	h.Exec(`UPDATE teams SET group_review_timeout = '2 seconds' WHERE team_id = $1`, h.ID)
	id := h.create("late", joiner)
	g := h.until(id, "timed out", func(g postgres.GroupDetail) bool { return g.State == omniflow.GroupFailed })
	require.Equal(t, omniflow.ReviewTimeout, g.Code)
	h.until(id, "created after all", created)
	h.until(id, "joined", member(joiner, omniflow.MemberJoined))
}

func TestEX025AnInvitationIsSentAgainUntilItIsTaken(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	require.NoError(t, h.sim.SetFaults(simulator.Faults{Channel: simulator.WhatsApp, ExternalID: h.number,
		Next: []simulator.NextFault{{Recipient: joiner, Fault: simulator.Throttle, Times: 2}}}))
	id := h.create("again", joiner)
	h.until(id, "joined", member(joiner, omniflow.MemberJoined))
	g := h.sim.GroupsMarked("again")[0]
	require.Equal(t, []string{joiner}, g.Members)
	require.Equal(t, 1, g.Invitations[joiner])
	require.Len(t, h.show(id).Members, 1)
}

func TestAJoinRequestIsGrantedOrWaitsForSomebody(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	const stranger = "886911000009"
	h.people(simulator.GroupUser{ID: joiner, Behaviour: simulator.Asks})
	id := h.create("approval", joiner)
	g := h.until(id, "an invited number is let in", member(joiner, omniflow.MemberJoined))
	_, err := h.sim.RequestToJoin(g.ProviderID, stranger)
	require.NoError(t, err)
	g = h.until(id, "asks", member(stranger, omniflow.MemberInviting))
	require.Equal(t, omniflow.AsksToJoin, g.Members[1].Code)
	h.order(id, stranger, postgres.MemberOrder{Decision: omniflow.JoinReject})
	g = h.until(id, "rejected", member(stranger, omniflow.MemberAddFailed))
	require.Equal(t, omniflow.JoinRejected, g.Members[1].Code)
	_, err = h.sim.RequestToJoin(g.ProviderID, stranger)
	require.NoError(t, err)
	h.until(id, "asks again", member(stranger, omniflow.MemberInviting))
	h.order(id, stranger, postgres.MemberOrder{Decision: omniflow.JoinApprove})
	h.until(id, "let in", member(stranger, omniflow.MemberJoined))
	require.NoError(t, h.sim.Leave(g.ProviderID, stranger))
	h.until(id, "D-MEM-4 left", member(stranger, omniflow.MemberRemoved))
}

func TestMessagesGoToAGroupAndComeFromIt(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	id := h.create("talk", joiner)
	g := h.until(id, "joined", member(joiner, omniflow.MemberJoined))
	text := func(words string) error {
		_, err := h.store.SendGroupMessage(t.Context(), postgres.NewGroupMessage{ID: uuid.Must(uuid.NewV7()), TeamID: h.ID, GroupID: id, ActorID: h.Member,
			Content: omniflow.Content{Kind: omniflow.Text, Text: words}})
		return err
	}
	require.ErrorContains(t, text("too early"), "window_template_only", "WIN-03: nobody has written yet")
	_, err := h.sim.SendToGroup(simulator.GroupMessage{GroupID: g.ProviderID, User: joiner, Text: "您好"})
	require.NoError(t, err)
	h.until(id, "heard", func(g postgres.GroupDetail) bool { return g.Preview == "您好" })
	require.NoError(t, text("一"))
	require.NoError(t, text("二"))
	var list []postgres.GroupMessage
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-time.After(50 * time.Millisecond) {
		list, err = h.store.GroupMessages(t.Context(), h.ID, id, 10)
		require.NoError(t, err)
		if len(list) == 3 && omniflow.MessageState(list[0].State).Delivered() && omniflow.MessageState(list[1].State).Delivered() {
			break
		}
	}
	require.Len(t, list, 3)
	require.Equal(t, []string{"二", "一", "您好"}, []string{list[0].Text, list[1].Text, list[2].Text}, "in order")
	require.Len(t, h.sim.GroupDeliveries(), 2)
	move := func(e omniflow.Event) {
		require.NoError(t, h.store.MoveGroup(t.Context(), postgres.GroupMove{TeamID: h.ID, GroupID: id, ActorID: h.Member, Event: e, ActionID: uuid.New()}))
	}
	move(omniflow.End)
	_, err = h.sim.SendToGroup(simulator.GroupMessage{GroupID: g.ProviderID, User: joiner, Text: "還在嗎"})
	require.NoError(t, err)
	got := h.until(id, "GRP-22 pending", func(g postgres.GroupDetail) bool { return g.ConversationState == omniflow.PendingHuman })
	require.Nil(t, got.FollowerID)
	move(omniflow.Follow)
	move(omniflow.End)
	// EX-020: with a collaborator it goes back to its follower.
	other := uuid.New()
	h.Exec(`INSERT INTO members (id, team_id, name, role) VALUES ($1, $2, 'Amy', 'supervisor')`, other, h.ID)
	h.Exec(`INSERT INTO collaborators (conversation_id, member_id, team_id, position) VALUES ($1, $2, $3, 1)`, id, other, h.ID)
	_, err = h.sim.SendToGroup(simulator.GroupMessage{GroupID: g.ProviderID, User: joiner, Text: "哈囉"})
	require.NoError(t, err)
	got = h.until(id, "EX-020 handling", func(g postgres.GroupDetail) bool { return g.ConversationState == omniflow.Handling })
	require.Equal(t, h.Member, *got.FollowerID)
}

func TestAGroupIsChangedAtItsProvider(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	id := h.create("before", joiner)
	g := h.until(id, "joined", member(joiner, omniflow.MemberJoined))
	change := func(kind, name string) {
		c := postgres.NewGroupChange{ID: uuid.Must(uuid.NewV7()), TeamID: h.ID, GroupID: id, ActorID: h.Member, Kind: kind, Name: name}
		_, err := h.store.CreateGroupChange(t.Context(), c)
		require.NoError(t, err)
		h.until(id, kind, func(g postgres.GroupDetail) bool {
			return g.Changes[0].ID == c.ID && g.Changes[0].State == omniflow.ChangeDone
		})
		var out workflows.ChangeGroupResult
		h.result(omniflow.ChangeGroupID(h.ID, c.ID), &out)
		require.Equal(t, omniflow.ChangeDone, out.Outcome)
		h.record("ChangeGroup-"+kind, omniflow.ChangeGroupID(h.ID, c.ID))
	}
	change(omniflow.ChangeSettings, "after")
	require.Equal(t, "after", h.sim.Groups()[0].Subject)
	require.Equal(t, "after", h.show(id).Name)
	change(omniflow.ChangeResetLink, "")
	require.NotEqual(t, g.InviteLink, h.show(id).InviteLink)
	require.Equal(t, h.sim.Groups()[0].InviteLink, h.show(id).InviteLink)
	require.NoError(t, h.sim.Suspend(g.ProviderID, true))
	h.until(id, "suspended", func(g postgres.GroupDetail) bool { return g.SuspendedAt != nil })
	require.NoError(t, h.sim.Suspend(g.ProviderID, false))
	h.until(id, "restored", func(g postgres.GroupDetail) bool { return g.SuspendedAt == nil })
	change(omniflow.ChangeDelete, "")
	got := h.show(id)
	require.NotNil(t, got.DeletedAt)
	require.Equal(t, omniflow.Closed, got.ConversationState)
	require.True(t, h.sim.Groups()[0].Deleted)
}
