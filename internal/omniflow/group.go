package omniflow

import (
	"strings"
	"time"

	"github.com/google/uuid"
)

// Defaults of a team's group settings (D-GRP-4, D-MEM-3).
const (
	DefaultGroupReviewTimeout = 24 * time.Hour
	DefaultInvitationTimeout  = 7 * 24 * time.Hour
	DefaultRemovalTimeout     = 24 * time.Hour
)

// GroupState is how far the creation of a WhatsApp group has come (GRP-10).
type GroupState string

// The states of a creation.
const (
	GroupReviewing GroupState = "reviewing" // 審核中
	GroupCreated   GroupState = "created"   // 建立成功
	GroupFailed    GroupState = "failed"    // 建立失敗
)

// GroupResult is what ends a review.
type GroupResult string

// The results of a review.
const (
	GroupSucceeded GroupResult = "success"
	GroupRefused   GroupResult = "failure" // by webhook, or by the create call itself
	GroupTimedOut  GroupResult = "timeout" // D-GRP-4
)

// groupResults is the first table of section 10. What is not in it is ignored
// as a duplicate.
var groupResults = map[GroupState]map[GroupResult]GroupState{
	GroupReviewing: {GroupSucceeded: GroupCreated, GroupRefused: GroupFailed, GroupTimedOut: GroupFailed},
}

// NextGroupState gives the state of a creation after a result, and whether
// that is a change. code is why it failed: only a review that timed out may
// still succeed (D-GRP-4).
func NextGroupState(s GroupState, code Code, r GroupResult) (GroupState, bool) {
	if s == GroupFailed && code == ReviewTimeout && r == GroupSucceeded {
		return GroupCreated, true
	}
	next, ok := groupResults[s][r]
	if !ok {
		return s, false
	}
	return next, true
}

// CreateCall is what is known of the one call that asks for a group.
type CreateCall string

// The states of the call. Calling is committed before a byte leaves, so that
// whoever finds it there later knows that the call was perhaps made.
const (
	CallDue      CreateCall = "due"
	CallUnderWay CreateCall = "calling"
	CallAccepted CreateCall = "accepted"
	CallUnknown  CreateCall = "unknown" // perhaps made: the group is looked for, never asked for again
)

// Group is a WhatsApp group as the rules and the activities see it. Its id is
// also that of its conversation and of the request that asked for it.
type Group struct {
	ID, TeamID, ChannelAccountID, CreatorID uuid.UUID
	Name, Description                       string
	ApprovalRequired                        bool
	State                                   GroupState
	Code                                    Code // why it failed
	Call                                    CreateCall
	Tries                                   int
	CalledAt, NextAt, ReviewUntil           time.Time
	ProviderID                              string // "" before the success
	Suspended, Deleted                      bool
	OnUnknown                               UnknownPolicy // of the team
	ReconcileAfter                          time.Duration
}

// Usable refuses with group_not_approved what needs a created group, and with
// group_suspended or group_deleted what the provider would refuse (GRP-18).
func (g Group) Usable() *Refusal {
	switch {
	case g.State != GroupCreated:
		r := Refuse(GroupNotApproved, "GRP-18", "the group is %s", g.State)
		r.Key = TextWAGroupNotApproved
		return r
	case g.Deleted:
		return Refuse(GroupWasDeleted, "GRP-18", "the group was deleted at the provider")
	case g.Suspended:
		return Refuse(GroupSuspended, "GRP-18", "the provider has suspended the group")
	}
	return nil
}

// GroupTitle is how a group is listed (GRP-13, GRP-17).
func GroupTitle(name string) string { return "[群組] " + name }

// GroupText trims a name or a description as it is submitted.
func GroupText(s string) string { return strings.TrimSpace(s) }

// CheckGroupName refuses a trimmed name; bytes are those of the UTF-8 text,
// without normalisation (D-GRP-2): group_name_required,
// group_name_too_long, group_text_emoji, input_invalid.
func CheckGroupName(name string) *Refusal {
	if name == "" {
		return Refuse(GroupNameRequired, "GRP-06", "a group has a name")
	}
	return checkGroupText(name, MaxGroupNameBytes, GroupNameTooLong, "GRP-06", "name")
}

// CheckGroupDescription refuses a trimmed description:
// group_description_too_long, group_text_emoji, input_invalid.
func CheckGroupDescription(description string) *Refusal {
	return checkGroupText(description, MaxGroupDescriptionBytes, GroupDescriptionTooLong, "GRP-07", "description")
}

func checkGroupText(text string, most int, tooLong Code, rule, noun string) *Refusal {
	if no := checkUnicode(text); no != nil {
		return no
	}
	if len(text) > most {
		return Refuse(tooLong, rule, "the %s of a group has at most %d bytes, not %d", noun, most, len(text))
	}
	if HasEmoji(text) {
		return Refuse(GroupTextEmoji, rule, "the %s of a group holds no emoji", noun)
	}
	return nil
}

// CheckGroupMembers refuses how many numbers are asked for at creation, or a
// number twice: group_members_required, group_members_limit, phone_duplicate.
func CheckGroupMembers(phones []string) *Refusal {
	switch {
	case len(phones) == 0:
		return Refuse(GroupMembersRequired, "GRP-08", "a group is made with 1 to %d numbers", MaxGroupMembers)
	case len(phones) > MaxGroupMembers:
		return Refuse(GroupMembersLimit, "GRP-08", "a group is made with 1 to %d numbers, not %d", MaxGroupMembers, len(phones))
	}
	seen := map[string]bool{}
	for i, p := range phones {
		if seen[p] {
			return Refuse(PhoneDuplicate, "GRP-08", "number %d is in the list twice", i+1)
		}
		seen[p] = true
	}
	return nil
}
