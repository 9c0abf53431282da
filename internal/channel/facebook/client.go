// Package facebook sends through Facebook Messenger and reads its webhooks.
//
// Source: shared/channels/messenger.md.
package facebook

import (
	"context"
	"errors"
	"net/url"

	"omniflow/internal/channel"
	"omniflow/internal/channel/graph"
	"omniflow/internal/omniflow"
)

// Client is the provider Messenger. It is safe for concurrent use.
type Client struct {
	graph *graph.Client
}

var (
	_ channel.Provider   = (*Client)(nil)
	_ channel.Subscriber = (*Client)(nil)
)

// New returns a client of the Send API at baseURL, such as
// https://graph.facebook.com, without version.
func New(baseURL string, http *channel.HTTPClient) *Client {
	return &Client{graph: graph.NewClient(baseURL, http, table)}
}

// Send makes one call with one text. The key travels as message.metadata and
// comes back in the echo webhook (section 10).
//
// Errors: *channel.Error.
func (c *Client) Send(ctx context.Context, a channel.Account, m channel.Message) (channel.Receipt, error) {
	body, err := newRequest(m)
	if err != nil {
		return channel.Receipt{}, channel.Refused(err)
	}
	receipt, err := c.graph.Send(ctx, a, body)
	if m.HumanAgent {
		err = withoutTag(err)
	}
	return receipt, err
}

// withoutTag keeps a missing permission for the tag from stopping the account:
// code 10 says that, or that the account may send nothing at all, which the
// next message without the tag will tell (section 7).
func withoutTag(err error) error {
	var e *channel.Error
	if errors.As(err, &e) && e.Code == "10" {
		e.Fault, e.Scope, e.Reason = channel.Rejected, channel.ScopeMessage, omniflow.ProviderRejected
	}
	return err
}

// VerifySubscription answers Meta's check of the webhook address.
func (c *Client) VerifySubscription(a channel.Account, query url.Values) (string, error) {
	return graph.VerifySubscription(a, query)
}
