package channeltest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
	"omniflow/internal/simulator"
)

// people says how customers take invitations.
func (k *groupKit) people(t *testing.T, users ...simulator.GroupUser) {
	t.Helper()
	require.NoError(t, k.Sim.AddGroupUsers(simulator.GroupUsers{ExternalID: k.Account.ExternalID, Users: users}))
}

// invite sends customer n the invitation.
func (k *groupKit) invite(t *testing.T, n int, groupID string) channel.Message {
	t.Helper()
	m := k.Message(n, "")
	m.Contents = []omniflow.Content{{Kind: omniflow.TemplateKind,
		Template: &omniflow.Template{Name: inviteTemplate, Language: "en", GroupID: groupID}}}
	_, err := k.Provider.Send(within(t, patience), k.Account, m)
	require.NoError(t, err)
	return m
}

func invites(t *testing.T, k *groupKit) {
	k.people(t, simulator.GroupUser{ID: k.Recipient(2), Behaviour: simulator.IgnoresGroup},
		simulator.GroupUser{ID: k.Recipient(3), Behaviour: simulator.NotOnWhatsApp},
		simulator.GroupUser{ID: k.Recipient(4), Behaviour: simulator.Asks},
		simulator.GroupUser{ID: k.Recipient(5), Behaviour: simulator.JoinsAndGoes})
	id := k.filled(t, 0)
	for n := 1; n <= 5; n++ {
		m := k.invite(t, n, id)
		switch n {
		case 1:
			require.Equal(t, m.Recipient, k.heard(t, channel.GroupMemberJoined).User)
		case 3:
			failed := k.next(t, func(e channel.Event) bool { return e.State == omniflow.Failed })
			require.Equal(t, m.Key, failed.Key)
			require.Empty(t, failed.GroupID)
			require.Equal(t, omniflow.Unreachable, failed.Fault.Reason)
		case 4:
			e := k.heard(t, channel.GroupJoinRequested)
			require.Equal(t, m.Recipient, e.User)
			require.NotEmpty(t, e.JoinRequestID)
		case 5:
			require.Equal(t, m.Recipient, k.heard(t, channel.GroupMemberJoined).User)
			require.Equal(t, m.Recipient, k.heard(t, channel.GroupMemberLeft).User)
		}
	}
	g := k.truth(t, id)
	require.Equal(t, []string{k.Recipient(1)}, g.Members)
	require.Equal(t, []string{k.Recipient(5)}, g.Left)
	require.Equal(t, map[string]int{k.Recipient(1): 1, k.Recipient(2): 1, k.Recipient(4): 1, k.Recipient(5): 1}, g.Invitations)
}

func resetsLink(t *testing.T, k *groupKit) {
	id := k.filled(t, 0)
	old := k.truth(t, id).InviteLink
	link, err := k.groups.InviteLink(within(t, patience), k.Account, id, true)
	require.NoError(t, err)
	require.NotEqual(t, old, link)
	require.Equal(t, k.truth(t, id).InviteLink, link)
	require.Error(t, k.Sim.FollowLink(id, k.Recipient(1), old))
	require.NoError(t, k.Sim.FollowLink(id, k.Recipient(1), link))
	require.Equal(t, k.Recipient(1), k.heard(t, channel.GroupMemberJoined).User)
}

func eightMembers(t *testing.T, k *groupKit) {
	id := k.filled(t, 8)
	require.Error(t, k.Sim.Join(id, k.Recipient(9)))
	g, err := k.groups.ReadGroup(within(t, patience), k.Account, id)
	require.NoError(t, err)
	require.Len(t, g.Members, 8)
}

// decidesRequests: some are let in, one cannot be, one is unknown; the rest is
// rejected, of which no webhook tells.
func decidesRequests(t *testing.T, k *groupKit) {
	k.people(t, simulator.GroupUser{ID: k.Recipient(3), TermsOutdated: true})
	id := k.created(t, channel.GroupSpec{Subject: "VIP", ApprovalRequired: true}).GroupID
	requests := map[string]string{} // by person
	for n := 1; n <= 4; n++ {
		require.NoError(t, k.Sim.Join(id, k.Recipient(n)))
		e := k.heard(t, channel.GroupJoinRequested)
		requests[e.User] = e.JoinRequestID
	}
	listed, err := k.groups.JoinRequests(within(t, patience), k.Account, id)
	require.NoError(t, err)
	require.Len(t, listed, 4)
	for _, r := range listed {
		require.Equal(t, requests[r.User], r.ID)
	}
	ask := func(n int) string { return requests[k.Recipient(n)] }
	failed, err := k.groups.DecideJoinRequests(within(t, patience), k.Account, id, []string{ask(1), ask(2), ask(3), "jr-gone"}, true)
	require.NoError(t, err)
	require.Len(t, failed, 2)
	require.Equal(t, omniflow.GroupTermsOutdated, failed[ask(3)].Reason)
	require.Equal(t, channel.Rejected, failed[ask(3)].Fault)
	require.Equal(t, omniflow.GroupJoinRequestGone, failed["jr-gone"].Reason)
	k.heard(t, channel.GroupMemberJoined)
	k.heard(t, channel.GroupMemberJoined)
	require.ElementsMatch(t, []string{k.Recipient(1), k.Recipient(2)}, k.truth(t, id).Members)

	failed, err = k.groups.DecideJoinRequests(within(t, patience), k.Account, id, []string{ask(4), ask(3), ask(4)}, false)
	require.NoError(t, err)
	require.Empty(t, failed)
	require.Empty(t, k.truth(t, id).JoinRequests)
	_, err = k.groups.DecideJoinRequests(within(t, patience), k.Account, id, []string{ask(4)}, false)
	k.refused(t, err, channel.Rejected, omniflow.GroupJoinRequestGone)
}

