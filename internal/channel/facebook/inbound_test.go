package facebook

import (
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

func TestParseIncoming(t *testing.T) {
	t.Parallel()
	const media = omniflow.ReceivedMedia
	ref := func(kind string) omniflow.MediaRef { return omniflow.MediaRef{Handle: "https://x/" + kind, Kind: kind} }
	for name, test := range map[string]struct {
		fields string
		want   channel.Event
	}{
		"EX-030 Get started": {`"postback":{"mid":"m","title":"開始使用","payload":"GET_STARTED"}`,
			channel.Event{MessageType: "postback", Text: "開始使用", Received: omniflow.FacebookGetStarted}},
		"section 2 persistent menu": {`"postback":{"mid":"m","title":"Shop","payload":"MENU_SHOP"}`,
			channel.Event{MessageType: "postback", Text: "Shop", Received: omniflow.FacebookPersistentMenu}},
		"a quick reply is a text": {`"message":{"mid":"m","text":"Yes","quick_reply":{"payload":"Y"}}`,
			channel.Event{MessageType: "text", Text: "Yes"}},
		"QUO-01 a reply": {`"message":{"mid":"m","text":"yes","reply_to":{"mid":"m_0"}}`,
			channel.Event{MessageType: "text", Text: "yes", QuotedID: "m_0"}},
		"several files": {`"message":{"mid":"m","attachments":[{"type":"video","payload":{"url":"https://x/video"}},{"type":"audio","payload":{"url":"https://x/audio"}},{"type":"file","payload":{"url":"https://x/file"}}]}`,
			channel.Event{MessageType: "video", Received: media, Media: []omniflow.MediaRef{ref("video"), ref("audio"), ref("file")}}},
		"a sticker, until 2026-08-30 an image": {`"message":{"mid":"m","attachments":[{"type":"image","payload":{"url":"https://x/sticker","sticker_id":369239263222822}}]}`,
			channel.Event{MessageType: "image", Received: media, Media: []omniflow.MediaRef{ref("sticker")}}},
		"a sticker": {`"message":{"mid":"m","attachments":[{"type":"sticker","payload":{"url":"https://x/sticker","sticker_id":"3"}}]}`,
			channel.Event{MessageType: "sticker", Received: media, Media: []omniflow.MediaRef{ref("sticker")}}},
		"D-CNV-4 a location": {`"message":{"mid":"m","attachments":[{"type":"location","payload":{"coordinates":{"lat":25,"long":121}}}]}`,
			channel.Event{MessageType: "location", Received: media}},
		"a typed link": {`"message":{"mid":"m","text":"https://a.example","attachments":[{"type":"fallback","payload":{"url":"https://a.example"}}]}`,
			channel.Event{MessageType: "text", Text: "https://a.example"}},
		"D-CNV-4 a type not known yet": {`"message":{"mid":"m","attachments":[{"type":"hologram","payload":[7]}]}`,
			channel.Event{MessageType: "hologram", Received: media}},
		"D-CNV-4 attachments of another shape": {`"message":{"mid":"m","attachments":["x"]}`,
			channel.Event{Received: media}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.want.Kind, test.want.ProviderID = channel.EventMessage, "m"
			test.want.AccountID, test.want.Recipient, test.want.At = pageID, "700", at
			require.Equal(t, []channel.Event{test.want}, parse(t, hook("messaging", inbound(test.fields))))
		})
	}
}

// A message that names no time is not lost: the relay takes the time at which
// it came.
func TestParseNoTime(t *testing.T) {
	t.Parallel()
	for _, timestamp := range []string{"", `"timestamp":0,`, `"timestamp":"soon",`, `"timestamp":-1,`, `"timestamp":999999999999999999,`} {
		events := parse(t, hook("messaging", `{"sender":{"id":"700"},`+timestamp+`"message":{"mid":"m_1","text":"x"}}`))
		require.Equal(t, channel.EventMessage, events[0].Kind, timestamp)
		require.True(t, events[0].At.IsZero())
	}
}
