package apiclient

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Waiting is why something is not moving; an empty Kind moves.
type Waiting struct {
	Kind    string     `json:"kind"`
	Until   *time.Time `json:"until,omitempty"`
	Since   *time.Time `json:"since,omitempty"`
	By      string     `json:"by,omitempty"` // member id
	ByName  string     `json:"by_name,omitempty"`
	Code    string     `json:"code,omitempty"`
	Limiter string     `json:"limiter,omitempty"`
	Rows    int        `json:"rows,omitempty"`
}

// String is for people; times are in the shell's zone.
func (w Waiting) String() string {
	words := map[string]string{"limited": "limited by " + w.Limiter, "backing_off": fmt.Sprintf("%d backing off", w.Rows),
		"webhooks": fmt.Sprintf("%d wait for webhooks", w.Rows), "approval": "too late: approve or cancel", "no_worker": "no worker", "outside_hours": "outside its hours"}
	text, known := words[w.Kind]
	if !known {
		text = w.Kind
	}
	if w.Since != nil {
		text += " since " + w.Since.Local().Format(time.TimeOnly)
	}
	if by := cmp.Or(w.ByName, w.By); by != "" {
		text += " by " + by
	}
	if w.Until != nil {
		format := time.TimeOnly
		if time.Until(*w.Until) > 12*time.Hour {
			format = time.DateTime
		}
		text += " until " + w.Until.Local().Format(format)
	}
	if w.Code != "" {
		text += " (" + w.Code + ")"
	}
	return text
}

// Preflight is what a broadcast would do.
type Preflight struct {
	WouldStart bool            `json:"would_start"`
	Problem    *Problem        `json:"problem"`
	Recipients int             `json:"recipients"`
	Eligible   int             `json:"eligible"`
	Rows       int             `json:"rows"`
	Lanes      []PreflightLane `json:"lanes"`
	Items      []Verdict       `json:"items"`
	Next       string          `json:"next"`
}

// PreflightLane is one channel account's part of a preflight.
type PreflightLane struct {
	ChannelAccountID string     `json:"channel_account_id"`
	Channel          string     `json:"channel"`
	AccountName      string     `json:"account_name"`
	Recipients       int        `json:"recipients"`
	Eligible         int        `json:"eligible"`
	Skipped          []Reason   `json:"skipped"`
	Rows             int        `json:"rows"`
	Usage            int        `json:"usage"` // what the provider counts
	Quota            Quota      `json:"quota"`
	ExpectedFinish   *time.Time `json:"expected_finish"`
	StopCode         string     `json:"stop_code"`
	NextStep         string     `json:"next_step"` // what to do about a stop
	ClosedUntil      *time.Time `json:"closed_until"`
}

// Quota is a provider's monthly quota as last read.
type Quota struct {
	State  string     `json:"state"` // unknown, unlimited, enough or short
	Limit  int        `json:"limit"`
	Used   int        `json:"used"`
	ReadAt *time.Time `json:"read_at"`
}

// Reason counts recipients, or rows of a retry, with one code.
type Reason struct {
	Code       string `json:"code"`
	Recipients int    `json:"recipients"`
	Rows       int    `json:"rows"`
	Mendable   bool   `json:"mendable"`
}

// Verdict is what becomes of one recipient.
type Verdict struct {
	ConversationID   string `json:"conversation_id"`
	CustomerID       string `json:"customer_id"`
	Channel          string `json:"channel"`
	ChannelAccountID string `json:"channel_account_id"`
	Verdict          string `json:"verdict"` // eligible, or a reason
}

// Preflight tells what a request would do, with one page of verdicts.
func (c *Client) Preflight(ctx context.Context, b BroadcastRequest, page Page) (Preflight, error) {
	var p Preflight
	err := c.do(ctx, request{method: http.MethodPost, path: "/v1/broadcasts:preflight", query: page.query(), body: b, out: &p})
	return p, err
}

// Approve lets a broadcast go that is too late for its start.
func (c *Client) Approve(ctx context.Context, id, reason string) (Broadcast, error) {
	body := struct {
		Reason string `json:"reason,omitempty"`
	}{reason}
	var b Broadcast
	err := c.do(ctx, request{method: http.MethodPost, path: broadcastPath(id, ":approve"), body: body, out: &b})
	return b, err
}

// RetryRequest says what of a broadcast to send again.
type RetryRequest struct {
	Scope           string       `json:"scope"` // failed, unknown, list or rest
	ConversationIDs []string     `json:"conversation_ids,omitempty"`
	Template        *TemplateUse `json:"template,omitempty"`
	Reason          string       `json:"reason,omitempty"`
}

// Retried is an accepted retry.
type Retried struct {
	Accepted
	RetryOf string   `json:"retry_of"`
	Rows    int      `json:"rows"`
	Reasons []Reason `json:"reasons"`
}

// Retry starts a broadcast over what another one did not send.
func (c *Client) Retry(ctx context.Context, id string, r RetryRequest) (Retried, error) {
	var out Retried
	err := c.do(ctx, request{method: http.MethodPost, path: broadcastPath(id, ":retry"), body: r, out: &out})
	return out, err
}

// Export copies what became of each recipient, as CSV, to w.
func (c *Client) Export(ctx context.Context, id string, w io.Writer) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url(broadcastPath(id, "/recipients.csv"), nil), nil)
	if err != nil {
		return fmt.Errorf("make request for the export: %w", err)
	}
	c.authorize(req)
	res, err := c.stream.Do(req)
	if err != nil {
		return c.unreachable(ctx, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		body, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
		if err != nil {
			return c.unreachable(ctx, err)
		}
		return readProblem(res.StatusCode, body)
	}
	if _, err := io.Copy(w, res.Body); err != nil {
		return fmt.Errorf("the export broke off: %w", err)
	}
	return nil
}

// AuditEntry is who did what, and why.
type AuditEntry struct {
	At        time.Time      `json:"at"`
	ActorID   string         `json:"actor_id"`
	ActorName string         `json:"actor_name"`
	Action    string         `json:"action"`
	Object    string         `json:"object"`
	Reason    string         `json:"reason"`
	Detail    map[string]any `json:"detail"`
}

// Audit lists the audit log, newest first; object "" is all of it.
func (c *Client) Audit(ctx context.Context, object string, page Page) (List[AuditEntry], error) {
	q := page.query()
	set(q, "object", strings.TrimSpace(object))
	var list List[AuditEntry]
	err := c.do(ctx, request{method: http.MethodGet, path: "/v1/audit", query: q, out: &list})
	return list, err
}
