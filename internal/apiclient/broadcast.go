package apiclient

import (
	"context"
	"net/http"
	"time"
)

// BroadcastRequest is what to send to whom.
type BroadcastRequest struct {
	Kind     string    `json:"kind"`             // broadcast_message or broadcast_template
	Client   string    `json:"client,omitempty"` // web or app; web by default
	Name     string    `json:"name,omitempty"`
	Audience Audience  `json:"audience"`
	Messages []Content `json:"messages"` // 1 to 5

	StartAt            *time.Time `json:"start_at,omitempty"`             // at once without it
	LateAfterSeconds   int        `json:"late_after_seconds,omitempty"`   // a later start needs an approval; 900 by default
	StopFailurePercent int        `json:"stop_failure_percent,omitempty"` // of the last outcomes of a lane; the team's by default
	Hours              *Hours     `json:"hours,omitempty"`                // at any time without it
}

// Hours are when of the day a broadcast may send.
type Hours struct {
	From     string `json:"from"`               // such as 09:00
	To       string `json:"to"`                 // such as 21:00; earlier than From: over midnight
	Timezone string `json:"timezone,omitempty"` // the team's by default
}

// Audience picks conversations out of those the actor is handling, or, with
// Bound, customers bound to the actor on one channel.
type Audience struct {
	All             bool     `json:"all,omitempty"`
	Bound           bool     `json:"bound,omitempty"`
	Channel         string   `json:"channel,omitempty"` // of bound customers: line or whatsapp
	Channels        []string `json:"channels,omitempty"`
	Tags            []string `json:"tags,omitempty"`
	Stores          []string `json:"stores,omitempty"`
	ConversationIDs []string `json:"conversation_ids,omitempty"`
}

// Content is one bubble at the customer: a text, a file that was uploaded, or a
// WhatsApp template; or a saved reply, which may be several.
type Content struct {
	Kind         string       `json:"kind"`           // text, image, video, file, saved_reply or template; in conversations also audio and shopping_link
	Text         string       `json:"text,omitempty"` // also the caption of a file to WhatsApp
	MediaID      string       `json:"media_id,omitempty"`
	SavedReplyID string       `json:"saved_reply_id,omitempty"`
	Template     *TemplateUse `json:"template,omitempty"`
}

// TemplateUse names a registered template and fills its body.
type TemplateUse struct {
	Name     string          `json:"name"`
	Language string          `json:"language"` // such as zh_TW
	Params   []string        `json:"params,omitempty"`
	Header   *TemplateHeader `json:"header,omitempty"`
}

// TemplateHeader is the file at the head of a template.
type TemplateHeader struct {
	Kind    string `json:"kind"` // image, video or file
	MediaID string `json:"media_id"`
}

// Accepted is the answer to a start.
type Accepted struct {
	ID         string `json:"id"`
	WorkflowID string `json:"workflow_id"`
	State      string `json:"state"`
}

// Tally counts ledger rows, one a recipient and provider call; sent, received
// and read exclude each other.
type Tally struct {
	Recipients int `json:"recipients"`
	Planned    int `json:"planned"`
	Queued     int `json:"queued"`
	Sending    int `json:"sending"`
	Sent       int `json:"sent"`
	Received   int `json:"received"`
	Read       int `json:"read"`
	Failed     int `json:"failed"`
	Skipped    int `json:"skipped"`
	Cancelled  int `json:"cancelled"`
	Unknown    int `json:"unknown"`
}

// Delivered rows were taken by the provider: sent, received or read.
func (t Tally) Delivered() int { return t.Sent + t.Received + t.Read }

// Settled rows change no more by any step of ours.
func (t Tally) Settled() int { return t.Delivered() + t.Failed + t.Skipped + t.Cancelled }

// Broadcast is a broadcast with its lanes.
type Broadcast struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Kind       string     `json:"kind"`
	State      string     `json:"state"`
	Outcome    string     `json:"outcome"`
	Code       string     `json:"code"` // why, when rejected
	ActorID    string     `json:"actor_id"`
	ActorName  string     `json:"actor_name"`
	WorkflowID string     `json:"workflow_id"`
	CreatedAt  time.Time  `json:"created_at"`
	PlannedAt  *time.Time `json:"planned_at"`
	FinishedAt *time.Time `json:"finished_at"`
	Counts     Tally      `json:"counts"`
	Lanes      []Lane     `json:"lanes"`
	StartAt    *time.Time `json:"start_at"`
	Waiting    Waiting    `json:"waiting"` // why there are no lanes yet
	RetryOf    string     `json:"retry_of"`
	Retries    []string   `json:"retries"`
	Holds      []string   `json:"holds"` // the kinds of its contents
}

