package channeltest

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
	"omniflow/internal/simulator"
)

// groupChange is a call that changes something, by its operation.
type groupChange struct {
	op simulator.GroupOperation
	do func(ctx context.Context, g channel.Groups, a channel.Account, id string) error
}

// groupChanges are all calls of channel.Groups on one group but reads. A
// removal is of customer 1.
func (k *groupKit) groupChanges() []groupChange {
	member := k.Recipient(1)
	return []groupChange{
		{simulator.GroupUpdate, func(ctx context.Context, g channel.Groups, a channel.Account, id string) error {
			_, err := g.UpdateGroup(ctx, a, id, "New", "")
			return err
		}},
		{simulator.GroupResetLink, func(ctx context.Context, g channel.Groups, a channel.Account, id string) error {
			_, err := g.InviteLink(ctx, a, id, true)
			return err
		}},
		{simulator.GroupApprove, func(ctx context.Context, g channel.Groups, a channel.Account, id string) error {
			_, err := g.DecideJoinRequests(ctx, a, id, []string{"jr1"}, true)
			return err
		}},
		{simulator.GroupReject, func(ctx context.Context, g channel.Groups, a channel.Account, id string) error {
			_, err := g.DecideJoinRequests(ctx, a, id, []string{"jr1"}, false)
			return err
		}},
		{simulator.GroupRemove, func(ctx context.Context, g channel.Groups, a channel.Account, id string) error {
			_, err := g.RemoveMember(ctx, a, id, member)
			return err
		}},
		{simulator.GroupDelete, func(ctx context.Context, g channel.Groups, a channel.Account, id string) error {
			_, err := g.DeleteGroup(ctx, a, id)
			return err
		}},
	}
}

// groupReads are the calls that change nothing.
func groupReads() []groupChange {
	return []groupChange{
		{simulator.GroupList, func(ctx context.Context, g channel.Groups, a channel.Account, _ string) error {
			_, _, err := g.ListGroups(ctx, a, "")
			return err
		}},
		{simulator.GroupRead, func(ctx context.Context, g channel.Groups, a channel.Account, id string) error {
			_, err := g.ReadGroup(ctx, a, id)
			return err
		}},
		{simulator.GroupInviteLink, func(ctx context.Context, g channel.Groups, a channel.Account, id string) error {
			_, err := g.InviteLink(ctx, a, id, false)
			return err
		}},
		{simulator.GroupJoinRequests, func(ctx context.Context, g channel.Groups, a channel.Account, id string) error {
			_, err := g.JoinRequests(ctx, a, id)
			return err
		}},
	}
}

// repeatsReads: a read is made again until it is answered; when it never is, it
// is Unavailable, because reading again does no harm. A change is made once.
func repeatsReads(t *testing.T, k *groupKit) {
	id := k.filled(t, 1)
	for _, r := range groupReads() {
		for _, fault := range []simulator.Fault{simulator.Unavailable, simulator.LostReset, simulator.Refuse} {
			k.faults(t, simulator.NextGroupFault{Operation: r.op, Fault: fault})
			before := k.calls(r.op)
			require.NoError(t, r.do(within(t, patience), k.patient, k.Account, id), "%s %s", r.op, fault)
			require.Equal(t, before+2, k.calls(r.op), "%s %s", r.op, fault)
		}
		for _, fault := range []simulator.Fault{simulator.Unavailable, simulator.Truncated} {
			k.faults(t, simulator.NextGroupFault{Operation: r.op, Fault: fault})
			k.refused(t, r.do(within(t, patience), k.groups, k.Account, id), channel.Unavailable, omniflow.ProviderDown)
		}
	}
	for _, c := range k.groupChanges() {
		for _, fault := range []simulator.Fault{simulator.Unavailable, simulator.Refuse} {
			k.faults(t, simulator.NextGroupFault{Operation: c.op, Fault: fault})
			before := k.calls(c.op)
			k.refused(t, c.do(within(t, patience), k.patient, k.Account, id), channel.Ambiguous, omniflow.OutcomeUnknown)
			require.Equal(t, before+1, k.calls(c.op), "%s %s", c.op, fault)
		}
	}
	require.Len(t, k.Sim.Groups(), 1)
}

// earlyAndTwice: the result may be told before the call is answered, and twice.
func earlyAndTwice(t *testing.T, k *groupKit) {
	require.NoError(t, k.Sim.SetWebhooks(simulator.Webhooks{Delivered: 1, BatchMax: 100, BeforeResponse: 1, Retry: true}))
	receipt, err := k.groups.CreateGroup(within(t, patience), k.Account, channel.GroupSpec{Subject: "VIP"})
	require.NoError(t, err)
	require.Len(t, k.hooks, 1, "the webhook came before the answer")
	e := k.heard(t, channel.GroupCreated)
	require.Equal(t, receipt.RequestID, e.RequestID)

	require.NoError(t, k.Sim.SetWebhooks(simulator.Webhooks{Delivered: 1, BatchMax: 100, Duplicate: 1, Retry: true}))
	require.NoError(t, k.Sim.Join(e.GroupID, k.Recipient(1)))
	require.Equal(t, k.heard(t, channel.GroupMemberJoined), k.heard(t, channel.GroupMemberJoined))
	require.Equal(t, []string{k.Recipient(1)}, k.truth(t, e.GroupID).Members)
}

