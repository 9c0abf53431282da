package instagram

import (
	"context"

	"omniflow/internal/channel"
)

var _ channel.Fetcher = (*Client)(nil)

// Fetch opens a customer's file by the link of its webhook, which lapses; that
// of a story lives for 24 hours (section 10.3).
//
// Errors: as channel.Fetcher says.
func (c *Client) Fetch(ctx context.Context, _ channel.Account, handle string) (channel.File, error) {
	return c.graph.Open(ctx, handle, "")
}
