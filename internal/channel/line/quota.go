package line

import (
	"context"
	"encoding/json"
	"net/http"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

var _ channel.QuotaReader = (*Client)(nil)

// quotaAnswer is {"type":"limited","value":1000} or {"type":"none"}, and of
// the consumption {"totalUsage":500} (section 8).
type quotaAnswer struct {
	Type  string `json:"type"`
	Value int    `json:"value"`
	Used  int    `json:"totalUsage"`
}

// Quota asks for the month's quota and what of it is used.
//
// Errors: *channel.Error.
func (c *Client) Quota(ctx context.Context, a channel.Account) (omniflow.Quota, error) {
	quota, err := c.readQuota(ctx, a, "/v2/bot/message/quota")
	if err != nil {
		return omniflow.Quota{}, err
	}
	used, err := c.readQuota(ctx, a, "/v2/bot/message/quota/consumption")
	if err != nil {
		return omniflow.Quota{}, err
	}
	return omniflow.Quota{Limited: quota.Type == "limited", Limit: quota.Value, Used: used.Used}, nil
}

func (c *Client) readQuota(ctx context.Context, a channel.Account, path string) (quotaAnswer, error) {
	var out quotaAnswer
	ans, err := c.http.Do(ctx, channel.Call{Method: http.MethodGet, URL: c.base + path, Token: a.Secrets.Token})
	if err != nil {
		return out, err
	}
	if ans.Status != http.StatusOK {
		_, err := read(ans)
		return out, err
	}
	if err := json.Unmarshal(ans.Body, &out); err != nil {
		return out, channel.Unreadable(unreadable(ans.Status), ans)
	}
	return out, nil
}
