package graph

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// Version is the pinned version of the Graph API, good until 2028-07-29
// (whatsapp.md section 1.1).
const Version = "v25.0"

// Client makes the one call that sends a message. It is safe for concurrent
// use, and keeps nothing between calls.
type Client struct {
	base  string
	http  *channel.HTTPClient
	table Table
}

// NewClient returns a client of the Graph API at baseURL, without version.
func NewClient(baseURL string, http *channel.HTTPClient, table Table) *Client {
	return &Client{base: strings.TrimRight(baseURL, "/"), http: http, table: table}
}

var errNoToken = errors.New("the account has no token")

// Send posts body to the messages edge of the account, once, and gives the
// receipt. There is no idempotency key, so that nothing is repeated here once
// a byte may have been written.
//
// Errors: *channel.Error.
func (c *Client) Send(ctx context.Context, a channel.Account, body any) (channel.Receipt, error) {
	if a.Secrets.Token == "" || a.ExternalID == "" {
		e := channel.Stop(omniflow.AccountStopped).Error("token", 0)
		e.Err = errNoToken
		return channel.Receipt{}, e
	}
	data, err := json.Marshal(body)
	if err != nil {
		return channel.Receipt{}, channel.Refused(err)
	}
	ans, err := c.http.Do(ctx, channel.Call{
		URL:   c.base + "/" + Version + "/" + url.PathEscape(a.ExternalID) + "/messages",
		Token: a.Secrets.Token,
		Body:  data,
	})
	if err != nil {
		return channel.Receipt{}, err
	}
	id, err := c.table.read(ans)
	if err != nil {
		return channel.Receipt{}, err
	}
	return channel.Receipt{
		ProviderID: id, At: ans.At, HTTPStatus: ans.Status, Trace: trace(ans),
	}, nil
}

// trace is the id that Meta's support asks for.
func trace(ans channel.Answer) string {
	if id := ans.Header.Get("X-Fb-Trace-Id"); id != "" {
		return id
	}
	return ans.Header.Get("X-Fb-Request-Id")
}
