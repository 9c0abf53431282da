package line_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/channel/channeltest"
	"omniflow/internal/omniflow"
	"omniflow/internal/simulator"
)

var contents = []omniflow.Content{
	{Kind: omniflow.Text, Text: "新品 🎉"}, {Kind: omniflow.Text, Text: "second"},
}

func recipients(h *channeltest.Harness, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = h.Recipient(i)
	}
	return list
}

func multicaster(t *testing.T, p channel.Provider) channel.Multicaster {
	t.Helper()
	m, ok := p.(channel.Multicaster)
	require.True(t, ok)
	return m
}

func TestMulticastOnce(t *testing.T) {
	t.Parallel()
	h := harness(t)
	to, key := recipients(h, channel.MulticastMax), uuid.New()
	for range 2 { // the same call again delivers nothing more: section 5
		receipt, err := multicaster(t, h.Provider).Multicast(t.Context(), h.Account, key, to, contents)
		require.NoError(t, err)
		require.NotEmpty(t, receipt.Trace)
		require.Len(t, h.Truth(), channel.MulticastMax)
	}
	for _, d := range h.Truth() {
		require.Equal(t, key.String(), d.Key)
	}
}

func TestMulticastLostAnswer(t *testing.T) {
	t.Parallel()
	for _, fault := range []simulator.Fault{simulator.Lost500, simulator.LostReset, simulator.Truncated} {
		h := harness(t)
		h.Next(t, fault)
		to, key := recipients(h, 3), uuid.New()
		_, err := multicaster(t, h.Provider).Multicast(t.Context(), h.Account, key, to, contents)
		var e *channel.Error
		if fault == simulator.Truncated && err == nil { // half of {} may still be JSON
			continue
		}
		require.ErrorAs(t, err, &e, string(fault))
		require.Equal(t, channel.Ambiguous, e.Fault)
		_, err = multicaster(t, h.Provider).Multicast(t.Context(), h.Account, key, to, contents)
		require.NoError(t, err)
		require.Len(t, h.Truth(), 3)
	}
}

// The provider names who is in the way; nobody was sent to; without him and
// under a new key the rest get it (section 3).
func TestMulticastNamesRecipients(t *testing.T) {
	t.Parallel()
	h := harness(t)
	to := recipients(h, 4)
	require.NoError(t, h.Sim.AddUsers(simulator.Users{
		Channel: simulator.LINE, ExternalID: h.Account.ExternalID,
		Users: []simulator.User{{ID: to[2], State: simulator.UserUnknown}},
	}))
	_, err := multicaster(t, h.Patient).Multicast(t.Context(), h.Account, uuid.New(), to, contents)
	var e *channel.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, channel.Rejected, e.Fault)
	require.Equal(t, []int{2}, e.Recipients)
	require.Equal(t, omniflow.Unreachable, e.Reason)
	require.Empty(t, h.Truth())

	rest := append(append([]string(nil), to[:2]...), to[3:]...)
	_, err = multicaster(t, h.Patient).Multicast(t.Context(), h.Account, uuid.New(), rest, contents)
	require.NoError(t, err)
	require.Len(t, h.Truth(), 3)
}

func TestMulticastRefuses(t *testing.T) {
	t.Parallel()
	h := harness(t)
	m := multicaster(t, h.Provider)
	calls := map[string]func() error{
		"section 2, nobody": func() error {
			_, err := m.Multicast(t.Context(), h.Account, uuid.New(), nil, contents)
			return err
		},
		"section 2, 501 recipients": func() error {
			_, err := m.Multicast(t.Context(), h.Account, uuid.New(), recipients(h, 501), contents)
			return err
		},
		"section 2, no content": func() error {
			_, err := m.Multicast(t.Context(), h.Account, uuid.New(), recipients(h, 1), nil)
			return err
		},
		"section 5, no key": func() error {
			_, err := m.Multicast(t.Context(), h.Account, uuid.Nil, recipients(h, 1), contents)
			return err
		},
	}
	for name, call := range calls {
		var e *channel.Error
		require.ErrorAs(t, call(), &e, name)
		require.Equal(t, channel.Rejected, e.Fault, name)
	}
	require.Zero(t, h.Requests())
}

// Several contents travel in one push, in order.
func TestPushFive(t *testing.T) {
	t.Parallel()
	h := harness(t)
	message := h.Message(1, "1")
	for _, text := range []string{"2", "3", "4", "5"} {
		message.Contents = append(message.Contents, omniflow.Content{Kind: omniflow.Text, Text: text})
	}
	receipt, err := h.Provider.Send(t.Context(), h.Account, message)
	require.NoError(t, err)
	require.Len(t, h.Truth(), 1)
	require.Equal(t, h.Truth()[0].ProviderID, receipt.ProviderID)
}
