package instagram

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

const igID = "17841400008460056"

// hook wraps events into the envelope of section 10.2.
func hook(events ...string) []byte {
	return fmt.Appendf(nil, `{"object":"instagram","entry":[{"id":%q,"time":1739321024,"messaging":[%s]}]}`,
		igID, strings.Join(events, ","))
}

func inbound(fields string) string {
	return `{"sender":{"id":"700"},"recipient":{"id":"` + igID + `"},"timestamp":1739321024000,` + fields + `}`
}

func outbound(fields string) string {
	return `{"sender":{"id":"` + igID + `"},"recipient":{"id":"700"},"timestamp":1739321024000,` + fields + `}`
}

func parse(t *testing.T, body []byte) []channel.Event {
	t.Helper()
	events, err := (&Client{}).Parse(body)
	require.NoError(t, err)
	for i := range events {
		require.NotEmpty(t, events[i].Raw)
		events[i].Raw = nil
	}
	return events
}

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, event string
		want        channel.Event
	}{
		{"section 8 echo", outbound(`"message":{"is_echo":true,"mid":"a1","text":"h\u597d"}`),
			channel.Event{Kind: channel.EventStatus, State: omniflow.Sent, Echo: true, ProviderID: "a1", Text: "h好"}},
		{"section 8 no key even if metadata came", outbound(`"message":{"is_echo":true,"mid":"a1","metadata":"m1.019a2b3c-0000-7000-8000-000000000001.1"}`),
			channel.Event{Kind: channel.EventStatus, State: omniflow.Sent, Echo: true, ProviderID: "a1"}},
		{"section 7 seen", inbound(`"read":{"mid":"a1"}`),
			channel.Event{Kind: channel.EventWatermark, State: omniflow.Read, ProviderID: "a1"}},
		{"section 10.3 text", inbound(`"message":{"mid":"a2","text":"hi"}`),
			channel.Event{Kind: channel.EventMessage, ProviderID: "a2", Text: "hi", MessageType: "text"}},
		{"section 10.3 story reply", inbound(`"message":{"mid":"a2","text":"wow","reply_to":{"story":{"url":"u","id":"1"}}}`),
			channel.Event{Kind: channel.EventMessage, ProviderID: "a2", Text: "wow", MessageType: "text"}},
		{"section 10.3 story mention", inbound(`"message":{"mid":"a2","attachments":[{"type":"story_mention","payload":{}}]}`),
			channel.Event{Kind: channel.EventMessage, ProviderID: "a2", MessageType: "story_mention", Received: omniflow.ReceivedMedia,
				Media: []omniflow.MediaRef{{Kind: "image"}}}},
		{"section 10.3 unsupported", inbound(`"message":{"mid":"a2","is_unsupported":true}`),
			channel.Event{Kind: channel.EventMessage, ProviderID: "a2", MessageType: "unsupported", Received: omniflow.ReceivedMedia,
				Media: []omniflow.MediaRef{{Kind: "image"}}}},
		{"section 10.3 postback", inbound(`"postback":{"mid":"a3","title":"Menu","payload":"M"}`),
			channel.Event{Kind: channel.EventMessage, ProviderID: "a3", Text: "Menu", MessageType: "postback"}},
		{"section 10.3 postback without mid", inbound(`"postback":{"title":"Menu"}`),
			channel.Event{Kind: channel.EventMessage, ProviderID: "postback:700:1739321024000", Text: "Menu", MessageType: "postback"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.want.AccountID, test.want.Recipient, test.want.At = igID, "700", time.UnixMilli(1739321024000).UTC()
			require.Equal(t, []channel.Event{test.want}, parse(t, hook(test.event)))
			wrapped := "[" + string(hook(test.event)) + "]" // section 10.2: some examples do
			require.Equal(t, []channel.Event{test.want}, parse(t, []byte(wrapped)))
		})
	}
}

func TestParseOther(t *testing.T) {
	t.Parallel()
	for name, body := range map[string][]byte{
		"section 7 unsent":        hook(inbound(`"message":{"mid":"a1","is_deleted":true}`)),
		"section 7 edited":        hook(inbound(`"message_edit":{"mid":"a1","text":"x","num_edit":1}`)),
		"section 10.3 reaction":   hook(inbound(`"reaction":{"mid":"a1","action":"react"}`)),
		"section 10.3 to oneself": hook(outbound(`"message":{"mid":"a1","is_echo":true,"is_self":true,"text":"x"}`)),
		"section 10.2 comment":    []byte(`{"object":"instagram","entry":[{"id":"` + igID + `","changes":[{"field":"comments","value":{}}]}]}`),
		"seen at no time":         hook(`{"sender":{"id":"700"},"read":{"mid":"a1"}}`),
	} {
		events := parse(t, body)
		require.Len(t, events, 1, name)
		require.Equal(t, channel.EventOther, events[0].Kind, name)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(hook(inbound(`"message":{"mid":"a2","text":"x"}`)))
	f.Add(hook(outbound(`"message":{"is_echo":true,"mid":"a1","text":"hi"}`), inbound(`"read":{"mid":"a1"}`)))
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := (&Client{}).Parse(body)
		if err != nil {
			return
		}
		for _, e := range events {
			if !e.Key.IsZero() {
				t.Errorf("a key where none travels: %+v", e)
			}
			if e.Kind == channel.EventMessage && (e.Recipient == "" || e.ProviderID == "") {
				t.Errorf("half a message: %+v", e)
			}
		}
	})
}
