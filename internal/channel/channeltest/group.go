package channeltest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
	"omniflow/internal/simulator"
)

// inviteTemplate invites to a group; its one parameter is the group's id.
const inviteTemplate = "group_invite_link"

// groupKit is a Harness whose provider has groups, which come to be at once.
type groupKit struct {
	*Harness
	groups  channel.Groups // makes every call once
	patient channel.Groups // repeats what is provably safe
	seen    []channel.Event
}

// RunGroups runs the suite of channel.Groups. Each test makes a fresh Harness.
func RunGroups(t *testing.T, fresh func(*testing.T) *Harness) {
	tests := []struct {
		name string
		run  func(*testing.T, *groupKit)
	}{
		{"creates a group and hears of it", createsGroup},
		{"lists groups page by page", listsGroups},
		{"reads how a creation failed", failedCreation},
		{"loses the answer to a creation and finds the one group", lostCreation},
		{"finds a group of which it hears nothing", silentCreation},
		{"repeats reads and nothing else", repeatsReads},
		{"hears early and twice", earlyAndTwice},
		{"reads every code of a refusal", groupRefusals},
		{"reads a throttle answer of groups", groupThrottle},
		{"refuses what the provider would refuse of a group", refusesGroupInput},
		{"calls nothing without token or time", groupWithoutCall},
		{"knows when a group is not there", missingGroup},
		{"invites by template", invites},
		{"resets the link", resetsLink},
		{"has eight members at most", eightMembers},
		{"lets people in one by one", decidesRequests},
		{"removes members for good", removesMembers},
		{"hears of who leaves and who takes a request back", hearsOfLeaving},
		{"changes name and description", changesSettings},
		{"deletes a group once", deletesGroup},
		{"sends to every member", sendsToMembers},
		{"reads why a group takes no message", groupTakesNothing},
		{"never repeats a message to a group", lostGroupMessage},
		{"reads what members write", membersWrite},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, newGroupKit(t, fresh(t)))
		})
	}
}

func newGroupKit(t *testing.T, h *Harness) *groupKit {
	t.Helper()
	k := &groupKit{Harness: h}
	var ok, patientOK bool
	k.groups, ok = h.Provider.(channel.Groups)
	k.patient, patientOK = h.Patient.(channel.Groups)
	require.True(t, ok && patientOK, "the provider has no groups")
	k.settings(t, func(*simulator.GroupSettings) {})
	require.NoError(t, h.Sim.AddTemplates(simulator.Template{ExternalID: h.Account.ExternalID, Name: inviteTemplate, Language: "en", BodyParams: 1}))
	return k
}

// settings makes everything prompt, and then what change says.
func (k *groupKit) settings(t *testing.T, change func(*simulator.GroupSettings)) {
	t.Helper()
	s := simulator.DefaultGroups()
	s.CreateMinMS, s.CreateMaxMS, s.LateCreate, s.ChangeMinMS, s.ChangeMaxMS, s.ReactMinMS, s.ReactMaxMS = 0, 20, 0, 0, 20, 0, 20
	change(&s)
	require.NoError(t, k.Sim.SetGroups(s))
}

// faults are the fates of the next group calls.
func (k *groupKit) faults(t *testing.T, next ...simulator.NextGroupFault) {
	t.Helper()
	require.NoError(t, k.Sim.SetGroupFaults(simulator.GroupFaults{Next: next}))
}

func (k *groupKit) calls(op simulator.GroupOperation) int { return k.Sim.GroupCalls("")[op] }

// marker is a description by which one group is found.
func marker() string { return "for friends of the house\nref:" + uuid.NewString() }

// created makes a group and waits until it is there.
func (k *groupKit) created(t *testing.T, spec channel.GroupSpec) channel.GroupEvent {
	t.Helper()
	receipt, err := k.groups.CreateGroup(within(t, patience), k.Account, spec)
	require.NoError(t, err)
	require.NotEmpty(t, receipt.RequestID)
	require.NotEmpty(t, receipt.Trace)
	e := k.heard(t, channel.GroupCreated)
	require.Equal(t, receipt.RequestID, e.RequestID)
	return e
}