func removesMembers(t *testing.T, k *groupKit) {
	k.people(t, simulator.GroupUser{ID: k.Recipient(2), RemoveCode: 131005})
	id := k.filled(t, 2)
	_, err := k.groups.RemoveMember(within(t, patience), k.Account, id, k.Recipient(1))
	require.NoError(t, err)
	require.Equal(t, k.Recipient(1), k.heard(t, channel.GroupMemberRemoved).User)
	require.Error(t, k.Sim.Join(id, k.Recipient(1)), "who was removed never comes back")

	_, err = k.groups.RemoveMember(within(t, patience), k.Account, id, k.Recipient(1))
	require.NoError(t, err, "who is no member is removed")
	_, err = k.groups.RemoveMember(within(t, patience), k.Account, id, k.Recipient(2))
	require.NoError(t, err)
	e := k.heard(t, channel.GroupRemoveFailed)
	require.Equal(t, k.Recipient(2), e.User)
	require.Equal(t, "131005", e.Fault.Code)
	require.NotEmpty(t, e.RequestID)
	g := k.truth(t, id)
	require.Equal(t, []string{k.Recipient(1)}, g.Removed)
	require.Equal(t, []string{k.Recipient(2)}, g.Members)
}

func hearsOfLeaving(t *testing.T, k *groupKit) {
	id := k.filled(t, 1)
	require.NoError(t, k.Sim.Leave(id, k.Recipient(1)))
	e := k.heard(t, channel.GroupMemberLeft)
	require.Equal(t, k.Recipient(1), e.User)
	require.Empty(t, e.RequestID)
	require.NoError(t, k.Sim.Join(id, k.Recipient(1)), "who left may come back")
	k.heard(t, channel.GroupMemberJoined)

	request, err := k.Sim.RequestToJoin(id, k.Recipient(2))
	require.NoError(t, err)
	require.Equal(t, request, k.heard(t, channel.GroupJoinRequested).JoinRequestID)
	require.NoError(t, k.Sim.RevokeRequest(id, k.Recipient(2)))
	revoked := k.heard(t, channel.GroupJoinRevoked)
	require.Equal(t, request, revoked.JoinRequestID)
	require.Equal(t, k.Recipient(2), revoked.User)
}

func changesSettings(t *testing.T, k *groupKit) {
	id := k.filled(t, 0)
	old := k.truth(t, id).Description
	_, err := k.groups.UpdateGroup(within(t, patience), k.Account, id, "新名", "")
	require.NoError(t, err)
	e := k.heard(t, channel.GroupSettingsUpdated)
	require.Equal(t, "新名", e.Subject)
	require.Equal(t, old, k.truth(t, id).Description)

	k.faults(t, simulator.NextGroupFault{Operation: simulator.GroupUpdate, Code: 131009, Async: true, Item: "subject"})
	_, err = k.groups.UpdateGroup(within(t, patience), k.Account, id, "never", "new")
	require.NoError(t, err)
	require.Equal(t, "new", k.heard(t, channel.GroupSettingsUpdated).Description)
	failed := k.heard(t, channel.GroupSettingsFailed)
	require.Equal(t, "never", failed.Subject)
	require.Equal(t, "131009", failed.Fault.Code)
	g := k.truth(t, id)
	require.Equal(t, "新名", g.Subject)
	require.Equal(t, "new", g.Description)
}

func deletesGroup(t *testing.T, k *groupKit) {
	id := k.filled(t, 0)
	k.faults(t, simulator.NextGroupFault{Operation: simulator.GroupDelete, Code: 131000, Async: true})
	for _, want := range []channel.GroupEventType{channel.GroupDeleteFailed, channel.GroupDeleted} {
		_, err := k.groups.DeleteGroup(within(t, patience), k.Account, id)
		require.NoError(t, err)
		e := k.heard(t, want)
		require.Equal(t, id, e.GroupID)
		require.NotEmpty(t, e.RequestID)
		require.Equal(t, want == channel.GroupDeleteFailed, e.Fault != nil)
	}
	require.True(t, k.truth(t, id).Deleted)
	receipt, err := k.groups.DeleteGroup(within(t, patience), k.Account, id)
	require.NoError(t, err)
	require.Empty(t, receipt.RequestID, "nothing will be told of it")
}
