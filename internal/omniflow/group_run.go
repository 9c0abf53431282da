package omniflow

import (
	"strings"
	"time"

	"github.com/google/uuid"
)

// The workflows of groups, as the outbox promises them. A transaction that
// needs a run names it, so their ids are made here.
const (
	CreateGroupRun       = "CreateGroup"
	ChangeGroupMemberRun = "ChangeGroupMember"
	ChangeGroupRun       = "ChangeGroup"
	// SignalChanged tells a run that what it waits for may have come.
	SignalChanged = "changed"
)

// GroupRef names a group to a run: ids only (SYS-12).
type GroupRef struct {
	TeamID  uuid.UUID `json:"team_id"`
	GroupID uuid.UUID `json:"group_id"`
}

// MemberRef names a member of a group to a run.
type MemberRef struct {
	GroupRef
	MemberID uuid.UUID `json:"member_id"`
}

// ChangeRef names a change of a group to a run.
type ChangeRef struct {
	GroupRef
	ChangeID uuid.UUID `json:"change_id"`
}

// MessageRef names a message of the ledger to a run.
type MessageRef struct {
	TeamID    uuid.UUID `json:"team_id"`
	MessageID uuid.UUID `json:"message_id"`
}

// CreateGroupID is the workflow id of a request for a group: "wa-group/{team}/{group}".
func CreateGroupID(teamID, groupID uuid.UUID) string {
	return "wa-group/" + teamID.String() + "/" + groupID.String()
}

// ChangeGroupMemberID is the workflow id of one number in a group:
// "wa-group-member/{team}/{group}/{hash}". hash is keyed: the number cannot be
// read from it.
func ChangeGroupMemberID(teamID, groupID uuid.UUID, hash string) string {
	return "wa-group-member/" + teamID.String() + "/" + groupID.String() + "/" + hash
}

// ChangeGroupID is the workflow id of one change of a group.
func ChangeGroupID(teamID, changeID uuid.UUID) string {
	return "wa-group-change/" + teamID.String() + "/" + changeID.String()
}

// markerPrefix begins the last line of a group's description at the provider.
const markerPrefix = "ref:"

// GroupMarker is the last line of the description of the group with this id:
// 64 random bits of the id. By it the group is found when the answer to the
// call that asked for it was lost.
func GroupMarker(id uuid.UUID) string {
	return markerPrefix + strings.ReplaceAll(id.String(), "-", "")[16:]
}

// MarkedDescription is description with the marker as its last line. A
// description that leaves no room for it stays as it is and is its own mark.
func MarkedDescription(description, marker string) string {
	switch {
	case description == "":
		return marker
	case len(description)+1+len(marker) > MaxGroupDescriptionBytes:
		return description
	}
	return description + "\n" + marker
}

// MarkerOf is the marker in a description, or "".
func MarkerOf(description string) string {
	last := description[strings.LastIndexByte(description, '\n')+1:]
	if strings.HasPrefix(last, markerPrefix) {
		return last
	}
	return ""
}

// GroupStep is what a run does next for a group under review.
type GroupStep string

// The steps of a creation.
const (
	GroupAsk    GroupStep = "ask"  // make the create call
	GroupLook   GroupStep = "look" // list the provider's groups
	GroupAwait  GroupStep = "wait"
	GroupFinish GroupStep = "end"
)

// Next says what to do for g at now, and until when to wait.
func (g Group) Next(now time.Time) (GroupStep, time.Time) {
	if g.State != GroupReviewing {
		return GroupFinish, time.Time{}
	}
	switch g.Call {
	case CallDue, CallUnderWay:
		if g.Call == CallDue && g.NextAt.After(now) {
			return GroupAwait, g.NextAt
		}
		return GroupAsk, time.Time{}
	case CallAccepted:
		if g.ReviewUntil.After(now) {
			return GroupAwait, g.ReviewUntil
		}
		return GroupLook, time.Time{}
	}
	if g.NextAt.After(now) && g.ReviewUntil.After(now) {
		return GroupAwait, earliest(g.NextAt, g.ReviewUntil)
	}
	return GroupLook, time.Time{}
}

// GroupEvent is one thing that a webhook said about a group, about one member
// at most. Types are those of channel.GroupEventType.
type GroupEvent struct {
	TeamID           uuid.UUID `json:"team_id"`
	ChannelAccountID uuid.UUID `json:"channel_account_id"`
	Type             string    `json:"type"`
	GroupID          string    `json:"group_id,omitempty"` // provider's
	RequestID        string    `json:"request_id,omitempty"`
	Subject          string    `json:"subject,omitempty"`
	Description      string    `json:"description,omitempty"`
	InviteLink       string    `json:"invite_link,omitempty"`
	User             string    `json:"user,omitempty"` // digits
	UserHash         string    `json:"user_hash,omitempty"`
	JoinRequestID    string    `json:"join_request_id,omitempty"`
	Code             Code      `json:"code,omitempty"` // of a failure
	At               time.Time `json:"at"`
	Raw              []byte    `json:"raw,omitempty"` // for the dead letter
}

// The types of group events.
const (
	OnGroupCreated      = "group_created"
	OnGroupCreateFailed = "group_create_failed"
	OnGroupDeleted      = "group_deleted"
	OnGroupDeleteFailed = "group_delete_failed"
	OnMemberJoined      = "member_joined"
	OnMemberLeft        = "member_left"
	OnMemberRemoved     = "member_removed"
	OnRemoveFailed      = "member_remove_failed"
	OnJoinRequested     = "join_requested"
	OnJoinRevoked       = "join_revoked"
	OnSettingsUpdated   = "settings_updated"
	OnSettingsFailed    = "settings_failed"
	OnSuspended         = "suspended"
	OnRestored          = "restored"
)

// GroupChange is one change of a group as its steps see it.
type GroupChange struct {
	ID, TeamID, GroupID, ChannelAccountID uuid.UUID
	Kind                                  string // settings, reset_link or delete
	Name, Description                     string
	Marker                                string
	ProviderID                            string
	State                                 string // pending, done or failed
	Code                                  Code
	Called                                bool
	Tries                                 int
	NextAt, Deadline                      time.Time
}

// The kinds of changes of a group, and their states.
const (
	ChangeSettings  = "settings"
	ChangeResetLink = "reset_link"
	ChangeDelete    = "delete"

	ChangePending = "pending"
	ChangeDone    = "done"
	ChangeFailed  = "failed"
)

// MessageStatus is where a message stands for who sends it.
type MessageStatus struct {
	State MessageState `json:"state"`
	Code  Code         `json:"code,omitempty"`
	DueAt time.Time    `json:"due_at,omitzero"` // queued: not before; unknown: decide then

	ChannelAccountID uuid.UUID `json:"-"`
}

// OutgoingMessage is one claimed message with all that its call needs.
type OutgoingMessage struct {
	ClaimedMessage
	TeamID           uuid.UUID
	ChannelAccountID uuid.UUID
	Channel          Channel
	Contents         []Content
	ToGroup          bool   // the recipient is a group
	Origin           Origin // of a conversation's; "": it is of none
	QuotedID         string // provider's id of the message it answers
	ReconcileAfter   time.Duration
}

// MessageFiles is what a message carries besides text, and where it goes.
type MessageFiles struct {
	ChannelAccountID uuid.UUID
	Channel          Channel
	Files            []Media // Kind is the one it is sent as
	Tries            int
}