// filled is a group with n members, who are customers 1 to n.
func (k *groupKit) filled(t *testing.T, n int) string {
	t.Helper()
	id := k.created(t, channel.GroupSpec{Subject: "VIP", Description: marker()}).GroupID
	for i := 1; i <= n; i++ {
		require.NoError(t, k.Sim.Join(id, k.Recipient(i)))
		require.Equal(t, k.Recipient(i), k.heard(t, channel.GroupMemberJoined).User)
	}
	return id
}

// next waits for the next event that fits, and leaves the others for later.
func (k *groupKit) next(t *testing.T, fits func(channel.Event) bool) channel.Event {
	t.Helper()
	for {
		if i := slices.IndexFunc(k.seen, fits); i >= 0 {
			e := k.seen[i]
			k.seen = slices.Delete(k.seen, i, i+1)
			return e
		}
		k.seen = append(k.seen, k.events(t, func(all []channel.Event) bool { return len(all) > 0 })...)
	}
}

// heard waits for the next group event of a kind.
func (k *groupKit) heard(t *testing.T, kind channel.GroupEventType) channel.GroupEvent {
	t.Helper()
	e := k.next(t, func(e channel.Event) bool { return e.Kind == channel.EventGroup && e.Group.Type == kind })
	require.Equal(t, e.GroupID, e.Group.GroupID)
	require.WithinDuration(t, time.Now(), e.At, patience)
	if e.Group.Fault != nil {
		require.Equal(t, e.Group.Fault.Reason, e.Group.Reason)
		require.NotEqual(t, channel.Ambiguous, e.Group.Fault.Fault)
	}
	return *e.Group
}

// truth is the one group with an id, as the provider has it.
func (k *groupKit) truth(t *testing.T, id string) simulator.GroupTruth {
	t.Helper()
	for _, g := range k.Sim.Groups() {
		if g.ID == id {
			return g
		}
	}
	require.Fail(t, "no such group")
	return simulator.GroupTruth{}
}

// refused asserts that err is the provider's error and keeps secrets.
func (k *groupKit) refused(t *testing.T, err error, fault channel.Fault, reason omniflow.Code) *channel.Error {
	t.Helper()
	var e *channel.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, fault, e.Fault, "%v", err)
	require.Equal(t, reason, e.Reason, "%v", err)
	for _, secret := range []string{token, appSecret, k.Recipient(1), "VIP"} {
		require.NotContains(t, err.Error(), secret)
	}
	return e
}

func createsGroup(t *testing.T, k *groupKit) {
	for _, approval := range []bool{false, true} {
		mark := marker()
		e := k.created(t, channel.GroupSpec{Subject: " 好友 VIP & Co. ", Description: mark, ApprovalRequired: approval})
		require.Equal(t, "好友 VIP & Co.", e.Subject)
		require.NotEmpty(t, e.GroupID)
		truth := k.Sim.GroupsMarked(mark)
		require.Len(t, truth, 1)
		require.Equal(t, truth[0].ID, e.GroupID)
		require.Equal(t, truth[0].InviteLink, e.InviteLink)
		require.Equal(t, approval, truth[0].Approval)

		link, err := k.groups.InviteLink(within(t, patience), k.Account, e.GroupID, false)
		require.NoError(t, err)
		require.Equal(t, e.InviteLink, link)
		require.NoError(t, k.Sim.Join(e.GroupID, k.Recipient(1)))
		g, err := k.groups.ReadGroup(within(t, patience), k.Account, e.GroupID)
		require.NoError(t, err)
		require.Equal(t, e.GroupID, g.ID)
		require.Equal(t, "好友 VIP & Co.", g.Subject)
		require.Equal(t, mark, g.Description)
		require.False(t, g.Suspended)
		require.WithinDuration(t, truth[0].CreatedAt, g.CreatedAt, time.Second)
		want := []string{k.Recipient(1)}
		if approval {
			want = nil
		}
		require.Equal(t, want, g.Members)
	}
}

