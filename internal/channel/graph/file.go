package graph

import (
	"context"

	"omniflow/internal/channel"
)

// domains are where Meta keeps the files of its users.
var domains = []string{"fbcdn.net", "fbsbx.com", "cdninstagram.com", "whatsapp.net"}

// Open begins to fetch a file that Meta keeps, from the link that it gave. The
// link of a webhook is its own permission; one that the API gave wants the
// account's token too.
//
// Errors: as channel.Fetcher says.
func (c *Client) Open(ctx context.Context, link, token string) (channel.File, error) {
	return c.http.Open(ctx, channel.Download{URL: link, Token: token, Base: c.base, Domains: domains})
}

// Fetch opens a customer's file by the link of its webhook, which lapses; that
// of an Instagram story lives for 24 hours (messenger.md section 12.3,
// instagram.md section 10.3). It makes a PageClient a channel.Fetcher.
//
// Errors: as channel.Fetcher says.
func (c *PageClient) Fetch(ctx context.Context, _ channel.Account, handle string) (channel.File, error) {
	return c.graph.Open(ctx, handle, "")
}
