package channeltest

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
	"omniflow/internal/simulator"
)

// says lets customer 1 send m, and gives the one event that comes of it.
func (h *Harness) says(t *testing.T, m simulator.InboundMessage) channel.Event {
	t.Helper()
	m.Channel, m.ExternalID, m.User = simulator.Channel(h.kind), h.Account.ExternalID, h.Recipient(1)
	_, err := h.Sim.Inbound(m)
	require.NoError(t, err)
	events := h.events(t, func(all []channel.Event) bool { return len(all) > 0 })
	require.Len(t, events, 1)
	if m.Kind != "reaction" && m.Kind != "unsend" {
		require.Equal(t, channel.EventMessage, events[0].Kind)
		require.Equal(t, h.Recipient(1), events[0].Recipient)
		require.NotEmpty(t, events[0].ProviderID)
	}
	return events[0]
}

// arrival is what a customer does, and what must come of it.
type arrival struct {
	name     string
	message  simulator.InboundMessage
	received omniflow.ReceivedKind
	text     string
}

// anywhere is what every provider has, in its own words.
func (h *Harness) anywhere() []arrival {
	const media = omniflow.ReceivedMedia
	list := []arrival{
		{"a text", simulator.InboundMessage{Text: "hi"}, "", "hi"},
		{"a place", simulator.InboundMessage{Kind: "location", Text: "Shop"}, media, ""},
		{"an image", simulator.InboundMessage{Kind: "image", Files: []simulator.File{{Data: []byte("x")}}}, media, ""},
		{"a video", simulator.InboundMessage{Kind: "video", Files: []simulator.File{{Data: []byte("x")}}}, media, ""},
		{"a voice message", simulator.InboundMessage{Kind: "audio", Files: []simulator.File{{Data: []byte("x")}}}, media, ""},
		{"D-CNV-4 a type that nobody knows yet", simulator.InboundMessage{Kind: "hologram"}, media, ""},
	}
	if h.kind != omniflow.LINE {
		list = append(list, arrival{"what the provider hides", simulator.InboundMessage{Kind: "unsupported"}, media, ""})
	}
	return list
}

// here is what this provider alone has: the rows of section 2.
func (h *Harness) here() []arrival {
	const media = omniflow.ReceivedMedia
	tap := func(payload, title string) simulator.InboundMessage {
		return simulator.InboundMessage{Kind: "postback", Payload: payload, Text: title}
	}
	return map[omniflow.Channel][]arrival{
		omniflow.LINE: {
			{"EX-034 a bot-card button", tap("card=7", ""), omniflow.LINERichMenuBotCard, ""},
			{"a text button set in Omnichat", tap(omniflow.LINEMenuText+"營業時間", ""), omniflow.LINERichMenuTextOmnichat, "營業時間"},
			{"EX-031 a text button set in LINE", simulator.InboundMessage{Text: "門市查詢"}, "", "門市查詢"}, // the team's list tells
			{"a six-digit code", simulator.InboundMessage{Text: "042917"}, omniflow.LINESixDigitCode, "042917"},
			{"a sticker", simulator.InboundMessage{Kind: "sticker", Payload: "446/1988"}, media, ""},
			{"a file", simulator.InboundMessage{Kind: "file", Files: []simulator.File{{Name: "a.pdf", Data: []byte("x")}}}, media, "a.pdf"},
		},
		omniflow.Facebook: {
			{"EX-030 Get started", tap("GET_STARTED", "開始使用"), omniflow.FacebookGetStarted, "開始使用"},
			{"the persistent menu", tap("MENU_SHOP", "Shop"), omniflow.FacebookPersistentMenu, "Shop"},
		},
		omniflow.Instagram: {
			{"an ice breaker", tap("P", "Where are you?"), "", "Where are you?"},
			{"FIL-08 view once", simulator.InboundMessage{Kind: "ephemeral"}, media, ""},
		},
		omniflow.WhatsApp: {
			{"a quick reply of a template", tap("Y", "Yes"), "", "Yes"},
			{"a sticker", simulator.InboundMessage{Kind: "sticker", Files: []simulator.File{{Data: []byte("x")}}}, media, ""},
			{"a document", simulator.InboundMessage{Kind: "document", Files: []simulator.File{{Name: "a.pdf", Data: []byte("x")}}}, media, ""},
		},
	}[h.kind]
}

