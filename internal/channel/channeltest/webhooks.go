package channeltest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
	"omniflow/internal/simulator"
)

// signatures: the right one passes; one flipped byte of the body or of the
// signature, another secret, no secret and no header do not.
func signatures(t *testing.T, h *Harness) {
	h.write(t, 1, "哈囉/hello")
	got := h.hook(t)
	require.NoError(t, h.Provider.Verify(h.Account, got.header, got.body))

	refused := func(a channel.Account, header http.Header, body []byte) {
		t.Helper()
		var refusal *omniflow.Refusal
		require.ErrorAs(t, h.Provider.Verify(a, header, body), &refusal)
		require.Equal(t, omniflow.SignatureInvalid, refusal.Code)
	}
	for i := range got.body {
		flipped := append([]byte(nil), got.body...)
		flipped[i] ^= 1
		refused(h.Account, got.header, flipped)
	}
	refused(h.Account, got.header, nil)
	refused(h.Account, http.Header{}, got.body)
	refused(h.Account, forged(got.header), got.body)
	for _, secret := range []string{"", "another"} {
		a := h.Account
		a.Secrets.AppSecret = secret
		refused(a, got.header, got.body)
	}
	h.subscription(t)
}

// forged spoils every signature of a header.
func forged(header http.Header) http.Header {
	out := header.Clone()
	for name := range out {
		if strings.Contains(strings.ToLower(name), "signature") {
			value := out.Get(name)
			at := len(value) - 8
			digit := "a"
			if value[at] == 'a' {
				digit = "b"
			}
			out.Set(name, value[:at]+digit+value[at+1:])
		}
	}
	return out
}

// subscription is Meta's question whether the address is ours.
func (h *Harness) subscription(t *testing.T) {
	t.Helper()
	s, ok := h.Provider.(channel.Subscriber)
	require.Equal(t, h.kind != omniflow.LINE, ok)
	if !ok {
		return
	}
	query := url.Values{"hub.mode": {"subscribe"}, "hub.verify_token": {verifyToken}, "hub.challenge": {"1158201444"}}
	challenge, err := s.VerifySubscription(h.Account, query)
	require.NoError(t, err)
	require.Equal(t, "1158201444", challenge)

	var refusal *omniflow.Refusal
	query.Set("hub.verify_token", "other")
	_, err = s.VerifySubscription(h.Account, query)
	require.ErrorAs(t, err, &refusal)
	h.Account.Secrets.VerifyToken = ""
	_, err = s.VerifySubscription(h.Account, url.Values{"hub.mode": {"subscribe"}})
	require.ErrorAs(t, err, &refusal)
}

func foreignBodies(t *testing.T, h *Harness) {
	for _, body := range []string{"", "null", "{}", "[]", `"x"`, "{", `{"object":"user","entry":[]}`} {
		_, err := h.Provider.Parse([]byte(body))
		require.Error(t, err, body)
	}
}

// messageWebhooks: what the provider says about a message that it took.
func messageWebhooks(t *testing.T, h *Harness) {
	m := h.Message(1, "新品 🎉")
	receipt, err := h.Provider.Send(within(t, patience), h.Account, m)
	require.NoError(t, err)
	switch h.kind {
	case omniflow.WhatsApp:
		h.expectStatuses(t, m, receipt)
	case omniflow.Facebook, omniflow.Instagram:
		h.expectEcho(t, m, receipt)
	}
}

func (h *Harness) expectStatuses(t *testing.T, m channel.Message, receipt channel.Receipt) {
	t.Helper()
	events := h.events(t, func(all []channel.Event) bool {
		return has(all, omniflow.Sent) && has(all, omniflow.Read)
	})
	for _, e := range events {
		require.Equal(t, channel.EventStatus, e.Kind)
		require.Equal(t, m.Key, e.Key)
		require.Equal(t, receipt.ProviderID, e.ProviderID)
		require.Equal(t, m.Recipient, e.Recipient)
		require.WithinDuration(t, time.Now(), e.At, patience)
		require.Nil(t, e.Fault)
	}
}

// has says whether one of events is of a state; they come in any order.
func has(events []channel.Event, state omniflow.Evidence) bool {
	return slices.ContainsFunc(events, func(e channel.Event) bool { return e.State == state })
}

func (h *Harness) expectEcho(t *testing.T, m channel.Message, receipt channel.Receipt) {
	t.Helper()
	byState := map[omniflow.Evidence]channel.Event{}
	h.events(t, func(all []channel.Event) bool {
		for _, e := range all {
			byState[e.State] = e
		}
		return byState[omniflow.Read].Kind != ""
	})
	echo := byState[omniflow.Sent]
	require.Equal(t, channel.EventStatus, echo.Kind)
	require.True(t, echo.Echo)
	require.Equal(t, m.Contents[0].Text, echo.Text)
	require.Equal(t, receipt.ProviderID, echo.ProviderID)
	require.Equal(t, m.Recipient, echo.Recipient)
	require.Equal(t, h.echoesKey(), echo.Key == m.Key)
	require.Equal(t, !h.echoesKey(), echo.Key.IsZero())

	received, delivers := byState[omniflow.Received]
	require.Equal(t, h.kind == omniflow.Facebook, delivers)
	for _, e := range []channel.Event{received, byState[omniflow.Read]} {
		if e.Kind == "" {
			continue
		}
		require.Equal(t, channel.EventWatermark, e.Kind)
		require.Equal(t, m.Recipient, e.Recipient)
		require.False(t, e.At.Before(echo.At))
	}
}

// failureWebhook: WhatsApp tells later that a number is not on WhatsApp.
func failureWebhook(t *testing.T, h *Harness) {
	if h.kind != omniflow.WhatsApp {
		return
	}
	m := h.Message(1, "sale")
	h.user(t, m.Recipient, simulator.UserNotWhatsApp, 0)
	_, err := h.Provider.Send(within(t, patience), h.Account, m)
	require.NoError(t, err)
	events := h.events(t, func(all []channel.Event) bool { return has(all, omniflow.Failed) })
	failed := events[slices.IndexFunc(events, func(e channel.Event) bool { return e.State == omniflow.Failed })]
	require.Equal(t, m.Key, failed.Key)
	require.NotNil(t, failed.Fault)
	require.Equal(t, channel.Rejected, failed.Fault.Fault)
	require.Equal(t, "131026", failed.Fault.Code)
	require.Equal(t, omniflow.Unreachable, failed.Fault.Reason)
}

// inboundWebhooks: what a customer writes.
func inboundWebhooks(t *testing.T, h *Harness) {
	for i, text := range texts {
		h.write(t, i, text)
		events := h.events(t, func(all []channel.Event) bool { return len(all) > 0 })
		require.Len(t, events, 1)
		e := events[0]
		require.Equal(t, channel.EventMessage, e.Kind)
		require.Equal(t, h.Recipient(i), e.Recipient)
		require.Equal(t, text, e.Text)
		require.Equal(t, "text", e.MessageType)
		require.NotEmpty(t, e.ProviderID)
		require.WithinDuration(t, time.Now(), e.At, patience)
	}
}

// write lets customer n write.
func (h *Harness) write(t *testing.T, n int, text string) {
	t.Helper()
	_, err := h.Sim.Inbound(simulator.InboundMessage{
		Channel: simulator.Channel(h.kind), ExternalID: h.Account.ExternalID, User: h.Recipient(n), Text: text,
	})
	require.NoError(t, err)
}
