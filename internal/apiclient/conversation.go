package apiclient

import (
	"context"
	"net/http"
	"time"
)

// Conversation is one conversation as the token's member sees it.
type Conversation struct {
	ID            string     `json:"id"`
	Type          string     `json:"type"`
	Channel       string     `json:"channel"`
	State         string     `json:"state"` // pending_human, pending_bot, handling or closed
	View          string     `json:"view"`
	FollowerID    string     `json:"follower_id"`
	FollowerName  string     `json:"follower_name"`
	Collaborators []string   `json:"collaborators"`
	Version       int64      `json:"version"`
	Name          string     `json:"name"`
	Phone         string     `json:"phone"`
	Unread        int64      `json:"unread"`
	Pinned        bool       `json:"pinned"`
	Waiting       string     `json:"waiting"` // none, over_30m, over_1h or over_2h
	WaitingSince  *time.Time `json:"waiting_since"`
	Window        string     `json:"window"`
	Hint          string     `json:"hint"`
	LastMessageAt time.Time  `json:"last_message_at"`
	WorkflowID    string     `json:"workflow_id"`
}

// ConversationFilter says what a list of conversations shows; "" and false
// filter nothing.
type ConversationFilter struct {
	View, Channel, Type, Follow, Search, Tag            string
	Member, MemberRole, MemberStore, MemberRegion, Sort string
	Waiting, Unread                                     bool
}

// Conversations lists the conversations that the member may see.
func (c *Client) Conversations(ctx context.Context, f ConversationFilter, page Page) (List[Conversation], error) {
	var list List[Conversation]
	query := page.query()
	for name, value := range map[string]string{"view": f.View, "channel": f.Channel, "type": f.Type, "follow": f.Follow, "search": f.Search, "tag": f.Tag,
		"member": f.Member, "member_role": f.MemberRole, "member_store": f.MemberStore, "member_region": f.MemberRegion, "sort": f.Sort} {
		set(query, name, value)
	}
	if f.Waiting {
		query.Set("waiting", "true")
	}
	if f.Unread {
		query.Set("unread", "true")
	}
	err := c.do(ctx, request{method: http.MethodGet, path: "/v1/conversations", query: query, out: &list})
	return list, err
}

// Conversation shows one conversation.
func (c *Client) Conversation(ctx context.Context, id string) (Conversation, error) {
	var out Conversation
	err := c.do(ctx, request{method: http.MethodGet, path: conversationPath(id, ""), out: &out})
	return out, err
}

// Move is what a member asks for with a step.
type Move struct {
	ReceiverID string `json:"receiver_id,omitempty"` // of a transfer
	Version    int64  `json:"version,omitempty"`     // as it was shown; 0: does not matter
	Reason     string `json:"reason,omitempty"`
}

// The steps of a conversation, and what else is done to one.
const (
	FollowStep   = "follow"
	TransferStep = "transfer"
	TakeOverStep = "take-over"
	EndStep      = "end"
	ReopenStep   = "reopen"
	ViewStep     = "view"
	PinStep      = "pin"
	UnpinStep    = "unpin"
)

// MoveConversation makes a step.
func (c *Client) MoveConversation(ctx context.Context, id, step string, m Move) (Conversation, error) {
	var out Conversation
	err := c.do(ctx, request{method: http.MethodPost, path: conversationPath(id, ":"+step), body: m, out: &out})
	return out, err
}

// MarkConversation views, pins or unpins a conversation.
func (c *Client) MarkConversation(ctx context.Context, id, step string) (Conversation, error) {
	var out Conversation
	err := c.do(ctx, request{method: http.MethodPost, path: conversationPath(id, ":"+step), out: &out})
	return out, err
}

// NewConversation asks for a conversation with a WhatsApp number.
type NewConversation struct {
	ChannelAccountID string `json:"channel_account_id"`
	Name             string `json:"name,omitempty"`
	Country          string `json:"country,omitempty"`
	Phone            string `json:"phone"`
	TakeOver         bool   `json:"take_over,omitempty"`
}

// CreatedConversation is what came of it.
type CreatedConversation struct {
	Result string `json:"result"` // created, followed, existing, reopened, taken_over, exists_ask_takeover or exists_ask_join
	Conversation
}

// CreateConversation opens a WhatsApp conversation; "" makes a random key.
func (c *Client) CreateConversation(ctx context.Context, n NewConversation, key string) (CreatedConversation, error) {
	var out CreatedConversation
	err := c.do(ctx, request{method: http.MethodPost, path: "/v1/conversations", key: key, body: n, out: &out})
	return out, err
}

// ConversationLog shows the event state log of a conversation.
func (c *Client) ConversationLog(ctx context.Context, id string) ([]LogEntry, error) {
	var out List[LogEntry]
	err := c.do(ctx, request{method: http.MethodGet, path: conversationPath(id, "/log"), out: &out})
	return out.Items, err
}

func conversationPath(id, rest string) string { return "/v1/conversations/" + segment(id) + rest }
