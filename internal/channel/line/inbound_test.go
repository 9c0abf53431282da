package line

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// told is what an event of the user must say, whoever wrote it when.
func told(t *testing.T, raw string, want channel.Event) {
	t.Helper()
	want.Kind, want.Recipient = channel.EventMessage, userID
	if want.At.IsZero() {
		want.At = time.UnixMilli(1739321024000).UTC()
	}
	require.Equal(t, []channel.Event{want}, parse(t, hook(raw)))
}

func TestParseMessages(t *testing.T) {
	t.Parallel()
	const media, by = omniflow.ReceivedMedia, `"quoteToken":"q","contentProvider":{"type":"line"}`
	file := func(kind, name string) []omniflow.MediaRef {
		return []omniflow.MediaRef{{Handle: "5", Kind: kind, Name: name}}
	}
	for name, test := range map[string]struct {
		fields string
		want   channel.Event
	}{
		"section 10 text": {`"type":"text","id":"5","quoteToken":"q","text":"h\u597d 🎉"`,
			channel.Event{MessageType: "text", Text: "h好 🎉"}},
		"section 2 six-digit code": {`"type":"text","id":"5","quoteToken":"q","text":"042917"`,
			channel.Event{MessageType: "text", Text: "042917", Received: omniflow.LINESixDigitCode}},
		"QUO-01 a reply": {`"type":"text","id":"5","quoteToken":"q","quotedMessageId":"4","text":"yes"`,
			channel.Event{MessageType: "text", Text: "yes", QuotedID: "4"}},
		"section 10 image": {`"type":"image","id":"5",` + by, channel.Event{MessageType: "image", Received: media, Media: file("image", "")}},
		"section 10 video": {`"type":"video","id":"5",` + by, channel.Event{MessageType: "video", Received: media, Media: file("video", "")}},
		"section 10 audio": {`"type":"audio","id":"5",` + by, channel.Event{MessageType: "audio", Received: media, Media: file("audio", "")}},
		"section 10 an image of another app": {`"type":"image","id":"5","contentProvider":{"type":"external","originalContentUrl":"https://10.0.0.1/x"}`,
			channel.Event{MessageType: "image", Received: media, Media: []omniflow.MediaRef{{Kind: "image"}}}},
		"section 10 file": {`"type":"file","id":"5","fileName":"a.pdf","fileSize":7`,
			channel.Event{MessageType: "file", Text: "a.pdf", Received: media, Media: file("file", "a.pdf")}},
		"section 10 location": {`"type":"location","id":"5","title":"Shop","address":"Taipei","latitude":25.0,"longitude":121.5`,
			channel.Event{MessageType: "location", Text: "Shop Taipei 25,121.5", Received: media}},
		"section 10 sticker": {`"type":"sticker","id":"5","packageId":"1","stickerId":"2","stickerResourceType":"STATIC"`,
			channel.Event{MessageType: "sticker", Received: media, Sticker: &omniflow.LINESticker{PackageID: "1", StickerID: "2", Displayable: true}}},
		"STK-04 a collage of stickers": {`"type":"sticker","id":"5","packageId":"1","stickerId":"2","stickerResourceType":"COMBINATION"`,
			channel.Event{MessageType: "sticker", Received: media, Sticker: &omniflow.LINESticker{PackageID: "1", StickerID: "2"}}},
		"D-CNV-4 a type not known yet": {`"type":"hologram","id":"5"`,
			channel.Event{MessageType: "hologram", Received: media, ProviderID: "01FZ74A0TDDPYRVKNK77XKC3ZR"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.want.ProviderID == "" {
				test.want.ProviderID = "5"
			}
			told(t, event("message", `,"message":{`+test.fields+`}`), test.want)
		})
	}
}

func TestParsePostback(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]channel.Event{
		`{"data":"card=7"}`:                     {Received: omniflow.LINERichMenuBotCard},
		`{"data":"omnichat:text:營業時間"}`:         {Received: omniflow.LINERichMenuTextOmnichat, Text: "營業時間"},
		`{"data":"d","params":{"date":"2026"}}`: {Received: omniflow.LINERichMenuBotCard},
	} {
		want.ProviderID, want.MessageType = "01FZ74A0TDDPYRVKNK77XKC3ZR", "postback"
		told(t, event("postback", `,"postback":`+data), want)
	}
	other := parse(t, hook(event("postback", `,"postback":{"data":"d","params":{"newRichMenuAliasId":"b","status":"SUCCESS"}}`)))
	require.Equal(t, channel.EventOther, other[0].Kind, "changing the menu says nothing")
}

// A message that names no time that could be is not lost: the relay takes the
// time at which it came.
func TestParseTimes(t *testing.T) {
	t.Parallel()
	text := `,"webhookEventId":"e","source":{"type":"user","userId":"` + userID + `"},"message":{"type":"text","id":"5","text":"x"}}`
	for timestamp, want := range map[string]time.Time{
		"0": {}, "-5": {}, "253402300800000": {}, "1000": time.UnixMilli(1000).UTC(), "4102444800000": time.UnixMilli(4102444800000).UTC(),
	} {
		events := parse(t, hook(`{"type":"message","timestamp":`+timestamp+text))
		require.Equal(t, channel.EventMessage, events[0].Kind, timestamp)
		require.Equal(t, want, events[0].At, timestamp)
	}
}
