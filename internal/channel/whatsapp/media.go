package whatsapp

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

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

var _ channel.Fetcher = (*Client)(nil)

// noObject is the code of an id that the API does not know, or not any more.
// As the answer to a send it speaks of the account.
const noObject = "100"

// Fetch opens a customer's file by its media id: its link, good for five
// minutes, and then its bytes, both with the account's token (section 2.8).
//
// Errors: as channel.Fetcher says.
func (c *Client) Fetch(ctx context.Context, a channel.Account, handle string) (channel.File, error) {
	ans, err := c.graph.Do(ctx, a, graph.Call{Method: http.MethodGet, Path: []string{handle}, Query: url.Values{"phone_number_id": {a.ExternalID}}})
	var e *channel.Error
	if errors.As(err, &e) && (e.Fault == channel.Rejected || e.Code == noObject) {
		return channel.File{}, channel.Gone(e.Code, e.HTTPStatus)
	}
	if err != nil {
		return channel.File{}, err
	}
	var file struct {
		URL graph.Scalar `json:"url"`
	}
	if json.Unmarshal(ans.Body, &file) != nil || file.URL == "" {
		return channel.File{}, graph.Incomplete(http.MethodGet, ans)
	}
	opened, err := c.graph.Open(ctx, file.URL.String(), a.Secrets.Token)
	if errors.As(err, &e) && e.HTTPStatus == http.StatusNotFound {
		e.Fault, e.Reason = channel.Unavailable, omniflow.ProviderDown // the link has lapsed: another one
	}
	return opened, err
}
