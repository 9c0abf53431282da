package apiclient

import (
	"context"
	"net/http"
	"time"
)

// ConversationMessage is one message of a conversation, in or out.
type ConversationMessage struct {
	ID         string     `json:"id"`
	Direction  string     `json:"direction"` // in or out
	At         time.Time  `json:"at"`
	Kind       string     `json:"kind"`
	Text       string     `json:"text"`
	Origin     string     `json:"origin"` // out: agent, auto_reply, reminder or survey; "" for a broadcast's
	Sender     string     `json:"sender"` // out, of a member: the name
	QuotedID   string     `json:"quoted_id"`
	ProviderID string     `json:"provider_id"`
	State      string     `json:"state"` // out
	Code       string     `json:"code"`  // why it failed, or what it waits for
	Reason     string     `json:"reason"`
	SentAt     *time.Time `json:"sent_at"`
	ReceivedAt *time.Time `json:"received_at"`
	ReadAt     *time.Time `json:"read_at"`

	QuotedMessageID string `json:"quoted_message_id"` // the message that it answers
	QuotedText      string `json:"quoted_text"`

	Media   []InboundMedia `json:"media"`   // in: the files of the customer's message
	Sticker *Sticker       `json:"sticker"` // in: of LINE
}

// InboundMedia is a file of a customer's message.
type InboundMedia struct {
	ID    string `json:"id"`   // once it is stored
	Kind  string `json:"kind"` // image, video, audio, file or sticker
	MIME  string `json:"mime"`
	Name  string `json:"name"`
	State string `json:"state"` // pending, stored, unavailable or rejected
	Code  string `json:"code"`  // why it is not stored, or not yet
}

// Sticker is one of LINE's, by the ids under which LINE sells it.
type Sticker struct {
	PackageID   string `json:"package_id"`
	StickerID   string `json:"sticker_id"`
	Displayable bool   `json:"displayable"`
}

// ConversationMessages lists the messages of a conversation, newest first.
func (c *Client) ConversationMessages(ctx context.Context, id string, page Page) (List[ConversationMessage], error) {
	var list List[ConversationMessage]
	err := c.do(ctx, request{method: http.MethodGet, path: conversationPath(id, "/messages"), query: page.query(), out: &list})
	return list, err
}

// ConversationContent is what a member says in a conversation.
type ConversationContent struct {
	Content
	QuotedID string `json:"quoted_message_id,omitempty"` // the message of the conversation that it answers
}

// SendInConversation sends a message; "" makes a random key.
func (c *Client) SendInConversation(ctx context.Context, id string, content ConversationContent, key string) (Accepted, error) {
	var accepted Accepted
	err := c.do(ctx, request{method: http.MethodPost, path: conversationPath(id, "/messages"), key: key, body: content, out: &accepted})
	return accepted, err
}

// ResendInConversation sends a failed message again.
func (c *Client) ResendInConversation(ctx context.Context, id, messageID string) (Accepted, error) {
	var accepted Accepted
	err := c.do(ctx, request{method: http.MethodPost, path: conversationPath(id, "/messages/"+segment(messageID)+":resend"), out: &accepted})
	return accepted, err
}