// inboundKinds: every row of the table of section 2.
func inboundKinds(t *testing.T, h *Harness) {
	for _, a := range append(h.anywhere(), h.here()...) {
		e := h.says(t, a.message)
		require.Equal(t, a.received, e.Received, a.name)
		if a.text != "" {
			require.Equal(t, a.text, e.Text, a.name)
		}
		require.Len(t, e.Media, max(len(a.message.Files), h.hidden(a.message.Kind)), a.name)
		require.Equal(t, h.kind == omniflow.LINE && a.message.Kind == "sticker", e.Sticker != nil, a.name)
	}
	if h.kind == omniflow.LINE {
		collage := h.says(t, simulator.InboundMessage{Kind: "sticker", Payload: "1/2/COMBINATION"})
		require.Equal(t, &omniflow.LINESticker{PackageID: "1", StickerID: "2"}, collage.Sticker, "STK-04")
	}
}

// hidden is how many files a message announces that the provider does not give.
func (h *Harness) hidden(kind string) int {
	hides := kind == "ephemeral" || kind == "unsupported" && h.kind != omniflow.WhatsApp
	if hides {
		return 1
	}
	return 0
}

// inboundOther: what is taken back or only reacted to is no message.
func inboundOther(t *testing.T, h *Harness) {
	kinds := []string{"unsend", "reaction"}
	if h.kind == omniflow.LINE {
		kinds = kinds[:1]
	}
	for _, kind := range kinds {
		e := h.says(t, simulator.InboundMessage{Kind: kind, Quoted: "wamid.0", Text: "x"})
		require.Equal(t, channel.EventOther, e.Kind, kind)
	}
}

// inboundQuotes: what a customer answers is told (QUO-01).
func inboundQuotes(t *testing.T, h *Harness) {
	e := h.says(t, simulator.InboundMessage{Text: "yes", Quoted: "of.ours.1"})
	require.Equal(t, "of.ours.1", e.QuotedID)
	require.Equal(t, "yes", e.Text)
}

// inboundTimes: a customer's message is a message, whatever time it names.
func inboundTimes(t *testing.T, h *Harness) {
	for _, at := range []time.Time{time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2199, 1, 1, 0, 0, 0, 0, time.UTC)} {
		e := h.says(t, simulator.InboundMessage{Text: "yes", Timestamp: &at})
		require.Equal(t, "yes", e.Text)
		require.Equal(t, at, e.At)
	}
}

// inboundRepeats: a webhook that comes twice, late and out of order names the
// same message each time.
func inboundRepeats(t *testing.T, h *Harness) {
	require.NoError(t, h.Sim.SetWebhooks(simulator.Webhooks{Duplicate: 1, Reorder: 0.5, JitterMS: 20, BatchMax: 1, BatchMS: 1, Retry: true}))
	const n = 4
	for range n {
		_, err := h.Sim.Inbound(simulator.InboundMessage{Channel: simulator.Channel(h.kind), ExternalID: h.Account.ExternalID, User: h.Recipient(1), Text: "again"})
		require.NoError(t, err)
	}
	seen := map[string]int{}
	events := h.events(t, func(all []channel.Event) bool { return len(all) >= 2*n })
	for _, e := range events {
		seen[e.ProviderID]++
	}
	require.Len(t, seen, n)
	for id, times := range seen {
		require.Equal(t, 2, times, id)
	}
}

// longText: 10 MB of text are read or refused, and never cut.
func longText(t *testing.T, h *Harness) {
	text := string(bytes.Repeat([]byte("長"), 10<<20/3))
	require.Equal(t, text, h.says(t, simulator.InboundMessage{Text: text}).Text)
}

// sendsQuotes: only WhatsApp lets a team answer one message by name (QUO-02).
func sendsQuotes(t *testing.T, h *Harness) {
	m := h.Message(1, "about that")
	m.QuotedID = "wamid.0"
	_, err := h.Provider.Send(within(t, patience), h.Account, m)
	if h.kind == omniflow.WhatsApp {
		require.NoError(t, err)
		require.Equal(t, []string{"wamid.0"}, quotesOf(h.Truth()))
		return
	}
	e := fails(t, err, m, channel.Rejected)
	require.Equal(t, omniflow.QuoteUnsupported, e.Reason)
	require.Zero(t, h.Requests())
}

func quotesOf(truth []simulator.Delivery) []string {
	var out []string
	for _, d := range truth {
		out = append(out, d.Quoted)
	}
	return slices.Compact(out)
}
