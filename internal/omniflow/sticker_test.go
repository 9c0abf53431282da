package omniflow

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckSticker(t *testing.T) {
	t.Parallel()
	require.Equal(t, StickerUnsupported, code(CheckSticker(Facebook, true)), "EX-076")
	require.Nil(t, CheckSticker(LINE, false), "STK-01")
	require.Nil(t, CheckSticker(WhatsApp, true))
	require.Equal(t, StickerAddonRequired, code(CheckSticker(WhatsApp, false)))
	for _, ch := range []Channel{Instagram, Webchat, WeChat} {
		require.Equal(t, StickerUnsupported, code(CheckSticker(ch, true)), ch)
		require.False(t, ContentAllowed(App, ch, Sticker), "nor by broadcast")
	}
}
