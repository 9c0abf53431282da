package omniflow

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
)

// The longest keyword, in characters, and how many rules a team may have.
const (
	MaxKeyword      = 100
	MaxKeywordRules = 500
)

// KeywordMatch is how a keyword is compared with what a customer wrote; capital
// letters and spaces around it make no difference.
type KeywordMatch string

// The ways to compare.
const (
	MatchExact    KeywordMatch = "exact"
	MatchContains KeywordMatch = "contains"
)

// KeywordRule is what a team wants done with a keyword: it answers (CNV-10),
// assigns the conversation to a member (CNV-18), or says that the customer asks
// for a human (CNV-11); one or more of them.
type KeywordRule struct {
	ID       uuid.UUID           `json:"id"`
	Keyword  string              `json:"keyword"`
	Match    KeywordMatch        `json:"match"`
	Channels []Channel           `json:"channels"` // none: every channel
	Reply    string              `json:"reply"`    // "" answers nothing
	States   []ConversationState `json:"states"`   // in which the reply fires (對話事件狀態)
	AssignTo uuid.UUID           `json:"assign_to"`
	AskHuman bool                `json:"ask_human"`
}

// conversationChannels are all that have conversations.
var conversationChannels = []Channel{WhatsApp, LINE, Facebook, Instagram, Webchat, WeChat}

// repliedStates are those whose box a reply can have ticked (CNV-16).
var repliedStates = []ConversationState{PendingHuman, PendingBot, Handling}

// Check says whether r can be used: input_invalid, channel_unknown,
// message_too_long and the others of CheckText.
func (r KeywordRule) Check() *Refusal {
	switch {
	case strings.TrimSpace(r.Keyword) == "" || checkUnicode(r.Keyword) != nil:
		return Refuse(InvalidInput, "CNV-10", "a rule needs a keyword")
	case utf8.RuneCountInString(r.Keyword) > MaxKeyword:
		return Refuse(InvalidInput, "CNV-10", "a keyword has at most %d characters", MaxKeyword)
	case r.Match != MatchExact && r.Match != MatchContains:
		return Refuse(InvalidInput, "CNV-10", "match must be exact or contains")
	case r.Reply == "" && r.AssignTo == uuid.Nil && !r.AskHuman:
		return Refuse(InvalidInput, "CNV-10", "a rule answers, assigns to a member, or asks for a human")
	case r.Reply != "" && len(r.States) == 0:
		return Refuse(InvalidInput, "CNV-16", "a reply needs a state in which it fires")
	}
	for _, s := range r.States {
		if !slices.Contains(repliedStates, s) {
			return Refuse(InvalidInput, "CNV-16", "a reply fires in pending_human, pending_bot or handling")
		}
	}
	return r.checkChannels()
}

func (r KeywordRule) checkChannels() *Refusal {
	channels := r.Channels
	for _, ch := range channels {
		if !slices.Contains(conversationChannels, ch) {
			return Refuse(ChannelUnknown, "CNV-02", "a channel must be one of %v", conversationChannels)
		}
	}
	if len(channels) == 0 {
		channels = conversationChannels
	}
	for _, ch := range channels {
		if r.Reply == "" {
			break
		}
		if no := CheckText(ch, r.Reply); no != nil {
			return no
		}
	}
	return nil
}

func (r KeywordRule) matches(ch Channel, text string) bool {
	if len(r.Channels) > 0 && !slices.Contains(r.Channels, ch) {
		return false
	}
	keyword := foldKeyword(r.Keyword)
	if r.Match == MatchExact {
		return text == keyword
	}
	return strings.Contains(text, keyword)
}

func foldKeyword(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// KeywordHit is what the rules of a team say of one text.
type KeywordHit struct {
	Reply    *KeywordRule // that answers
	AssignTo uuid.UUID
	AskHuman bool
}

// MatchKeywords finds what rules, in the order in which they were made, say of
// a text: of several that answer, or assign, the first exact one counts, else
// the first.
func MatchKeywords(rules []KeywordRule, ch Channel, text string) KeywordHit {
	var hit KeywordHit
	text = foldKeyword(text)
	if text == "" {
		return hit
	}
	for _, match := range []KeywordMatch{MatchExact, MatchContains} {
		for i, r := range rules {
			if r.Match != match || !r.matches(ch, text) {
				continue
			}
			if hit.Reply == nil && r.Reply != "" {
				hit.Reply = &rules[i]
			}
			if hit.AssignTo == uuid.Nil {
				hit.AssignTo = r.AssignTo
			}
			hit.AskHuman = hit.AskHuman || r.AskHuman
		}
	}
	return hit
}

// Received is the row of the table of section 2 that a text is in. One that
// assigns follows the assignment even where it is answered too (D-CNV-4), and
// so does one that asks for a human (CNV-11).
func (h KeywordHit) Received() ReceivedKind {
	switch {
	case h.AskHuman:
		return AskedForHuman
	case h.Reply != nil && h.AssignTo == uuid.Nil:
		return TextKeywordHit
	}
	return TextNoKeyword
}

// PermitKeywords says whether role may set up keyword rules: those who manage
// a team's settings do, everybody who handles conversations sees them.
func PermitKeywords(role Role) *Refusal {
	if role == Administrator || role == Supervisor {
		return nil
	}
	return Refuse(PermissionDenied, "ROL-04", "the role %q may not set up keyword rules", role)
}
