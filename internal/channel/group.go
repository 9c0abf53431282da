package channel

import (
	"context"
	"time"

	"omniflow/internal/omniflow"
)

// GroupSpec is a WhatsApp group to be made.
type GroupSpec struct {
	Subject          string // 1 to 128 bytes
	Description      string // at most 2,048 bytes, marker included
	ApprovalRequired bool   // members ask to join, and are let in one by one
}

// Group is a group as the provider has it.
type Group struct {
	ID          string
	Subject     string
	Description string
	Suspended   bool
	CreatedAt   time.Time
	Members     []string // digits of the E.164 number, without the business
}

// JoinRequest is a person who asks to be let in.
type JoinRequest struct {
	ID   string
	User string // digits
}

// GroupReceipt is an accepted group operation. Its result comes by webhook,
// under RequestID where the provider gives one.
type GroupReceipt struct {
	RequestID string
	Trace     string
}

// Groups is what a provider with groups can do. Every error is *Error; no call
// but a GET is repeated after bytes may have left.
type Groups interface {
	// CreateGroup asks for a group; it exists only when the webhook says so.
	CreateGroup(ctx context.Context, a Account, g GroupSpec) (GroupReceipt, error)
	// ListGroups lists the account's groups, newest first, page by page: after
	// is "" first; next is "" at the end. Descriptions are left out.
	ListGroups(ctx context.Context, a Account, after string) (groups []Group, next string, err error)
	// ReadGroup reads one group whole. Rejected with omniflow.NotFound: there is none.
	ReadGroup(ctx context.Context, a Account, groupID string) (Group, error)
	// InviteLink reads the link by which people join; reset makes a new one, and the old one dies.
	InviteLink(ctx context.Context, a Account, groupID string, reset bool) (string, error)
	// JoinRequests lists who asks to be let in.
	JoinRequests(ctx context.Context, a Account, groupID string) ([]JoinRequest, error)
	// DecideJoinRequests approves or rejects; it returns the requests that could not be decided, by id.
	DecideJoinRequests(ctx context.Context, a Account, groupID string, ids []string, approve bool) (failed map[string]*Error, err error)
	// RemoveMember asks to put one member out for good. Not a member (131212) is success.
	RemoveMember(ctx context.Context, a Account, groupID, user string) (GroupReceipt, error)
	// UpdateGroup sets subject and description; "" leaves one alone.
	UpdateGroup(ctx context.Context, a Account, groupID, subject, description string) (GroupReceipt, error)
	// DeleteGroup deletes a group. Unknown (131041) is success.
	DeleteGroup(ctx context.Context, a Account, groupID string) (GroupReceipt, error)
	// SendToGroup is Send with a group as recipient (m.Recipient is its id).
	SendToGroup(ctx context.Context, a Account, m Message) (Receipt, error)
}

// EventGroup is a group event; Event.Group says which.
const EventGroup EventKind = "group"

// GroupEventType tells what happened to a group.
type GroupEventType string

// The group events, whatever spelling the provider used.
const (
	GroupCreated         GroupEventType = "group_created"
	GroupCreateFailed    GroupEventType = "group_create_failed"
	GroupDeleted         GroupEventType = "group_deleted"
	GroupDeleteFailed    GroupEventType = "group_delete_failed"
	GroupMemberJoined    GroupEventType = "member_joined"
	GroupMemberLeft      GroupEventType = "member_left"    // on their own
	GroupMemberRemoved   GroupEventType = "member_removed" // by us
	GroupRemoveFailed    GroupEventType = "member_remove_failed"
	GroupJoinRequested   GroupEventType = "join_requested"
	GroupJoinRevoked     GroupEventType = "join_revoked"
	GroupSettingsUpdated GroupEventType = "settings_updated"
	GroupSettingsFailed  GroupEventType = "settings_failed"
	GroupSuspended       GroupEventType = "suspended"
	GroupRestored        GroupEventType = "restored"
)

// GroupEvent is one thing a webhook said about a group; one event a member.
type GroupEvent struct {
	Type          GroupEventType
	GroupID       string // may be "" when a creation failed
	RequestID     string // "" where the provider gives none
	Subject       string
	Description   string
	InviteLink    string
	User          string // digits; of member and join events
	JoinRequestID string
	Fault         *Error        // of a failure
	Reason        omniflow.Code // of Fault, for convenience
}
