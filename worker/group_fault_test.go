package main

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
	"omniflow/internal/simulator"
	"omniflow/workflows"
)

// heard makes a group with one member who has written: its window is open.
func (h *hall) heard(name string) (uuid.UUID, postgres.GroupDetail) {
	h.t.Helper()
	id := h.create(name, joiner)
	g := h.until(id, "joined", member(joiner, omniflow.MemberJoined))
	_, err := h.sim.SendToGroup(simulator.GroupMessage{GroupID: g.ProviderID, User: joiner, Text: "您好"})
	require.NoError(h.t, err)
	return id, h.until(id, "heard", func(g postgres.GroupDetail) bool { return g.Preview == "您好" })
}

// say sends a text to a group as the API does.
func (h *hall) say(id uuid.UUID, text string) uuid.UUID {
	h.t.Helper()
	m := postgres.NewGroupMessage{ID: uuid.Must(uuid.NewV7()), TeamID: h.ID, GroupID: id, ActorID: h.Member,
		Content: omniflow.Content{Kind: omniflow.Text, Text: text}}
	_, err := h.store.SendGroupMessage(h.t.Context(), m)
	require.NoError(h.t, err)
	return m.ID
}

// outcomeOf waits until a message has left or failed, and gives its state and
// code.
func (h *hall) outcomeOf(id uuid.UUID) (omniflow.MessageState, omniflow.Code) {
	h.t.Helper()
	var st omniflow.MessageStatus
	h.until(uuid.Nil, "settled", func(postgres.GroupDetail) (done bool) {
		var err error
		st, err = h.store.MessageStatus(h.t.Context(), omniflow.MessageRef{TeamID: h.ID, MessageID: id})
		require.NoError(h.t, err)
		return st.State.Settled()
	})
	return st.State, st.Code
}

// fails waits until a message has failed with the code.
func (h *hall) fails(id uuid.UUID, code omniflow.Code) {
	h.t.Helper()
	state, why := h.outcomeOf(id)
	require.Equal(h.t, []any{omniflow.Failed, code}, []any{state, why})
}

// ends ends a group's conversation as its follower, and waits for its run.
func (h *hall) ends(id uuid.UUID) {
	h.t.Helper()
	require.NoError(h.t, h.store.MoveGroup(h.t.Context(), postgres.GroupMove{TeamID: h.ID, GroupID: id, ActorID: h.Member, Event: omniflow.End, ActionID: uuid.New()}))
	var out workflows.ServeConversationResult
	h.result(omniflow.ServeConversationID(h.ID, id), &out)
	require.Equal(h.t, omniflow.OutcomeClosed, out.Outcome)
}

// conversationOf is the search attribute of a run.
func (h *hall) conversationOf(workflowID string) string {
	h.t.Helper()
	described, err := h.engine.DescribeWorkflowExecution(h.t.Context(), workflowID, "")
	require.NoError(h.t, err)
	var out string
	payload := described.GetWorkflowExecutionInfo().GetSearchAttributes().GetIndexedFields()["ConversationId"]
	require.NotNil(h.t, payload, workflowID)
	require.NoError(h.t, converter.GetDefaultDataConverter().FromPayload(payload, &out))
	return out
}

func TestANumberThatMayHaveNoGroupsStillTalksOneToOne(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	id, _ := h.heard("not eligible")
	settings := simulator.DefaultGroups()
	settings.NotEligible = true
	require.NoError(t, h.sim.SetGroups(settings))
	message := h.say(id, "一")
	h.fails(message, omniflow.GroupNotEligible)
	require.Equal(t, omniflow.GroupNotEligible, h.show(id).SendCode)
	account, err := h.store.LoadAccount(t.Context(), h.ID, h.account)
	require.NoError(t, err)
	require.Equal(t, "active", account.State, "the account's other traffic goes on")
	require.Equal(t, id.String(), h.conversationOf(omniflow.ServeConversationID(h.ID, id)))
	require.Equal(t, id.String(), h.conversationOf(omniflow.CreateGroupID(h.ID, id)))
	require.Equal(t, id.String(), h.conversationOf(h.runOf(id, joiner)))
}

// The provider takes the invitation, but its answer never comes: the call times
// out, the webhooks tell, and the person is invited once.
func TestEX025AnInvitationWhoseCallTimesOut(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	require.NoError(t, h.sim.SetFaults(simulator.Faults{Channel: simulator.WhatsApp, ExternalID: h.number, HangSeconds: 25,
		Next: []simulator.NextFault{{Recipient: joiner, Fault: simulator.Throttle}, {Recipient: joiner, Fault: simulator.LostHang}}}))
	id := h.create("hangs", joiner)
	h.until(id, "joined", member(joiner, omniflow.MemberJoined))
	run, _ := h.memberRun(id, joiner) // ends when the call has timed out
	require.Equal(t, workflows.ChangeGroupMemberResult{Outcome: omniflow.MemberJoined}, run)
	require.Len(t, h.show(id).Members, 1)
	truth := h.sim.GroupsMarked("hangs")[0]
	require.Equal(t, []string{joiner}, truth.Members)
	require.Equal(t, 1, truth.Invitations[joiner], "never twice")
	var tries int
	h.Scan(&tries, `SELECT m.attempt FROM messages m JOIN group_members g ON g.message_id = m.id WHERE g.group_id = $1`, id)
	require.Equal(t, 2, tries, "one throttled, one timed out, none after it")
}

// EX-026: nobody tells us of a refusal, but a revoked request does; either way
// it has failed with its reason, is not tried again, and is dropped without a
// call. The history of who stays silent is short.
func TestEX026WhoRefusesHasFailed(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	h.Exec(`UPDATE teams SET invitation_timeout = '4 seconds', approve_invited = false WHERE team_id = $1`, h.ID)
	h.people(simulator.GroupUser{ID: joiner, Behaviour: simulator.AsksAndGoes, StayMS: 300}, simulator.GroupUser{ID: silent, Behaviour: simulator.RefusesGroup})
	id := h.create("refusals", joiner, silent)
	h.until(id, "revoked", member(joiner, omniflow.MemberAddFailed))
	g := h.until(id, "expired", member(silent, omniflow.MemberAddFailed))
	require.Equal(t, []omniflow.Code{omniflow.JoinRevoked, omniflow.InviteExpired}, []omniflow.Code{g.Members[0].Code, g.Members[1].Code})
	run, events := h.memberRun(id, silent)
	require.Equal(t, workflows.ChangeGroupMemberResult{Outcome: omniflow.MemberAddFailed, Code: omniflow.InviteExpired}, run)
	require.Less(t, events, 40, "of a member who is invited and stays silent")
	truth := h.sim.GroupsMarked("refusals")[0]
	require.Equal(t, map[string]int{joiner: 1, silent: 1}, truth.Invitations, "no retry")
	for _, phone := range []string{joiner, silent} {
		h.order(id, phone, postgres.MemberOrder{Event: omniflow.MemberRemove})
		h.until(id, "dropped", member(phone, omniflow.MemberRemoved))
	}
	require.Zero(t, h.sim.GroupCalls(h.number)[simulator.GroupRemove], "D-MEM-1: no call")
}
