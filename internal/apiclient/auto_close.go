package apiclient

import (
	"context"
	"net/http"
)

// AutoClose is when the conversations of a group of channels end by themselves.
type AutoClose struct {
	ID              string   `json:"id,omitempty"`
	Version         int64    `json:"version,omitempty"` // of a change: as it was read
	Name            string   `json:"name"`
	Channels        []string `json:"channels"`
	Enabled         bool     `json:"enabled"`
	DurationSeconds int      `json:"duration_seconds"`   // of silence after the last human reply; 0 is refused
	GraceSeconds    int      `json:"grace_seconds"`      // from the reminder to the ending; 0 is refused
	Reminder        string   `json:"reminder,omitempty"` // "" sends none
	ExcludePinned   bool     `json:"exclude_pinned,omitempty"`
	QuietFrom       string   `json:"quiet_from,omitempty"` // such as 22:00, in the team's zone
	QuietUntil      string   `json:"quiet_until,omitempty"`
}

// CreateAutoClose makes a rule; an administrator or supervisor may.
func (c *Client) CreateAutoClose(ctx context.Context, rule AutoClose) (AutoClose, error) {
	var out AutoClose
	err := c.do(ctx, request{method: http.MethodPost, path: "/v1/auto-close-rules", body: rule, out: &out})
	return out, err
}

// AutoCloseRules lists the rules of the team.
func (c *Client) AutoCloseRules(ctx context.Context) ([]AutoClose, error) {
	var list List[AutoClose]
	err := c.do(ctx, request{method: http.MethodGet, path: "/v1/auto-close-rules", out: &list})
	return list.Items, err
}

// SetAutoClose changes a rule as it was read.
func (c *Client) SetAutoClose(ctx context.Context, rule AutoClose) (AutoClose, error) {
	var out AutoClose
	path := "/v1/auto-close-rules/" + segment(rule.ID)
	rule.ID = ""
	err := c.do(ctx, request{method: http.MethodPut, path: path, body: rule, out: &out})
	return out, err
}

// DeleteAutoClose deletes a rule.
func (c *Client) DeleteAutoClose(ctx context.Context, id string) error {
	return c.do(ctx, request{method: http.MethodDelete, path: "/v1/auto-close-rules/" + segment(id)})
}

// Survey is what a team asks after the end of a conversation.
type Survey struct {
	Text     string   `json:"text"`               // "" asks nothing
	Channels []string `json:"channels,omitempty"` // none: every channel
}

// Survey shows the survey of a team; an administrator may.
func (c *Client) Survey(ctx context.Context, teamID string) (Survey, error) {
	var out Survey
	err := c.do(ctx, request{method: http.MethodGet, path: teamPath(teamID, "/survey"), out: &out})
	return out, err
}

// SetSurvey sets the survey of a team.
func (c *Client) SetSurvey(ctx context.Context, teamID string, s Survey) error {
	return c.do(ctx, request{method: http.MethodPut, path: teamPath(teamID, "/survey"), body: s})
}
