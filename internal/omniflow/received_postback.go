package omniflow

import (
	"slices"
	"strings"
)

// What tells buttons apart when a customer taps them. A provider says only
// which data the tapped button carries, so the buttons that Omnichat makes
// carry data of these forms.
const (
	// LINEMenuText begins the postback data of a rich menu's text button that
	// was set in Omnichat; the button's text follows. The data of a bot-card
	// button is anything else: whatever is set in LINE's own console posts
	// nothing back, so that every other postback is a button of a bot.
	LINEMenuText = "omnichat:text:"
	// FacebookStart begins the payload of a page's "Get started" button, in
	// any case. The payload of the persistent menu is anything else.
	FacebookStart = "GET_STARTED"
)

// sixDigits is the length of the code of LINE's social subscription.
const sixDigits = 6

// ReadLINEPostback tells which row of section 2 a tapped button of LINE is,
// and the text that the customer saw on it, where the data holds it.
func ReadLINEPostback(data string) (kind ReceivedKind, text string) {
	if text, ok := strings.CutPrefix(data, LINEMenuText); ok {
		return LINERichMenuTextOmnichat, text
	}
	return LINERichMenuBotCard, ""
}

// ReadLINEText tells a six-digit code of the social subscription from any
// other text, which keywords decide: "". LINE says no more of either than its
// text, so that six digits alone are the code.
func ReadLINEText(text string) ReceivedKind {
	text = strings.TrimSpace(text)
	if len(text) != sixDigits || strings.Trim(text, "0123456789") != "" {
		return ""
	}
	return LINESixDigitCode
}

// ReadLINEMenuText tells a rich menu's text button that was set in LINE from a
// text that was typed: LINE sends both as the same message, so the team lists
// the texts of its menu (menuTexts). Not listed is a text like any other.
func ReadLINEMenuText(text string, menuTexts []string) ReceivedKind {
	if slices.Contains(menuTexts, strings.TrimSpace(text)) {
		return LINERichMenuTextLINE
	}
	return ""
}

// ReadFacebookPostback tells which row of section 2 a tapped button of
// Messenger is.
func ReadFacebookPostback(payload string) ReceivedKind {
	if len(payload) >= len(FacebookStart) && strings.EqualFold(payload[:len(FacebookStart)], FacebookStart) {
		return FacebookGetStarted
	}
	return FacebookPersistentMenu
}
