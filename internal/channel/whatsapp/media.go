package whatsapp

import (
	"context"

	"omniflow/internal/channel"
	"omniflow/internal/channel/graph"
	"omniflow/internal/omniflow"
)

var _ channel.Uploader = (*Client)(nil)

// Upload hands a file to the account's number; the id is good for 30 days
// (section 2.8).
//
// Errors: *channel.Error.
func (c *Client) Upload(ctx context.Context, a channel.Account, m omniflow.Media, data []byte) (string, error) {
	form := graph.Form{Edge: "media", File: "file", Answer: "id",
		Fields: map[string]string{"messaging_product": "whatsapp", "type": m.MIME}}
	return c.graph.Upload(ctx, a, form, m, data)
}
