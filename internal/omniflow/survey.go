package omniflow

import (
	"slices"
	"time"
)

// Survey is the satisfaction survey that a team sends after every ending
// (滿意度調查, COL-28, COL-44).
type Survey struct {
	Text     string    // "": none
	Channels []Channel // none: every channel
}

// surveyChannels are all channels (COL-44).
var surveyChannels = [...]Channel{LINE, Facebook, WhatsApp, Instagram, Webchat, WeChat}

// Check says whether s may be stored: input_invalid, and what CheckText
// refuses.
func (s Survey) Check() *Refusal {
	if s.Text == "" {
		return nil
	}
	for _, ch := range s.Channels {
		if !slices.Contains(surveyChannels[:], ch) {
			return Refuse(InvalidInput, "COL-44", "a channel must be one of %v", surveyChannels)
		}
	}
	for _, ch := range BroadcastChannels { // those with a limit of length
		if len(s.Channels) > 0 && !slices.Contains(s.Channels, ch) {
			continue
		}
		if no := CheckText(ch, s.Text); no != nil {
			return no
		}
	}
	return nil
}

// Applies says whether a conversation of type typ on ch gets the survey at
// now: a window that is over lets nothing out that a bot wrote.
func (s Survey) Applies(ch Channel, typ ConversationType, last *time.Time, now time.Time) bool {
	return s.Text != "" && typ == OneToOne && (len(s.Channels) == 0 || slices.Contains(s.Channels, ch)) && BotMayWrite(ch, last, now)
}

// BotMayWrite says whether a text that no person wrote may be sent on ch now:
// reminders, surveys, automatic replies. HUMAN_AGENT is for people only
// (D-WIN-2), so Facebook and Instagram let nothing out after 24 h; a channel
// without a window always does.
func BotMayWrite(ch Channel, last *time.Time, now time.Time) bool {
	return !slices.Contains(BroadcastChannels[:], ch) || CheckBroadcastWindow(ch, Text, last, now) == nil
}
