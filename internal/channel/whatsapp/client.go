// Package whatsapp sends through the WhatsApp Cloud API and reads its webhooks.
//
// Source: shared/channels/whatsapp.md.
package whatsapp

import (
	"context"
	"net/url"

	"omniflow/internal/channel"
	"omniflow/internal/channel/graph"
)

// Client is the provider WhatsApp. It is safe for concurrent use.
type Client struct {
	graph *graph.Client
}

var (
	_ channel.Provider   = (*Client)(nil)
	_ channel.Subscriber = (*Client)(nil)
)

// New returns a client of the Cloud API at baseURL, such as
// https://graph.facebook.com, without version.
func New(baseURL string, http *channel.HTTPClient) *Client {
	return &Client{graph: graph.NewClient(baseURL, http, table)}
}

// Send makes one call with one content. The key travels as
// biz_opaque_callback_data and comes back in every status (section 2.6).
//
// Errors: *channel.Error. A success means accepted: the number may not even
// be on WhatsApp, which a failed status tells later (section 2.4).
func (c *Client) Send(ctx context.Context, a channel.Account, m channel.Message) (channel.Receipt, error) {
	body, err := newRequest(m)
	if err != nil {
		return channel.Receipt{}, channel.Refused(err)
	}
	return c.graph.Send(ctx, a, body)
}

// VerifySubscription answers Meta's check of the webhook address.
func (c *Client) VerifySubscription(a channel.Account, query url.Values) (string, error) {
	return graph.VerifySubscription(a, query)
}