// groupRefusals are the codes of a group call, by what they mean.
func groupRefusals(t *testing.T, k *groupKit) {
	id := k.filled(t, 1)
	for code, want := range map[int]struct {
		fault  channel.Fault
		reason omniflow.Code
	}{
		131211: {channel.Rejected, omniflow.GroupLimitReached},
		131214: {channel.Rejected, omniflow.GroupCreationDisabled},
		131215: {channel.Rejected, omniflow.GroupNotEligible},
		131208: {channel.Throttled, omniflow.ProviderThrottled},
		100:    {channel.Rejected, omniflow.ProviderRejected},
		190:    {channel.Misconfigured, omniflow.AccountStopped},
		131016: {channel.Ambiguous, omniflow.OutcomeUnknown},
	} {
		k.faults(t, simulator.NextGroupFault{Operation: "*", Code: code, Times: 2})
		_, err := k.patient.CreateGroup(within(t, patience), k.Account, channel.GroupSpec{Subject: "VIP"})
		k.refused(t, err, want.fault, want.reason)
		_, err = k.patient.UpdateGroup(within(t, patience), k.Account, id, "VIP", "")
		k.refused(t, err, want.fault, want.reason)
	}
	require.Len(t, k.Sim.Groups(), 1)
}

func groupThrottle(t *testing.T, k *groupKit) {
	k.settings(t, func(s *simulator.GroupSettings) { s.OperationsPerMinute = 3 })
	for range 3 {
		_, err := k.patient.CreateGroup(within(t, patience), k.Account, channel.GroupSpec{Subject: "VIP"})
		require.NoError(t, err)
	}
	_, err := k.patient.CreateGroup(within(t, patience), k.Account, channel.GroupSpec{Subject: "VIP"})
	e := k.refused(t, err, channel.Throttled, omniflow.ProviderThrottled)
	require.Equal(t, channel.ScopeMessage, e.Scope, "messages are not slowed by it")
	require.Positive(t, e.RetryAfter)
	require.Equal(t, 4, k.calls(simulator.GroupCreate))
}

func refusesGroupInput(t *testing.T, k *groupKit) {
	ctx, long := within(t, patience), strings.Repeat("好", 43)
	create := func(g channel.GroupSpec) error {
		_, err := k.groups.CreateGroup(ctx, k.Account, g)
		return err
	}
	update := func(id, subject, description string) error {
		_, err := k.groups.UpdateGroup(ctx, k.Account, id, subject, description)
		return err
	}
	_, remove := k.groups.RemoveMember(ctx, k.Account, "g", "nobody")
	_, decide := k.groups.DecideJoinRequests(ctx, k.Account, "g", nil, true)
	_, read := k.groups.ReadGroup(ctx, k.Account, "")
	_, dots := k.groups.ReadGroup(ctx, k.Account, "..")
	send := k.Message(1, "hi")
	send.Recipient = ""
	_, nowhere := k.groups.SendToGroup(ctx, k.Account, send)
	for name, test := range map[string]struct {
		err    error
		reason omniflow.Code
	}{
		"no name":            {create(channel.GroupSpec{Subject: " \n"}), omniflow.GroupNameRequired},
		"a long name":        {create(channel.GroupSpec{Subject: long}), omniflow.GroupNameTooLong},
		"a long description": {create(channel.GroupSpec{Subject: "s", Description: strings.Repeat("d", 2049)}), omniflow.GroupDescriptionTooLong},
		"not UTF-8":          {create(channel.GroupSpec{Subject: "\xff"}), omniflow.InvalidInput},
		"nothing to change":  {update("g", " ", ""), omniflow.InvalidInput},
		"a long new name":    {update("g", long, ""), omniflow.GroupNameTooLong},
		"no group":           {update("", "s", ""), omniflow.InvalidInput},
		"no number":          {remove, omniflow.PhoneInvalid},
		"no request":         {decide, omniflow.InvalidInput},
		"no group to read":   {read, omniflow.InvalidInput},
		"a path":             {dots, omniflow.InvalidInput},
		"no group to write":  {nowhere, omniflow.InvalidInput},
	} {
		var e *channel.Error
		require.ErrorAs(t, test.err, &e, name)
		require.Equal(t, channel.Rejected, e.Fault, name)
		require.Equal(t, test.reason, e.Reason, name)
	}
	require.Empty(t, k.Sim.GroupCalls(""))
}

func groupWithoutCall(t *testing.T, k *groupKit) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	bare, foreign := k.Account, k.Account
	bare.Secrets.Token, foreign.Secrets.Token = "", "EAAanotherToken"
	for _, c := range append(k.groupChanges(), groupReads()...) {
		k.refused(t, c.do(over, k.patient, k.Account, "g"), channel.Unavailable, omniflow.ProviderDown)
		k.refused(t, c.do(within(t, patience), k.patient, bare, "g"), channel.Misconfigured, omniflow.AccountStopped)
	}
	_, err := k.patient.CreateGroup(within(t, patience), foreign, channel.GroupSpec{Subject: "VIP"})
	k.refused(t, err, channel.Misconfigured, omniflow.AccountStopped)
	require.Empty(t, k.Sim.GroupCalls(""))
}

// missingGroup: a deleted group and an id that never was one are NotFound, but
// to delete what is not there is done.
func missingGroup(t *testing.T, k *groupKit) {
	id := k.filled(t, 0)
	_, err := k.groups.DeleteGroup(within(t, patience), k.Account, id)
	require.NoError(t, err)
	k.heard(t, channel.GroupDeleted)
	for _, c := range append(k.groupChanges(), groupReads()...) {
		err := c.do(within(t, patience), k.groups, k.Account, id)
		switch c.op {
		case simulator.GroupDelete, simulator.GroupList:
			require.NoError(t, err)
			continue
		}
		require.Equal(t, "131041", k.refused(t, err, channel.Rejected, omniflow.NotFound).Code)
		if c.op != simulator.GroupList {
			e := k.refused(t, c.do(within(t, patience), k.groups, k.Account, "nosuchthing"), channel.Rejected, omniflow.NotFound)
			require.Equal(t, channel.ScopeMessage, e.Scope)
		}
	}
}
