package apiclient

import (
	"context"
	"net/http"
	"time"
)

// Recipient is one row of a broadcast's ledger: one provider call for one person.
type Recipient struct {
	MessageID      string     `json:"message_id"`
	ConversationID string     `json:"conversation_id"`
	CustomerID     string     `json:"customer_id"`
	Channel        string     `json:"channel"`
	Ordinal        int        `json:"ordinal"`
	State          string     `json:"state"`
	Code           string     `json:"code"` // why failed, skipped or unknown
	Attempt        int        `json:"attempt"`
	SentAt         *time.Time `json:"sent_at"`
	ReceivedAt     *time.Time `json:"received_at"`
	ReadAt         *time.Time `json:"read_at"`
}

// RecipientFilter narrows a list of recipients; empty fields do not.
type RecipientFilter struct {
	State, Channel, Code string
}

// Recipients shows one page of a broadcast's recipients.
func (c *Client) Recipients(ctx context.Context, id string, f RecipientFilter, page Page) (List[Recipient], error) {
	q := page.query()
	set(q, "state", f.State)
	set(q, "channel", f.Channel)
	set(q, "code", f.Code)
	var list List[Recipient]
	err := c.do(ctx, request{method: http.MethodGet, path: broadcastPath(id, "/recipients"), query: q, out: &list})
	return list, err
}

// AllRecipients reads every page, 200 rows at a time.
func (c *Client) AllRecipients(ctx context.Context, id string, f RecipientFilter) ([]Recipient, error) {
	var all []Recipient
	page := Page{Limit: 200}
	for {
		list, err := c.Recipients(ctx, id, f, page)
		if err != nil {
			return nil, err
		}
		all = append(all, list.Items...)
		if list.Next == "" {
			return all, nil
		}
		page.After = list.Next
	}
}

// Moment is one line of a recipient's timeline.
type Moment struct {
	At         time.Time  `json:"at"`
	Kind       string     `json:"kind"` // planned, wait, attempt, webhook or state
	Ordinal    int        `json:"ordinal"`
	State      string     `json:"state"`
	Code       string     `json:"code"`
	Until      *time.Time `json:"until"` // of a wait
	Attempt    int        `json:"attempt"`
	HTTPStatus int        `json:"http_status"`
	LatencyMS  int        `json:"latency_ms"`
	ProviderID string     `json:"provider_id"`
	Trace      string     `json:"trace"`
}

// Timeline tells what happened to one recipient, oldest first.
func (c *Client) Timeline(ctx context.Context, id, conversationID string) ([]Moment, error) {
	var list List[Moment]
	path := broadcastPath(id, "/recipients/"+segment(conversationID)+"/timeline")
	err := c.do(ctx, request{method: http.MethodGet, path: path, out: &list})
	return list.Items, err
}

// DeadLetter is a webhook event that belonged to nothing.
type DeadLetter struct {
	ID               string     `json:"id"`
	Channel          string     `json:"channel"`
	ChannelAccountID string     `json:"channel_account_id"`
	Reason           string     `json:"reason"`
	CreatedAt        time.Time  `json:"created_at"`
	ReplayedAt       *time.Time `json:"replayed_at"`
}

// DeadLetters lists the team's dead letters.
func (c *Client) DeadLetters(ctx context.Context, page Page) (List[DeadLetter], error) {
	var list List[DeadLetter]
	err := c.do(ctx, request{method: http.MethodGet, path: "/v1/dead-letters", query: page.query(), out: &list})
	return list, err
}

// ReplayDeadLetter puts one through the relay again.
func (c *Client) ReplayDeadLetter(ctx context.Context, id string) error {
	return c.do(ctx, request{method: http.MethodPost, path: "/v1/dead-letters/" + segment(id) + ":replay"})
}
