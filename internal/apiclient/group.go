package apiclient

import (
	"context"
	"net/http"
	"time"
)

// NewGroup asks for a WhatsApp group.
type NewGroup struct {
	ChannelAccountID string   `json:"channel_account_id"`
	Name             string   `json:"name"`                  // at most 128 bytes, no emoji
	Description      string   `json:"description,omitempty"` // at most 2,048 bytes, no emoji
	Members          []string `json:"members"`               // 1 to 8 numbers such as +886912345678
	ApprovalRequired bool     `json:"approval_required,omitempty"`
}

// Wait is what something waits for, and until when.
type Wait struct {
	For   string     `json:"for"`
	Until *time.Time `json:"until"`
}

// GroupMember is one number of a group.
type GroupMember struct {
	ID      string    `json:"id"`
	Phone   string    `json:"phone"`
	Name    string    `json:"name"`
	State   string    `json:"state"` // inviting, joined, add_failed, remove_pending, removed or remove_failed
	Code    string    `json:"code"`  // why it failed
	Since   time.Time `json:"since"`
	Waiting *Wait     `json:"waiting"`
}

// Group is a WhatsApp group.
type Group struct {
	ID                string        `json:"id"`
	Title             string        `json:"title"`
	State             string        `json:"state"` // reviewing, created or failed
	Label             string        `json:"label"`
	Code              string        `json:"code"`
	ConversationState string        `json:"conversation_state"`
	View              string        `json:"view"`
	WorkflowID        string        `json:"workflow_id"`
	InviteLink        string        `json:"invite_link"`
	SendCode          string        `json:"send_code"` // why the newest message to it failed
	CreatedAt         time.Time     `json:"created_at"`
	Waiting           *Wait         `json:"waiting"`
	Members           []GroupMember `json:"members"` // of one group only, not in a list
}

// Decided says that nothing about the group or its members is waited for.
func (g Group) Decided() bool {
	for _, m := range g.Members {
		if m.Waiting != nil {
			return false
		}
	}
	return g.State != "reviewing"
}

// CreateGroup asks for a group; its result comes later. The same key with the
// same request asks once; "" makes a random key.
func (c *Client) CreateGroup(ctx context.Context, g NewGroup, key string) (Accepted, error) {
	var accepted Accepted
	err := c.do(ctx, request{method: http.MethodPost, path: "/v1/groups", key: key, body: g, out: &accepted})
	return accepted, err
}

// Groups lists groups; state "" is the conversation list, without those under review.
func (c *Client) Groups(ctx context.Context, state string, page Page) (List[Group], error) {
	var list List[Group]
	query := page.query()
	if state != "" {
		query.Set("state", state)
	}
	err := c.do(ctx, request{method: http.MethodGet, path: "/v1/groups", query: query, out: &list})
	return list, err
}

// Group shows one group with its members.
func (c *Client) Group(ctx context.Context, id string) (Group, error) {
	var g Group
	err := c.do(ctx, request{method: http.MethodGet, path: groupPath(id, ""), out: &g})
	return g, err
}

// AddGroupMember invites a number.
func (c *Client) AddGroupMember(ctx context.Context, id, phone string) (GroupMember, error) {
	var m GroupMember
	body := struct {
		Phone string `json:"phone"`
	}{phone}
	err := c.do(ctx, request{method: http.MethodPost, path: groupPath(id, "/members"), body: body, out: &m})
	return m, err
}

// RemoveGroupMember removes a member, for good.
func (c *Client) RemoveGroupMember(ctx context.Context, id, memberID string) (GroupMember, error) {
	var m GroupMember
	err := c.do(ctx, request{method: http.MethodDelete, path: groupPath(id, "/members/"+segment(memberID)), out: &m})
	return m, err
}

// The orders about a member besides its removal.
const (
	RetryMember   = "retry"
	ApproveMember = "approve"
	RejectMember  = "reject"
)

// OrderGroupMember retries what failed about a member, or decides its request to join.
func (c *Client) OrderGroupMember(ctx context.Context, id, memberID, order string) (GroupMember, error) {
	var m GroupMember
	err := c.do(ctx, request{method: http.MethodPost, path: groupPath(id, "/members/"+segment(memberID)+":"+order), out: &m})
	return m, err
}

// MoveGroup follows, transfers, ends or reopens a group's conversation;
// receiverID is for a transfer.
func (c *Client) MoveGroup(ctx context.Context, id, step, receiverID string) (Group, error) {
	var g Group
	body := struct {
		ReceiverID string `json:"receiver_id,omitempty"`
	}{receiverID}
	err := c.do(ctx, request{method: http.MethodPost, path: groupPath(id, ":"+step), body: body, out: &g})
	return g, err
}

func groupPath(id, rest string) string { return "/v1/groups/" + segment(id) + rest }
