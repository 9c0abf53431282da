// Package facebook sends through Facebook Messenger and reads its webhooks.
//
// Source: shared/channels/messenger.md.
package facebook

import (
	"omniflow/internal/channel"
	"omniflow/internal/channel/graph"
)

// Client is the provider Messenger: graph.PageClient, uploads and webhooks. It
// is safe for concurrent use.
type Client struct {
	*graph.PageClient
}

var (
	_ channel.Provider   = (*Client)(nil)
	_ channel.Subscriber = (*Client)(nil)
	_ channel.Fetcher    = (*Client)(nil)
)

// New returns a client of the Send API at baseURL, such as
// https://graph.facebook.com, without version.
func New(baseURL string, http *channel.HTTPClient) *Client {
	return &Client{graph.NewPageClient(baseURL, http, table, page)}
}
