package omniflow

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestContentMatrices(t *testing.T) {
	t.Parallel()
	columns := [...]Channel{LINE, Facebook, Instagram, WhatsApp}
	for _, test := range []struct {
		name   string
		client Client
		kind   MessageKind
		want   [4]bool
	}{
		{"BRD-06 emoji", Web, Emoji, [4]bool{true, true, true, true}},
		{"BRD-06 image", Web, Image, [4]bool{true, true, true, true}},
		{"BRD-06 video", Web, Video, [4]bool{true, true, false, true}},
		{"BRD-06 file", Web, File, [4]bool{false, true, false, true}},
		{"BRD-06 saved reply", Web, SavedReply, [4]bool{true, true, true, true}},
		{"BRD-07 image", App, Image, [4]bool{true, true, true, true}},
		{"BRD-07 video", App, Video, [4]bool{true, true, true, true}},
		{"BRD-07 file", App, File, [4]bool{false, true, true, true}},
		{"BRD-07 saved reply", App, SavedReply, [4]bool{true, true, true, true}},
		{"BRD-08 emoji in the app", App, Emoji, [4]bool{true, true, true, true}},
		{"D-BRD-1 text", Web, Text, [4]bool{true, true, true, true}},
		{"D-BRD-1 text in the app", App, Text, [4]bool{true, true, true, true}},
		{"BRD-03 template", Web, TemplateKind, [4]bool{false, false, false, true}},
		{"BRD-03 template in the app", App, TemplateKind, [4]bool{false, false, false, true}},
		{"a kind in no row", Web, Sticker, [4]bool{}},
		{"the client left out is the Web", "", Video, [4]bool{true, true, false, true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for i, ch := range columns {
				require.Equal(t, test.want[i], ContentAllowed(test.client, ch, test.kind), ch)
			}
			require.False(t, ContentAllowed(test.client, Webchat, test.kind))
			require.False(t, ContentAllowed(test.client, WeChat, test.kind))
		})
	}
}

func TestCheckContent(t *testing.T) {
	t.Parallel()
	video, file := ContentFacts{Kind: Video}, ContentFacts{Kind: File}
	withFile := ContentFacts{Kind: SavedReply, HasFile: true}
	lineBot := ContentFacts{Kind: SavedReply, BotModule: true, BotChannels: []Channel{LINE}}
	for _, test := range []struct {
		name     string
		client   Client
		channels []Channel
		content  ContentFacts
		want     []Channel
		text     string
	}{
		{"EX-114 a video to Instagram from the Web", Web, []Channel{Facebook, Instagram}, video, []Channel{Instagram}, ""},
		{"EX-114 a video to Instagram from the app", App, []Channel{Facebook, Instagram}, video, nil, ""},
		{"EX-115 a file to LINE from the Web", Web, []Channel{WhatsApp, LINE}, file, []Channel{LINE}, ""},
		{"EX-115 a file to LINE from the app", App, []Channel{WhatsApp, LINE}, file, []Channel{LINE}, ""},
		{"EX-123 a saved reply with a file, a LINE recipient", App, []Channel{WhatsApp, LINE}, withFile, []Channel{LINE}, "目標渠道不支援發送含有檔案類型的預存回覆"},
		{"D-BRD-5 a saved reply with a file to Instagram", Web, []Channel{LINE, Instagram, LINE}, withFile, []Channel{Instagram, LINE}, "目標渠道不支援發送含有檔案類型的預存回覆"},
		{"RPL-06 a saved reply with a file to WhatsApp and Facebook", Web, []Channel{WhatsApp, Facebook}, withFile, nil, ""},
		{"EX-129 a LINE-only bot to Facebook", Web, []Channel{LINE, Facebook}, lineBot, []Channel{Facebook}, "目標渠道不支援發送此類型的機器人模組"},
		{"RPL-09 a LINE-only bot to LINE", Web, []Channel{LINE}, lineBot, nil, ""},
		{"nobody", Web, nil, file, nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			refusal := CheckContentFacts(test.client, test.channels, []ContentFacts{{Kind: Text}, test.content})
			if test.want == nil {
				require.Nil(t, refusal)
				return
			}
			require.Equal(t, BroadcastContentUnsupported, code(refusal))
			require.Equal(t, test.want, refusal.Channels)
			require.Equal(t, test.text, refusal.Text())
			if test.channels != nil && refusal.Channels != nil {
				require.Contains(t, refusal.Detail, string(refusal.Channels[0]))
			}
		})
	}
	require.Nil(t, CheckContent(Web, BroadcastChannels[:], texts(5)))
	require.Equal(t, []Channel{Facebook, Instagram, LINE}, CheckContent(Web, BroadcastChannels[:], []Content{template()}).Channels)
}
