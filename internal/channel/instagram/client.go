// Package instagram sends Instagram direct messages and reads their webhooks.
//
// Source: shared/channels/instagram.md; messenger.md for what the two share.
package instagram

import (
	"context"
	"errors"
	"net/url"

	"omniflow/internal/channel"
	"omniflow/internal/channel/graph"
	"omniflow/internal/omniflow"
)

// Client is the provider Instagram. It is safe for concurrent use.
type Client struct {
	graph *graph.Client
}

var (
	_ channel.Provider   = (*Client)(nil)
	_ channel.Subscriber = (*Client)(nil)
)

// New returns a client of the send API at baseURL: https://graph.instagram.com
// for accounts with an Instagram login, https://graph.facebook.com for those
// linked to a page, without version (section 1).
func New(baseURL string, http *channel.HTTPClient) *Client {
	return &Client{graph: graph.NewClient(baseURL, http, table)}
}

// Send makes one call with one text. Nothing of the key travels: Instagram
// documents no metadata, and an echo is matched by its content (section 8).
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
// next message without the tag will tell (section 4).
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
