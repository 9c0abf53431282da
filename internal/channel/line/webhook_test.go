package line

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

const (
	botID  = "U00000000000000000000000000000000"
	userID = "U11111111111111111111111111111111"
)

// hook wraps events into the envelope of section 10.
func hook(events ...string) []byte {
	return fmt.Appendf(nil, `{"destination":%q,"events":[%s]}`, botID, strings.Join(events, ","))
}

// event is one of the user, of a type and with fields of its own.
func event(kind, fields string) string {
	return from(`{"type":"user","userId":"`+userID+`"}`, kind, fields)
}

func from(source, kind, fields string) string {
	return `{"type":"` + kind + `","mode":"active","timestamp":1739321024000,"source":` + source +
		`,"webhookEventId":"01FZ74A0TDDPYRVKNK77XKC3ZR","deliveryContext":{"isRedelivery":false},"replyToken":"r"` + fields + `}`
}

func parse(t *testing.T, body []byte) []channel.Event {
	t.Helper()
	events, err := (&Client{}).Parse(body)
	require.NoError(t, err)
	for i := range events {
		require.NotEmpty(t, events[i].Raw)
		require.Equal(t, botID, events[i].AccountID)
		events[i].Raw, events[i].AccountID = nil, ""
	}
	return events
}

func TestParseOther(t *testing.T) {
	t.Parallel()
	text := `,"message":{"type":"text","id":"5","quoteToken":"q","text":"x"}`
	group := `{"type":"group","groupId":"C1","userId":"` + userID + `"}`
	tests := map[string]struct{ event, kind string }{
		"section 10 follow":             {event("follow", `,"follow":{"isUnblocked":false}`), "follow"},
		"section 10 unfollow":           {event("unfollow", ``), "unfollow"},
		"section 10 unsend":             {event("unsend", `,"unsend":{"messageId":"5"}`), "unsend"},
		"section 10 join":               {from(group, "join", ``), "join"},
		"section 9 message in a group":  {from(group, "message", text), "text"},
		"section 9 message in a room":   {from(`{"type":"room","roomId":"R1"}`, "message", text), "text"},
		"section 10 type not known yet": {event("teleport", ``), "teleport"},
		"a message without a message":   {event("message", ``), "message"},
		"a source not known yet":        {from(`{"type":"planet"}`, "message", text), "text"},
		"no type":                       {`{"timestamp":1}`, ""},
		"no object":                     {`7`, ""},
		"a wrong type inside":           {event("message", `,"message":{"type":"text","id":5}`), ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events := parse(t, hook(test.event, event("message", text)))
			require.Len(t, events, 2, "one odd event takes nothing from the others")
			require.Equal(t, channel.EventOther, events[0].Kind)
			require.Equal(t, test.kind, events[0].MessageType)
			require.Equal(t, channel.EventMessage, events[1].Kind)
		})
	}
}

// Section 10: the verification ping has no events and must be taken.
func TestParsePing(t *testing.T) {
	t.Parallel()
	require.Empty(t, parse(t, hook()))
}

func TestCheck(t *testing.T) {
	t.Parallel()
	text1 := func(s string) []omniflow.Content { return []omniflow.Content{{Kind: omniflow.Text, Text: s}} }
	tests := []struct {
		name     string
		contents []omniflow.Content
		want     omniflow.Code
	}{
		{"section 4: 5,000 units", text1(strings.Repeat("好", 5000)), ""},
		{"section 4: 5,001 units", text1(strings.Repeat("好", 5001)), omniflow.MessageTooLong},
		{"section 4: 2,500 emoji", text1(strings.Repeat("🎉", 2500)), ""},
		{"section 4: 2,501 emoji", text1(strings.Repeat("🎉", 2501)), omniflow.MessageTooLong},
		{"no content", nil, omniflow.MessageEmpty},
		{"white space", text1(" \n\t"), omniflow.MessageEmpty},
		{"not UTF-8", text1("a\xff"), omniflow.InvalidInput},
		{"a WhatsApp template", []omniflow.Content{{Kind: omniflow.TemplateKind}}, omniflow.ContentUnsupported},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := Check(test.contents)
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			var refusal *omniflow.Refusal
			require.ErrorAs(t, err, &refusal)
			require.Equal(t, test.want, refusal.Code)
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(hook(event("message", `,"message":{"type":"text","id":"5","quoteToken":"q","text":"x"}`)))
	f.Add(hook(event("postback", `,"postback":{"data":"a=1"}`), event("follow", ``)))
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := (&Client{}).Parse(body)
		if err != nil {
			return
		}
		for _, e := range events {
			if e.Kind == channel.EventMessage && (e.Recipient == "" || e.ProviderID == "") {
				t.Errorf("half a message: %+v", e)
			}
		}
	})
}
