package apiclient

import (
	"context"
	"net/http"
)

// KeywordRule is what a team wants done with a keyword.
type KeywordRule struct {
	ID       string   `json:"id,omitempty"`
	Keyword  string   `json:"keyword"`
	Match    string   `json:"match,omitempty"` // exact or contains
	Channels []string `json:"channels,omitempty"`
	Reply    string   `json:"reply,omitempty"`
	States   []string `json:"states,omitempty"` // in which the reply fires
	AssignTo string   `json:"assign_to,omitempty"`
	AskHuman bool     `json:"ask_human,omitempty"`
}

// Keywords lists the rules of the team.
func (c *Client) Keywords(ctx context.Context, page Page) (List[KeywordRule], error) {
	var list List[KeywordRule]
	err := c.do(ctx, request{method: http.MethodGet, path: "/v1/keyword-rules", query: page.query(), out: &list})
	return list, err
}

// SaveKeyword makes a rule, or replaces the one with this id.
func (c *Client) SaveKeyword(ctx context.Context, id string, r KeywordRule) (KeywordRule, error) {
	var out KeywordRule
	call := request{method: http.MethodPost, path: "/v1/keyword-rules", body: r, out: &out}
	if id != "" {
		call.method, call.path = http.MethodPut, "/v1/keyword-rules/"+segment(id)
	}
	err := c.do(ctx, call)
	return out, err
}

// DeleteKeyword deletes a rule.
func (c *Client) DeleteKeyword(ctx context.Context, id string) error {
	return c.do(ctx, request{method: http.MethodDelete, path: "/v1/keyword-rules/" + segment(id)})
}
