package facebook

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

const pageID = "1906385232743451"

// hook wraps events into the envelope of section 12.2, under messaging or
// standby.
func hook(list string, events ...string) []byte {
	return fmt.Appendf(nil, `{"object":"page","entry":[{"id":%q,"time":1739321024000,%q:[%s]}]}`,
		pageID, list, strings.Join(events, ","))
}

// inbound is an event of the customer, and outbound one of the page.
func inbound(fields string) string {
	return `{"sender":{"id":"700"},"recipient":{"id":"` + pageID + `"},"timestamp":1739321024000,` + fields + `}`
}

func outbound(fields string) string {
	return `{"sender":{"id":"` + pageID + `"},"recipient":{"id":700},"timestamp":"1739321024000",` + fields + `}`
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

var (
	key = channel.Key{MessageID: uuid.MustParse("019a2b3c-0000-7000-8000-000000000001"), Attempt: 1}
	at  = time.UnixMilli(1739321024000).UTC()
)

func TestParse(t *testing.T) {
	t.Parallel()
	echo := channel.Event{Kind: channel.EventStatus, State: omniflow.Sent, Echo: true, ProviderID: "m_1", Text: "hi"}
	ours := echo
	ours.Key = key
	tests := []struct {
		name, event string
		want        channel.Event
	}{
		{"section 12.3 our echo", outbound(`"message":{"is_echo":true,"app_id":278,"metadata":"` + key.String() + `","mid":"m_1","text":"hi"}`), ours},
		{"section 10 echo of another app", outbound(`"message":{"is_echo":true,"app_id":9,"metadata":"theirs","mid":"m_1","text":"hi"}`), echo},
		{"section 10 echo of a person", outbound(`"message":{"is_echo":true,"app_id":263902037430900,"mid":"m_1","text":"hi"}`), echo},
		{"section 12.3 delivery", inbound(`"delivery":{"mids":["m_1"],"watermark":1739321024000}`),
			channel.Event{Kind: channel.EventWatermark, State: omniflow.Received}},
		{"section 12.3 delivery by mids", inbound(`"delivery":{"mids":["m_1"]}`),
			channel.Event{Kind: channel.EventStatus, State: omniflow.Received, ProviderID: "m_1"}},
		{"section 12.3 read", inbound(`"read":{"watermark":"1739321024000"}`),
			channel.Event{Kind: channel.EventWatermark, State: omniflow.Read}},
		{"section 12.3 text", inbound(`"message":{"mid":"m_2","text":"h\u597d"}`),
			channel.Event{Kind: channel.EventMessage, ProviderID: "m_2", Text: "h好", MessageType: "text"}},
		{"section 12.3 image", inbound(`"message":{"mid":"m_2","attachments":[{"type":"image","payload":{"url":"https://x"}}]}`),
			channel.Event{Kind: channel.EventMessage, ProviderID: "m_2", MessageType: "image", Received: omniflow.ReceivedMedia,
				Media: []omniflow.MediaRef{{Handle: "https://x", Kind: "image"}}}},
		{"section 12.3 postback", inbound(`"postback":{"mid":"m_3","title":"Start","payload":"GO"}`),
			channel.Event{Kind: channel.EventMessage, ProviderID: "m_3", Text: "Start", MessageType: "postback", Received: omniflow.FacebookPersistentMenu}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.want.AccountID, test.want.Recipient, test.want.At = pageID, "700", at
			for _, list := range []string{"messaging", "standby"} { // section 10: look in standby too
				require.Equal(t, []channel.Event{test.want}, parse(t, hook(list, test.event)))
			}
		})
	}
}

func TestParseOther(t *testing.T) {
	t.Parallel()
	for name, body := range map[string][]byte{
		"section 12.3 reaction":  hook("messaging", inbound(`"reaction":{"mid":"m_1","action":"react"}`)),
		"section 12.3 edit":      hook("messaging", inbound(`"message_edit":{"mid":"m_1","text":"x"}`)),
		"section 12.3 hand-over": hook("messaging", inbound(`"pass_thread_control":{"metadata":"x"}`)),
		"section 12.2 changes":   hook("changes", `{"field":"feed","value":{}}`),
		"an echo without a mid":  hook("messaging", outbound(`"message":{"is_echo":true,"text":"x"}`)),
		"a receipt of nobody":    hook("messaging", `{"timestamp":1739321024000,"read":{"watermark":1739321024000}}`),
		"a tap at no time":       hook("messaging", `{"sender":{"id":"700"},"postback":{"title":"x"}}`),
		"no object":              hook("messaging", `[7]`),
		"a wrong type inside":    hook("messaging", inbound(`"message":{"mid":"m_1","is_echo":"yes"}`)),
	} {
		events := parse(t, body)
		require.Len(t, events, 1, name)
		require.Equal(t, channel.EventOther, events[0].Kind, name)
		require.Equal(t, pageID, events[0].AccountID, name)
	}
}

// Different pages and events mixed in one POST, in order.
func TestParseBatch(t *testing.T) {
	t.Parallel()
	body := `{"object":"page","entry":[{"id":"1","messaging":[` + inbound(`"message":{"mid":"a"}`) + `,` +
		inbound(`"message":{"mid":"b"}`) + `]},{"id":"2","standby":[` + inbound(`"message":{"mid":"c"}`) + `]}]}`
	events := parse(t, []byte(body))
	require.Len(t, events, 3)
	for i, want := range []string{"1a", "1b", "2c"} {
		require.Equal(t, want, events[i].AccountID+events[i].ProviderID)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(hook("messaging", inbound(`"message":{"mid":"m_2","text":"x"}`)))
	f.Add(hook("messaging", outbound(`"message":{"is_echo":true,"metadata":"`+key.String()+`","mid":"m_1","text":"hi"}`)))
	f.Add(hook("standby", inbound(`"delivery":{"mids":["m_1"],"watermark":1739321024000}`)))
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := (&Client{}).Parse(body)
		if err != nil {
			return
		}
		for _, e := range events {
			if e.Kind != channel.EventOther && e.Kind != channel.EventStatus && (e.Recipient == "" || e.Kind != channel.EventMessage && e.At.IsZero()) {
				t.Errorf("half an event: %+v", e)
			}
		}
	})
}
