package omniflow

import (
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// The code points that make an emoji of what stands beside them (D-GRP-3).
const (
	textSelector   = '\uFE0E'
	emojiSelector  = '\uFE0F'
	keycapCombiner = '\u20E3'
)

// HasEmoji says whether text holds an emoji by the Unicode properties that
// D-GRP-3 names: a code point that is shown as one by itself, a regional
// indicator, variation selector 16, the keycap combiner, a skin tone or a tag.
// Digits, "#", "*" and symbols such as ★, ✓ or © alone are none. A zero-width
// joiner neither makes nor hides one.
func HasEmoji(text string) bool {
	for _, r := range text {
		switch {
		case r == emojiSelector, r == keycapCombiner,
			r >= 0x1F1E6 && r <= 0x1F1FF, // regional indicators
			r >= 0x1F3FB && r <= 0x1F3FF, // skin tones
			r >= 0xE0020 && r <= 0xE007F, // tags
			emojiPresentation(r):
			return true
		}
	}
	return false
}

// emojiPresentation reads the property Emoji_Presentation out of uniseg's
// tables: of the wide code points, only one that is shown as an emoji becomes
// narrow when the text selector follows it.
func emojiPresentation(r rune) bool {
	if r < utf8.RuneSelf || uniseg.StringWidth(string(r)) != 2 {
		return false
	}
	return uniseg.StringWidth(string(r)+string(textSelector)) == 1
}
