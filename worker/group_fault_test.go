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
	_, err := h.store.CreateGroupMessage(h.t.Context(), m)
	require.NoError(h.t, err)
	return m.ID
}

// sent waits until a message's run is over.
func (h *hall) sent(id uuid.UUID) workflows.SendMessageResult {
	h.t.Helper()
	var out workflows.SendMessageResult
	h.until(uuid.Nil, "started", func(postgres.GroupDetail) bool {
		var there bool
		h.Scan(&there, `SELECT EXISTS (SELECT FROM outbox WHERE workflow_id = $1 AND started_at IS NOT NULL)`, omniflow.SendMessageID(h.ID, id))
		return there
	})
	h.result(omniflow.SendMessageID(h.ID, id), &out)
	return out
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
	require.Equal(t, workflows.SendMessageResult{Outcome: omniflow.Failed, Code: omniflow.GroupNotEligible}, h.sent(message))
	require.Equal(t, omniflow.GroupNotEligible, h.show(id).SendCode)
	account, err := h.store.LoadAccount(t.Context(), h.ID, h.account)
	require.NoError(t, err)
	require.Equal(t, "active", account.State, "the account's other traffic goes on")
	require.Equal(t, id.String(), h.conversationOf(omniflow.SendMessageID(h.ID, message)))
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
