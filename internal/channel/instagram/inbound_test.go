package instagram

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

func TestParseIncoming(t *testing.T) {
	t.Parallel()
	const media = omniflow.ReceivedMedia
	for name, test := range map[string]struct {
		fields string
		want   channel.Event
	}{
		"an ice breaker is a text": {`"postback":{"mid":"a","title":"Where are you?","payload":"P"}`,
			channel.Event{MessageType: "postback", Text: "Where are you?"}},
		"FIL-08 keep in chat": {`"message":{"mid":"a","attachments":[{"type":"image","payload":{"url":"https://x"}}]}`,
			channel.Event{MessageType: "image", Received: media, Media: []omniflow.MediaRef{{Handle: "https://x", Kind: "image"}}}},
		"FIL-08 view once": {`"message":{"mid":"a","attachments":[{"type":"ephemeral"}]}`,
			channel.Event{MessageType: "ephemeral", Received: media, Media: []omniflow.MediaRef{{Kind: "image"}}}},
		"FIL-08 allow replay": {`"message":{"mid":"a","is_unsupported":true,"attachments":[{"type":"image","payload":{}}]}`,
			channel.Event{MessageType: "unsupported", Received: media, Media: []omniflow.MediaRef{{Kind: "image"}}}},
		"section 10.3 reel": {`"message":{"mid":"a","attachments":[{"type":"ig_reel","payload":{"url":"https://x","title":"t"}}]}`,
			channel.Event{MessageType: "ig_reel", Received: media, Media: []omniflow.MediaRef{{Handle: "https://x", Kind: "video"}}}},
		"QUO-01 a reply": {`"message":{"mid":"a","text":"yes","reply_to":{"mid":"b"}}`,
			channel.Event{MessageType: "text", Text: "yes", QuotedID: "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.want.Kind, test.want.ProviderID, test.want.At = channel.EventMessage, "a", time.UnixMilli(1739321024000).UTC()
			test.want.AccountID, test.want.Recipient = igID, "700"
			require.Equal(t, []channel.Event{test.want}, parse(t, hook(inbound(test.fields))))
		})
	}
}
