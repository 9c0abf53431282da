package apiclient

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// GroupMessage is one message of a group, in or out.
type GroupMessage struct {
	ID        string    `json:"id"`
	Direction string    `json:"direction"` // in or out
	Kind      string    `json:"kind"`
	Text      string    `json:"text"`
	State     string    `json:"state"` // out
	Code      string    `json:"code"`  // why it failed
	At        time.Time `json:"at"`
	Members   int       `json:"members"`  // out: whom it went to
	Received  int       `json:"received"` // out: how many of them have received it
	Read      int       `json:"read"`
	QuotedID  string    `json:"quoted_message_id"` // the message that it answers
	Quoted    string    `json:"quoted_text"`

	Media []InboundMedia `json:"media"` // in: the files of the member's message
}

// GroupMessages lists the latest messages of a group, newest first; at most
// limit, 0 is the API's default.
func (c *Client) GroupMessages(ctx context.Context, id string, limit int) ([]GroupMessage, error) {
	var list List[GroupMessage]
	query := url.Values{}
	if limit > 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	err := c.do(ctx, request{method: http.MethodGet, path: groupPath(id, "/messages"), query: query, out: &list})
	return list.Items, err
}

// GroupContent is what is sent to a group.
type GroupContent struct {
	Content
	QuotedID string `json:"quoted_message_id,omitempty"` // the message of the group that it answers
}

// SendToGroup sends a text, a file or a template to a group.
func (c *Client) SendToGroup(ctx context.Context, id string, content GroupContent, key string) (Accepted, error) {
	var accepted Accepted
	err := c.do(ctx, request{method: http.MethodPost, path: groupPath(id, "/messages"), key: key, body: content, out: &accepted})
	return accepted, err
}

// ResendToGroup sends a failed message of a group again.
func (c *Client) ResendToGroup(ctx context.Context, id, messageID string) (Accepted, error) {
	var accepted Accepted
	err := c.do(ctx, request{method: http.MethodPost, path: groupPath(id, "/messages/"+segment(messageID)+":resend"), out: &accepted})
	return accepted, err
}

// LogEntry is one entry of a conversation's log.
type LogEntry struct {
	At    time.Time `json:"at"`
	Kind  string    `json:"kind"` // log or system
	Event string    `json:"event"`
	Text  string    `json:"text"`

	From     string `json:"from"` // state before a transition
	To       string `json:"to"`
	Actor    string `json:"actor"`    // name; "": the customer's doing
	Follower string `json:"follower"` // name of who follows since
}

// GroupLog lists the log of a group, oldest first.
func (c *Client) GroupLog(ctx context.Context, id string) ([]LogEntry, error) {
	var list List[LogEntry]
	err := c.do(ctx, request{method: http.MethodGet, path: groupPath(id, "/log"), out: &list})
	return list.Items, err
}

// GroupSettings are what a team has set for its groups.
type GroupSettings struct {
	ReviewTimeoutSeconds     int    `json:"review_timeout_seconds"`
	InvitationTimeoutSeconds int    `json:"invitation_timeout_seconds"`
	RemovalTimeoutSeconds    int    `json:"removal_timeout_seconds"`
	InviteTemplate           string `json:"invite_template"`
	InviteLanguage           string `json:"invite_language"`
	ApproveInvited           bool   `json:"approve_invited"` // an invited number that asks to join is let in at once
}

// GroupSettings shows what a team has set for its groups.
func (c *Client) GroupSettings(ctx context.Context, teamID string) (GroupSettings, error) {
	var g GroupSettings
	err := c.do(ctx, request{method: http.MethodGet, path: teamPath(teamID, "/group-settings"), out: &g})
	return g, err
}

// SetGroupSettings sets how a team's groups work.
func (c *Client) SetGroupSettings(ctx context.Context, teamID string, g GroupSettings) error {
	return c.do(ctx, request{method: http.MethodPut, path: teamPath(teamID, "/group-settings"), body: g})
}
