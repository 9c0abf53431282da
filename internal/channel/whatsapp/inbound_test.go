package whatsapp

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

func TestParseMessages(t *testing.T) {
	t.Parallel()
	const media = omniflow.ReceivedMedia
	file := func(kind, name string) []omniflow.MediaRef {
		return []omniflow.MediaRef{{Handle: "1", Kind: kind, Name: name}}
	}
	for name, test := range map[string]struct {
		fields string
		want   channel.Event
	}{
		"section 4.7 text":     {`"type":"text","text":{"body":"h\u597d"}`, channel.Event{Text: "h好"}},
		"section 4.7 button":   {`"type":"button","button":{"payload":"p","text":"Yes"}`, channel.Event{Text: "Yes"}},
		"section 4.7 reply":    {`"type":"interactive","interactive":{"button_reply":{"id":"1","title":"A"}}`, channel.Event{Text: "A"}},
		"section 4.7 list":     {`"type":"interactive","interactive":{"list_reply":{"id":"1","title":"B"}}`, channel.Event{Text: "B"}},
		"section 4.7 a form":   {`"type":"interactive","interactive":{"nfm_reply":{"response_json":"{}"}}`, channel.Event{Received: media}},
		"QUO-01 a reply":       {`"type":"text","text":{"body":"yes"},"context":{"from":"1","id":"wamid.0"}`, channel.Event{Text: "yes", QuotedID: "wamid.0"}},
		"a forwarded text":     {`"type":"text","text":{"body":"yes"},"context":{"forwarded":true}`, channel.Event{Text: "yes"}},
		"section 4.7 image":    {`"type":"image","image":{"id":"1","caption":"look"}`, channel.Event{Text: "look", Received: media, Media: file("image", "")}},
		"section 4.7 video":    {`"type":"video","video":{"id":"1"}`, channel.Event{Received: media, Media: file("video", "")}},
		"section 4.7 audio":    {`"type":"audio","audio":{"id":1,"voice":true}`, channel.Event{Received: media, Media: file("audio", "")}},
		"section 4.7 document": {`"type":"document","document":{"id":"1","filename":"a.pdf"}`, channel.Event{Received: media, Media: file("file", "a.pdf")}},
		"section 4.7 sticker":  {`"type":"sticker","sticker":{"id":"1","animated":true}`, channel.Event{Received: media, Media: file("sticker", "")}},
		"section 2.8 over the limit": {`"type":"video","errors":[{"code":131052}]`,
			channel.Event{Received: media, Media: []omniflow.MediaRef{{Kind: "video"}}}},
		"section 4.7 location": {`"type":"location","location":{"latitude":25.03,"longitude":121.5,"name":"Shop","address":"Taipei"}`,
			channel.Event{Text: "Shop Taipei 25.03,121.5", Received: media}},
		"section 4.7 contacts":         {`"type":"contacts","contacts":[{}]`, channel.Event{Received: media}},
		"section 4.7 order":            {`"type":"order","order":{"text":"two"}`, channel.Event{Received: media}},
		"section 4.7 unsupported":      {`"type":"unsupported","errors":[{"code":131051}]`, channel.Event{Received: media}},
		"D-CNV-4 a type not known yet": {`"type":"hologram","hologram":{}`, channel.Event{Received: media}},
		"a shape not seen yet":         {`"type":"text","text":["body"]`, channel.Event{Received: media}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events := parse(t, hook("messages",
				`"messages":[{"from":"886912345678","id":"wamid.2","timestamp":"1739321024",`+test.fields+`}]`))
			require.Len(t, events, 1)
			require.Contains(t, test.fields, `"type":"`+events[0].MessageType+`"`)
			test.want.Kind, test.want.AccountID, test.want.MessageType = channel.EventMessage, phoneID, events[0].MessageType
			test.want.ProviderID, test.want.Recipient, test.want.At = "wamid.2", "886912345678", at
			require.Equal(t, test.want, events[0])
		})
	}
}

// What says nothing new is kept as it came.
func TestParseNoMessage(t *testing.T) {
	t.Parallel()
	for _, fields := range []string{
		`"type":"reaction","reaction":{"message_id":"wamid.0","emoji":"x"}`, `"type":"edit","edit":{}`,
		`"type":"revoke","revoke":{}`, `"type":"system","system":{"body":"x"}`,
	} {
		events := parse(t, hook("messages", `"messages":[{"from":"886912345678","id":"wamid.2","timestamp":"1739321024",`+fields+`}]`))
		require.Equal(t, channel.EventOther, events[0].Kind, fields)
	}
}

// A message that names no time that could be is not lost: the relay takes the
// time at which it came.
func TestParseMessageTimes(t *testing.T) {
	t.Parallel()
	for timestamp, want := range map[string]time.Time{
		`"0"`: {}, `"soon"`: {}, `null`: {}, `"99999999999999999"`: {},
		`"1"`: time.Unix(1, 0).UTC(), `"4102444800"`: time.Unix(4102444800, 0).UTC(),
	} {
		events := parse(t, hook("messages", `"messages":[{"from":"886912345678","id":"wamid.2","timestamp":`+timestamp+`,"type":"text","text":{"body":"x"}}]`))
		require.Equal(t, channel.EventMessage, events[0].Kind, timestamp)
		require.Equal(t, want, events[0].At, timestamp)
	}
}

// QUO-02: an answer names what it answers.
func TestQuote(t *testing.T) {
	t.Parallel()
	m := channel.Message{Key: channel.Key{MessageID: uuid.New(), Attempt: 1}, Recipient: "886912345678", QuotedID: "wamid.0",
		Contents: []omniflow.Content{{Kind: omniflow.Text, Text: "x"}}}
	r, err := newRequest(m)
	require.NoError(t, err)
	require.Equal(t, &reply{MessageID: "wamid.0"}, r.Context)
	m.QuotedID = ""
	r, err = newRequest(m)
	require.NoError(t, err)
	require.Nil(t, r.Context)
}
