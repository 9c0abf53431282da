package omniflow

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBoundAudience(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		a    Audience
		kind BroadcastKind
		want Code
	}{
		{"one channel", Audience{Bound: true, Channel: LINE}, BroadcastMessage, ""},
		{"the same channel as a filter", Audience{Bound: true, Channel: LINE, Channels: []Channel{LINE}}, BroadcastMessage, ""},
		{"no channel: the customers decide", Audience{Bound: true}, BroadcastMessage, ""},
		{"EX-118 WhatsApp and LINE", Audience{Bound: true, Channels: []Channel{WhatsApp, LINE}}, BroadcastMessage, BroadcastCrossChannel},
		{"Facebook", Audience{Bound: true, Channel: Facebook}, BroadcastMessage, BroadcastChannelUnsupported},
		{"a template on LINE", Audience{Bound: true, Channel: LINE}, BroadcastTemplate, TemplateInvalid},
		{"all of my handling too", Audience{Bound: true, All: true}, BroadcastMessage, InvalidInput},
		{"a channel without bound", Audience{Channel: LINE, All: true}, BroadcastMessage, InvalidInput},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, code(test.a.validate(test.kind)))
		})
	}
}

// TestSavedRepliesInTheMatrix is EX-123 as a rule.
func TestSavedRepliesInTheMatrix(t *testing.T) {
	t.Parallel()
	file := []Content{{Kind: SavedReply, Contents: []Content{{Kind: Text}, {Kind: File}}}}
	for _, client := range []Client{Web, App} {
		r := CheckContent(client, []Channel{LINE, WhatsApp, Instagram}, file)
		require.Equal(t, BroadcastContentUnsupported, code(r))
		require.Equal(t, []Channel{Instagram, LINE}, r.Channels)
		require.Equal(t, "目標渠道不支援發送含有檔案類型的預存回覆", r.Text(), "EX-123")
		require.Nil(t, CheckContent(client, []Channel{Facebook, WhatsApp}, file))
		require.Nil(t, CheckContent(client, []Channel{LINE, Instagram}, []Content{{Kind: SavedReply, Contents: []Content{{Kind: Video}}}}))
	}
}