func listsGroups(t *testing.T, k *groupKit) {
	none, next, err := k.groups.ListGroups(within(t, patience), k.Account, "")
	require.NoError(t, err)
	require.Empty(t, none)
	require.Empty(t, next)

	const n = 205
	ctx, errs := within(t, patience), make([]error, n)
	together(n, func(i int) {
		_, errs[i] = k.patient.CreateGroup(ctx, k.Account, channel.GroupSpec{Subject: fmt.Sprintf("group %d", i)})
	})
	for i := range n {
		require.NoError(t, errs[i])
		k.heard(t, channel.GroupCreated)
	}
	var ids []string
	pages, after := 0, ""
	for {
		groups, next, err := k.groups.ListGroups(within(t, patience), k.Account, after)
		require.NoError(t, err)
		for _, g := range groups {
			require.NotEmpty(t, g.Subject)
			require.WithinDuration(t, time.Now(), g.CreatedAt, patience)
			ids = append(ids, g.ID)
		}
		pages++
		if after = next; after == "" {
			break
		}
	}
	var want []string
	for _, g := range slices.Backward(k.Sim.Groups()) {
		want = append(want, g.ID)
	}
	require.Equal(t, want, ids)
	require.Greater(t, pages, 1)

	_, _, err = k.groups.ListGroups(within(t, patience), k.Account, "stale")
	k.refused(t, err, channel.Rejected, omniflow.GroupListCursorExpired)
}

func failedCreation(t *testing.T, k *groupKit) {
	for code, reason := range map[int]omniflow.Code{131214: omniflow.GroupCreationDisabled, 131000: omniflow.ProviderRejected} {
		k.faults(t, simulator.NextGroupFault{Operation: simulator.GroupCreate, Code: code, Async: true})
		receipt, err := k.groups.CreateGroup(within(t, patience), k.Account, channel.GroupSpec{Subject: "VIP", Description: "d"})
		require.NoError(t, err)
		e := k.heard(t, channel.GroupCreateFailed)
		require.Equal(t, receipt.RequestID, e.RequestID)
		require.Equal(t, "VIP", e.Subject)
		require.Equal(t, reason, e.Reason)
		require.Equal(t, channel.Rejected, e.Fault.Fault)
	}
	require.Empty(t, k.Sim.Groups())
}

// lostCreation: one group, Ambiguous, no second call; and the group is found
// by what its description ends with.
func lostCreation(t *testing.T, k *groupKit) {
	for i, l := range lost {
		mark := marker()
		k.Next(t, l.fault)
		_, err := k.patient.CreateGroup(within(t, l.wait), k.Account, channel.GroupSpec{Subject: "VIP", Description: mark})
		e := k.refused(t, err, channel.Ambiguous, omniflow.OutcomeUnknown)
		if l.code != "" {
			require.Equal(t, l.code, e.Code)
		}
		require.Equal(t, i+1, k.calls(simulator.GroupCreate))
		told := k.heard(t, channel.GroupCreated)

		truth := k.Sim.GroupsMarked(mark)
		require.Len(t, truth, 1, string(l.fault))
		require.Equal(t, string(l.fault), truth[0].Response)
		require.Equal(t, truth[0].ID, told.GroupID)
		require.Equal(t, truth[0].ID, k.find(t, mark))
	}
	require.Len(t, k.Sim.Groups(), len(lost))
}

// silentCreation: the webhook never comes, and the group is there all the same.
func silentCreation(t *testing.T, k *groupKit) {
	require.NoError(t, k.Sim.SetWebhooks(simulator.Webhooks{Drop: 1, BatchMax: 1}))
	mark := marker()
	_, err := k.groups.CreateGroup(within(t, patience), k.Account, channel.GroupSpec{Subject: "VIP", Description: mark})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(k.Sim.GroupsMarked(mark)) == 1 }, patience, time.Millisecond)
	require.Equal(t, k.Sim.GroupsMarked(mark)[0].ID, k.find(t, mark))
	require.Empty(t, k.hooks)
}

// find looks for a group by its description, as a caller has to.
func (k *groupKit) find(t *testing.T, mark string) string {
	t.Helper()
	groups, _, err := k.groups.ListGroups(within(t, patience), k.Account, "")
	require.NoError(t, err)
	for _, listed := range groups {
		require.Empty(t, listed.Description)
		g, err := k.groups.ReadGroup(within(t, patience), k.Account, listed.ID)
		require.NoError(t, err)
		if g.Description == mark {
			return g.ID
		}
	}
	require.Fail(t, "the group is not found")
	return ""
}
