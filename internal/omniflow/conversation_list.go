package omniflow

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
)

// ConversationSort is an order of the conversation list (SRC-05); a minus is
// new to old.
type ConversationSort string

// The orders. What has no follower is last by follow time (D-SRC-1), and what
// does not wait is last by waiting time, longest first (WTG-05).
const (
	NewestMessage  ConversationSort = "-last_message" // the default, unless only those who wait too long are shown
	OldestMessage  ConversationSort = "last_message"
	NewestFollowed ConversationSort = "-followed"
	OldestFollowed ConversationSort = "followed"
	LongestWaiting ConversationSort = "waiting"
)

// The values of the filter by type beside the types themselves, and of the one
// by who follows (SRC-06).
const (
	AnyGroup            = "group"
	FollowedOnly        = "followed" // a follower and nobody else
	CollaborativeOnly   = "collaborative"
	maxSearchCharacters = 100
)

// ConversationFilter is what a conversation list shows (SRC-01 to SRC-08); the
// zero value of a field filters nothing.
type ConversationFilter struct {
	View         View
	Channel      Channel
	Type         string // a ConversationType or AnyGroup
	Follow       string
	Waiting      bool   // too long: D-WTG-5
	Unread       bool   // for the viewer
	Search       string // in name, phone, email, note, tag and messages (SRC-03)
	Tag          string
	Member       uuid.UUID // the follower (SRC-04)
	MemberRole   Role
	MemberStore  string
	MemberRegion string
	Sort         ConversationSort
}

// Check fills in the default order and refuses with bad_query what is unknown.
// Of those who wait too long the longest is first (WTG-05, SRC-06).
func (f *ConversationFilter) Check() *Refusal {
	switch {
	case f.Sort != "":
	case f.Waiting:
		f.Sort = LongestWaiting
	default:
		f.Sort = NewestMessage
	}
	f.Search = strings.TrimSpace(f.Search)
	for _, c := range []struct {
		name, value string
		known       []string
	}{
		{"view", string(f.View), []string{string(PendingHumanView), string(PendingBotView), string(MyHandling), string(TeamHandling), string(MyClosed), string(TeamClosed)}},
		{"channel", string(f.Channel), []string{string(WhatsApp), string(LINE), string(Facebook), string(Instagram), string(Webchat), string(WeChat)}},
		{"type", f.Type, []string{string(OneToOne), string(WhatsAppGroup), string(LINEGroup), AnyGroup}},
		{"follow", f.Follow, []string{FollowedOnly, CollaborativeOnly}},
		{"sort", string(f.Sort), []string{string(NewestMessage), string(OldestMessage), string(NewestFollowed), string(OldestFollowed), string(LongestWaiting)}},
	} {
		if c.value != "" && !slices.Contains(c.known, c.value) {
			return Refuse(BadQuery, "SRC-06", "%s must be one of %s", c.name, strings.Join(c.known, ", "))
		}
	}
	if f.MemberRole != "" && !slices.Contains(Roles[:], f.MemberRole) {
		return Refuse(BadQuery, "SRC-04", "member_role is no role of a team")
	}
	if checkUnicode(f.Search+f.Tag+f.MemberStore+f.MemberRegion) != nil || utf8.RuneCountInString(f.Search) > maxSearchCharacters {
		return Refuse(BadQuery, "SRC-03", "a search has at most %d characters, valid Unicode and no NUL", maxSearchCharacters)
	}
	return nil
}
