package channeltest

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
	"omniflow/internal/simulator"
)

// toGroup is a text for a group.
func (k *groupKit) toGroup(groupID, text string) channel.Message {
	m := k.Message(0, text)
	m.Recipient = groupID
	return m
}

// write lets customer n write in a group.
func (k *groupKit) write(t *testing.T, groupID string, n int, text string) string {
	t.Helper()
	id, err := k.Sim.SendToGroup(simulator.GroupMessage{GroupID: groupID, User: k.Recipient(n), Text: text})
	require.NoError(t, err)
	return id
}

// sendsToMembers: one call, one delivery a member; one sent for all, then one
// delivered and one read of each.
func sendsToMembers(t *testing.T, k *groupKit) {
	id := k.filled(t, 3)
	k.write(t, id, 1, "hello?")
	for _, split := range []float64{0, 1} {
		k.settings(t, func(s *simulator.GroupSettings) { s.Split = split })
		m := k.toGroup(id, "to all of you 🎉")
		receipt, err := k.groups.SendToGroup(within(t, patience), k.Account, m)
		require.NoError(t, err)
		require.NotEmpty(t, receipt.ProviderID)
		var got []string
		for _, d := range k.Sim.GroupDeliveries() {
			if d.Key == m.Key.String() {
				require.Equal(t, simulator.TextSHA256("to all of you 🎉"), d.ContentSHA256)
				require.Equal(t, receipt.ProviderID, d.ProviderID)
				got = append(got, d.Member)
			}
		}
		require.Equal(t, k.truth(t, id).Members, got)
		k.expectGroupStatuses(t, m, receipt, id, got)
	}
}

func (k *groupKit) expectGroupStatuses(t *testing.T, m channel.Message, receipt channel.Receipt, id string, members []string) {
	t.Helper()
	told := map[omniflow.Evidence][]string{}
	for range 1 + 2*len(members) {
		e := k.next(t, func(e channel.Event) bool { return e.Kind == channel.EventStatus && e.Key == m.Key })
		require.Equal(t, receipt.ProviderID, e.ProviderID)
		require.Equal(t, id, e.GroupID)
		require.Nil(t, e.Fault)
		told[e.State] = append(told[e.State], e.Recipient)
	}
	require.Equal(t, []string{""}, told[omniflow.Sent])
	require.ElementsMatch(t, members, told[omniflow.Received])
	require.ElementsMatch(t, members, told[omniflow.Read])
}

// groupTakesNothing: what a group refuses at once, and what it fails later.
func groupTakesNothing(t *testing.T, k *groupKit) {
	id := k.filled(t, 0)
	send := func() error {
		_, err := k.groups.SendToGroup(within(t, patience), k.Account, k.toGroup(id, "hi"))
		return err
	}
	e := k.refused(t, send(), channel.Rejected, omniflow.GroupEmpty)
	require.Equal(t, channel.ScopeMessage, e.Scope)

	require.NoError(t, k.Sim.Join(id, k.Recipient(1)))
	require.NoError(t, send())
	failed := k.next(t, func(e channel.Event) bool { return e.State == omniflow.Failed })
	require.Equal(t, id, failed.GroupID)
	require.Empty(t, failed.Recipient)
	require.Equal(t, omniflow.WindowClosed, failed.Fault.Reason, "nobody has written yet")

	k.write(t, id, 1, "hello?")
	k.faults(t, simulator.NextGroupFault{Operation: simulator.GroupSend, Code: 131051})
	k.refused(t, send(), channel.Rejected, omniflow.ContentUnsupported)

	require.NoError(t, k.Sim.Suspend(id, true))
	require.Equal(t, id, k.heard(t, channel.GroupSuspended).GroupID)
	k.refused(t, send(), channel.Rejected, omniflow.GroupSuspended)
	g, err := k.groups.ReadGroup(within(t, patience), k.Account, id)
	require.NoError(t, err)
	require.True(t, g.Suspended)
	require.NoError(t, k.Sim.Suspend(id, false))
	require.Equal(t, id, k.heard(t, channel.GroupRestored).GroupID)
	require.NoError(t, send())
	require.Len(t, k.Sim.GroupDeliveries(), 1)

	k.settings(t, func(s *simulator.GroupSettings) { s.NotEligible = true })
	k.refused(t, send(), channel.Rejected, omniflow.GroupNotEligible)
}

// lostGroupMessage: taken once, Ambiguous, never sent again.
func lostGroupMessage(t *testing.T, k *groupKit) {
	id := k.filled(t, 1)
	k.write(t, id, 1, "hello?")
	for i, l := range lost {
		k.Next(t, l.fault)
		m := k.toGroup(id, "once")
		_, err := k.patient.SendToGroup(within(t, l.wait), k.Account, m)
		k.refused(t, err, channel.Ambiguous, omniflow.OutcomeUnknown)
		require.Len(t, k.Sim.GroupDeliveries(), i+1)
		sent := k.next(t, func(e channel.Event) bool { return e.State == omniflow.Sent && e.Key == m.Key })
		require.Equal(t, id, sent.GroupID)
	}
}

func membersWrite(t *testing.T, k *groupKit) {
	id := k.filled(t, 2)
	for n := 1; n <= 2; n++ {
		for _, text := range texts {
			written := k.write(t, id, n, text)
			e := k.next(t, func(e channel.Event) bool { return e.Kind == channel.EventMessage })
			require.Equal(t, written, e.ProviderID)
			require.Equal(t, id, e.GroupID)
			require.Equal(t, k.Recipient(n), e.Recipient)
			require.Equal(t, text, e.Text)
			require.WithinDuration(t, time.Now(), e.At, patience)
		}
	}
	_, err := k.Sim.SendToGroup(simulator.GroupMessage{GroupID: id, User: k.Recipient(3), Text: "let me in"})
	require.Error(t, err)
	require.False(t, slices.ContainsFunc(k.seen, func(e channel.Event) bool { return e.Kind == channel.EventOther }))
}
