// Package instagram sends Instagram direct messages and reads their webhooks.
//
// Source: shared/channels/instagram.md; messenger.md for what the two share.
package instagram

import (
	"omniflow/internal/channel"
	"omniflow/internal/channel/graph"
)

// Client is the provider Instagram: graph.PageClient and webhooks. Files go by
// link, so it is no channel.Uploader. It is safe for concurrent use.
type Client struct {
	*graph.PageClient
}

var (
	_ channel.Provider   = (*Client)(nil)
	_ channel.Subscriber = (*Client)(nil)
	_ channel.Fetcher    = (*Client)(nil)
)

// New returns a client of the send API at baseURL: https://graph.instagram.com
// for accounts with an Instagram login, https://graph.facebook.com for those
// linked to a page, without version (section 1).
func New(baseURL string, http *channel.HTTPClient) *Client {
	return &Client{graph.NewPageClient(baseURL, http, table, page)}
}