// Finished says that the broadcast has ended for good.
func (b Broadcast) Finished() bool { return b.FinishedAt != nil }

// Lane is the part of a broadcast that goes through one channel account.
type Lane struct {
	ChannelAccountID string     `json:"channel_account_id"`
	Channel          string     `json:"channel"`
	AccountName      string     `json:"account_name"`
	Control          string     `json:"control"` // running, paused, cancelled or stopped
	ControlReason    string     `json:"control_reason"`
	ControlBy        string     `json:"control_by"`
	ControlByName    string     `json:"control_by_name"`
	Counts           Tally      `json:"counts"`
	RateNow          float64    `json:"rate_now"`         // calls per second at present
	LimitPerSecond   float64    `json:"limit_per_second"` // the most it may become
	AccountLimit     float64    `json:"account_limit_per_second"`
	RateOf           string     `json:"rate_of"` // the broadcast with whose lane the limit ends; "": the account's own
	RateBy           string     `json:"rate_by"` // who set it
	RateByName       string     `json:"rate_by_name"`
	RateAt           *time.Time `json:"rate_at"`
	ClosedUntil      *time.Time `json:"closed_until"`
	Reason           string     `json:"reason"` // why closed or slowed
	AccountState     string     `json:"account_state"`
	StopCode         string     `json:"stop_code"`
	NextStep         string     `json:"next_step"` // what to do about a stop
	Waiting          Waiting    `json:"waiting"`   // why it is not moving
}

// StartBroadcast starts one. The same key with the same request starts nothing
// new and gives the first answer; "" makes a random key.
func (c *Client) StartBroadcast(ctx context.Context, b BroadcastRequest, key string) (Accepted, error) {
	var accepted Accepted
	err := c.do(ctx, request{method: http.MethodPost, path: "/v1/broadcasts", key: key, body: b, out: &accepted})
	return accepted, err
}

// Broadcasts lists the team's broadcasts.
func (c *Client) Broadcasts(ctx context.Context, page Page) (List[Broadcast], error) {
	var list List[Broadcast]
	err := c.do(ctx, request{method: http.MethodGet, path: "/v1/broadcasts", query: page.query(), out: &list})
	return list, err
}

// Broadcast shows one.
func (c *Client) Broadcast(ctx context.Context, id string) (Broadcast, error) {
	var b Broadcast
	err := c.do(ctx, request{method: http.MethodGet, path: broadcastPath(id, ""), out: &b})
	return b, err
}

// The controls of a running broadcast.
const (
	Pause  = "pause"
	Resume = "resume"
	Cancel = "cancel"
)

// Control pauses, resumes or cancels a broadcast, or one lane of it when
// accountID is not empty. Asking twice changes nothing; a finished broadcast is
// broadcast_finished.
func (c *Client) Control(ctx context.Context, id, control, accountID, reason string) (Broadcast, error) {
	body := struct {
		Reason           string `json:"reason,omitempty"`
		ChannelAccountID string `json:"channel_account_id,omitempty"`
	}{reason, accountID}
	var b Broadcast
	err := c.do(ctx, request{method: http.MethodPost, path: broadcastPath(id, ":"+control), body: body, out: &b})
	return b, err
}

// SetRate sets the rate of one lane of a running broadcast; it ends with the
// lane.
func (c *Client) SetRate(ctx context.Context, id, accountID string, perSecond float64, reason string) (Broadcast, error) {
	body := struct {
		ChannelAccountID string  `json:"channel_account_id"`
		RatePerSecond    float64 `json:"rate_per_second"`
		Reason           string  `json:"reason,omitempty"`
	}{accountID, perSecond, reason}
	var b Broadcast
	err := c.do(ctx, request{method: http.MethodPost, path: broadcastPath(id, ":rate"), body: body, out: &b})
	return b, err
}

func broadcastPath(id, rest string) string { return "/v1/broadcasts/" + segment(id) + rest }
