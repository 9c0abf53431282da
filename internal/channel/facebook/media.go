package facebook

import (
	"context"
	"encoding/json"

	"omniflow/internal/channel"
	"omniflow/internal/channel/graph"
	"omniflow/internal/omniflow"
)

var _ channel.Uploader = (*Client)(nil)

// upload is {"attachment":{"type":"image","payload":{"is_reusable":true}}}.
type upload struct {
	Attachment struct {
		Type    omniflow.MessageKind `json:"type"`
		Payload struct {
			Reusable bool `json:"is_reusable"`
		} `json:"payload"`
	} `json:"attachment"`
}

// Upload hands a file to the page as a reusable attachment of m.Kind; the id is
// good for 90 days (section 2).
//
// Errors: *channel.Error.
func (c *Client) Upload(ctx context.Context, a channel.Account, m omniflow.Media, data []byte) (string, error) {
	var body upload
	body.Attachment.Type, body.Attachment.Payload.Reusable = m.Kind, true
	message, err := json.Marshal(body)
	if err != nil {
		return "", channel.Refused(err)
	}
	form := graph.Form{Edge: "message_attachments", File: "filedata", Answer: "attachment_id",
		Fields: map[string]string{"message": string(message)}}
	return c.UploadForm(ctx, a, form, m, data)
}
