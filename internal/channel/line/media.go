package line

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

var _ channel.Fetcher = (*Client)(nil)

var errNoHandle = errors.New("the file has no id")

// Fetch opens a customer's file by the id of its message. LINE answers 202
// while it prepares a large one, and 410 when the customer has unsent it
// (sections 2 and 6).
//
// Errors: as channel.Fetcher says.
func (c *Client) Fetch(ctx context.Context, a channel.Account, handle string) (channel.File, error) {
	if a.Secrets.Token == "" {
		e := channel.Stop(omniflow.AccountStopped).Error("token", 0)
		e.Err = errNoToken
		return channel.File{}, e
	}
	if handle == "" || handle == "." || handle == ".." {
		return channel.File{}, channel.Refused(errNoHandle)
	}
	base := dataBase(c.base)
	return c.http.Open(ctx, channel.Download{
		URL: base + "/v2/bot/message/" + url.PathEscape(handle) + "/content", Token: a.Secrets.Token, Base: base,
	})
}

// dataBase is where LINE keeps files: a host of its own beside that of the API
// (section 1). Any other API, such as a simulator's, has them at its own.
func dataBase(base string) string {
	if strings.HasPrefix(base, "https://api.line.me") {
		return "https://api-data.line.me" + strings.TrimPrefix(base, "https://api.line.me")
	}
	return base
}
