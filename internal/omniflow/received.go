package omniflow

import "slices"

// ReceivedKind is the type of a message that a customer sent (接收訊息類型,
// section 2). A type that is in no row counts as ReceivedMedia (D-CNV-4).
type ReceivedKind string

// The rows of the table of section 2.
const (
	LINERichMenuBotCard      ReceivedKind = "line_rich_menu_bot_card"
	LINERichMenuTextOmnichat ReceivedKind = "line_rich_menu_text_omnichat" // set in Omnichat
	LINERichMenuTextLINE     ReceivedKind = "line_rich_menu_text_line"     // set in LINE
	LINESixDigitCode         ReceivedKind = "line_six_digit_code"
	FacebookGetStarted       ReceivedKind = "facebook_get_started"
	FacebookPersistentMenu   ReceivedKind = "facebook_persistent_menu"
	TextKeywordHit           ReceivedKind = "text_keyword_hit"
	TextNoKeyword            ReceivedKind = "text_no_keyword"
	ReceivedMedia            ReceivedKind = "media"
	AskedForHuman            ReceivedKind = "ask_human" // web chat: the customer asks for a human (CNV-11)
)

// arrival is one row of the table of section 2: the state after a message
// reached no conversation, one in pending_bot, or a closed one. What says
// PendingHuman is Handling where a member is assigned (the "*", CNV-18).
type arrival struct{ fresh, bot, closed ConversationState }

// arrivals is CNV-13, CNV-15 and CNV-17.
var arrivals = map[ReceivedKind]arrival{
	LINERichMenuBotCard:      {PendingBot, PendingBot, PendingBot},
	LINERichMenuTextOmnichat: {PendingBot, PendingBot, PendingBot},
	LINERichMenuTextLINE:     {PendingHuman, PendingHuman, PendingHuman},
	LINESixDigitCode:         {PendingBot, PendingBot, PendingBot},
	FacebookGetStarted:       {PendingBot, PendingBot, PendingBot},
	FacebookPersistentMenu:   {PendingBot, PendingBot, PendingBot},
	TextKeywordHit:           {PendingBot, PendingBot, PendingBot},
	TextNoKeyword:            {PendingHuman, PendingHuman, PendingHuman},
	ReceivedMedia:            {PendingHuman, PendingHuman, PendingHuman},
	AskedForHuman:            {PendingHuman, PendingHuman, PendingHuman},
}

// ReceiveMessage is the state of a one-to-one conversation without
// collaborators after a message of the given kind (CNV-13 to CNV-18).
// pending_human and handling never change. assigned says that keyword
// auto-assignment names a member, who becomes the follower when the result is
// handling; in every other result that differs from s there is no follower
// (D-CNV-6).
func ReceiveMessage(s ConversationState, kind ReceivedKind, assigned bool) ConversationState {
	row, ok := arrivals[kind]
	if !ok {
		row = arrivals[ReceivedMedia] // D-CNV-4
	}
	next := s
	switch s {
	case NoConversation:
		next = row.fresh
	case PendingBot:
		next = row.bot
	case Closed:
		next = row.closed
	}
	if s != PendingHuman && next == PendingHuman && assigned {
		return Handling
	}
	return next
}

// ReceiveInGroup is the state of a group conversation after a member wrote:
// new and closed ones go to pending_human (LNG-10, GRP-22, LNG-53, D-GRP-7),
// but a collaboration goes back to handling (COL-07, X-11).
func ReceiveInGroup(s ConversationState, collaborators bool) ConversationState {
	if s == PendingHuman || s == Handling {
		return s
	}
	if collaborators {
		return Handling
	}
	return PendingHuman
}

// AutoReplies says whether an automatic reply fires in state s. ticked is its
// setting 對話事件狀態 (CNV-16).
func AutoReplies(s ConversationState, ticked []ConversationState) bool {
	return slices.Contains(ticked, s)
}
