package webchat

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

func TestParseGivesBackWhatTheWidgetSaid(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	picture := omniflow.MediaRef{Kind: "image", Name: "a.png", MediaID: uuid.New()}
	for name, c := range map[string]struct {
		event Event
		want  channel.Event
	}{
		"a text": {Event{Type: Wrote, ID: "1", Text: "hi"},
			channel.Event{Kind: channel.EventMessage, ProviderID: "wc:1", Text: "hi", MessageType: "text"}},
		"a picture": {Event{Type: Wrote, ID: "1", Media: &picture},
			channel.Event{Kind: channel.EventMessage, ProviderID: "wc:1", MessageType: "image", Received: omniflow.ReceivedMedia, Media: []omniflow.MediaRef{picture}}},
		"CNV-11 a human, please": {Event{Type: AskHuman, ID: "1"},
			channel.Event{Kind: channel.EventMessage, ProviderID: "wc:1", MessageType: "ask_human", Received: omniflow.AskedForHuman}},
		"MSG-04 opened": {Event{Type: Opened}, channel.Event{Kind: channel.EventWatermark, State: omniflow.Read}},
		"without an id": {Event{Type: Wrote, Text: "hi"}, channel.Event{Kind: channel.EventOther}},
		"not known yet": {Event{Type: "waved", ID: "1"}, channel.Event{Kind: channel.EventOther}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.event.Customer, c.event.At = "wc", at
			body, err := Body(c.event)
			require.NoError(t, err)
			events, err := New().Parse(body)
			require.NoError(t, err)
			require.Len(t, events, 1)
			require.NotEmpty(t, events[0].Raw)
			events[0].Raw, c.want.Recipient, c.want.At = nil, "wc", at
			require.Equal(t, c.want, events[0])
		})
	}
	for _, body := range []string{"", "{}", "[]", `{"object":"page"}`} {
		_, err := New().Parse([]byte(body))
		require.Error(t, err, body)
	}
}

func TestSendIsCertain(t *testing.T) {
	t.Parallel()
	m := channel.Message{Key: channel.Key{MessageID: uuid.New(), Attempt: 1}, Recipient: "wc", Contents: []omniflow.Content{{Kind: omniflow.Text, Text: "hi"}}}
	receipt, err := New().Send(t.Context(), channel.Account{}, m)
	require.NoError(t, err)
	require.Equal(t, m.Key.MessageID.String(), receipt.ProviderID)
	require.False(t, receipt.At.IsZero())

	for reason, change := range map[omniflow.Code]func(*channel.Message){
		omniflow.QuoteUnsupported: func(m *channel.Message) { m.QuotedID = "x" },
		omniflow.MessageEmpty:     func(m *channel.Message) { m.Contents = []omniflow.Content{{Kind: omniflow.Text, Text: " "}} },
		omniflow.ContentUnsupported: func(m *channel.Message) {
			m.Contents = []omniflow.Content{{Kind: omniflow.Video, Media: &omniflow.Media{}}}
		},
		omniflow.InvalidInput: func(m *channel.Message) { m.Recipient = "" },
	} {
		refused := m
		change(&refused)
		_, err := New().Send(t.Context(), channel.Account{}, refused)
		var e *channel.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, channel.Rejected, e.Fault)
		require.Equal(t, reason, e.Reason)
	}
	var refusal *omniflow.Refusal
	require.ErrorAs(t, New().Verify(channel.Account{}, nil, nil), &refusal)
	require.Equal(t, omniflow.SignatureInvalid, refusal.Code)
}
