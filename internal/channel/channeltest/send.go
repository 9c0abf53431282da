package channeltest

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
	"omniflow/internal/simulator"
)

// texts are what must arrive unchanged.
var texts = []string{
	"hello",
	"新品上市！ 今日 9 折 🎉👩‍👩‍👧‍👦",
	"two\nlines\ttab \"quoted\" <b>&amp; \\ /",
	"https://shop.example/p?id=1&utm_source=chat#top",
}

func deliversOnce(t *testing.T, h *Harness) {
	for i, text := range texts {
		m := h.Message(i, text)
		receipt, err := h.Provider.Send(within(t, patience), h.Account, m)
		require.NoError(t, err)
		require.Equal(t, 200, receipt.HTTPStatus)
		require.NotEmpty(t, receipt.Trace)
		require.WithinDuration(t, time.Now(), receipt.At, patience)

		truth := h.Truth()
		require.Len(t, truth, i+1)
		require.Equal(t, m.Recipient, truth[i].Recipient)
		require.Equal(t, simulator.TextSHA256(text), truth[i].ContentSHA256)
		require.Equal(t, receipt.ProviderID, truth[i].ProviderID)
		require.Equal(t, h.wireKey(m), truth[i].Key)
		require.True(t, truth[i].Delivered)
	}
}

// wireKey is what travels with a message.
func (h *Harness) wireKey(m channel.Message) string {
	switch {
	case h.echoesKey():
		return m.Key.String()
	case h.idempotent():
		return m.RetryKey.String()
	}
	return ""
}

func keepsKeysApart(t *testing.T, h *Harness) {
	const n = 100
	messages, receipts, errs := make([]channel.Message, n), make([]channel.Receipt, n), make([]error, n)
	for i := range n {
		messages[i] = h.Message(i, fmt.Sprintf("for customer %d", i))
	}
	ctx := within(t, patience)
	together(n, func(i int) { receipts[i], errs[i] = h.Patient.Send(ctx, h.Account, messages[i]) })

	truth := map[string]simulator.Delivery{}
	for _, d := range h.Truth() {
		truth[d.Recipient] = d
	}
	require.Len(t, truth, n)
	require.Len(t, h.Truth(), n)
	for i, m := range messages {
		require.NoError(t, errs[i])
		d := truth[m.Recipient]
		require.Equal(t, h.wireKey(m), d.Key)
		require.Equal(t, receipts[i].ProviderID, d.ProviderID)
		require.Equal(t, simulator.TextSHA256(m.Contents[0].Text), d.ContentSHA256)
	}
}

func cancelledBefore(t *testing.T, h *Harness) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m := h.Message(1, "never sent")
	_, err := h.Patient.Send(ctx, h.Account, m)
	e := fails(t, err, m, channel.Unavailable)
	require.Equal(t, "cancelled", e.Code)
	require.ErrorIs(t, err, context.Canceled)
	require.Zero(t, h.Requests())
}

func dialRefused(t *testing.T, h *Harness) {
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := nobody.Addr().String()
	require.NoError(t, nobody.Close())

	p := h.Connect(t, "http://"+address, channel.HTTPOptions{FirstPause: time.Millisecond})
	m := h.Message(1, "never sent")
	_, err = p.Send(within(t, patience), h.Account, m)
	e := fails(t, err, m, channel.Unavailable)
	require.Equal(t, "dial", e.Code)
	require.Equal(t, omniflow.ProviderDown, e.Reason)
	require.Empty(t, h.Truth())
}

func withoutToken(t *testing.T, h *Harness) {
	account := h.Account
	account.Secrets.Token = ""
	m := h.Message(1, "never sent")
	_, err := h.Provider.Send(within(t, patience), account, m)
	e := fails(t, err, m, channel.Misconfigured)
	require.Equal(t, channel.ScopeAccount, e.Scope)
	require.Zero(t, h.Requests())
}

func refusesContent(t *testing.T, h *Harness) {
	refused := map[omniflow.Code][]omniflow.Content{
		omniflow.MessageEmpty:       {{Kind: omniflow.Text, Text: " \n"}},
		omniflow.MessageTooLong:     {{Kind: omniflow.Text, Text: strings.Repeat("好", 5001)}},
		omniflow.InvalidInput:       {{Kind: omniflow.Text, Text: "\xff"}},
		omniflow.ContentUnsupported: {{Kind: "hologram", Text: "x"}},
		omniflow.BroadcastMessageCount: {
			{Kind: omniflow.Text, Text: "1"}, {Kind: omniflow.Text, Text: "2"}, {Kind: omniflow.Text, Text: "3"},
			{Kind: omniflow.Text, Text: "4"}, {Kind: omniflow.Text, Text: "5"}, {Kind: omniflow.Text, Text: "6"},
		},
	}
	for reason, contents := range refused {
		m := h.Message(1, "x")
		m.Contents = contents
		_, err := h.Provider.Send(within(t, patience), h.Account, m)
		var e *channel.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, channel.Rejected, e.Fault)
		require.Equal(t, channel.ScopeMessage, e.Scope)
		require.Equal(t, reason, e.Reason)
		var refusal *omniflow.Refusal
		require.ErrorAs(t, err, &refusal)
	}
	m := h.Message(1, "x")
	m.Recipient = ""
	_, err := h.Provider.Send(within(t, patience), h.Account, m)
	var e *channel.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, channel.Rejected, e.Fault)
	require.Zero(t, h.Requests())
}
