package whatsapp

import (
	"context"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// SendToGroup makes one call of G15: Send with a group as recipient. What the
// group takes is checked by the provider (131051); a group nobody has joined
// refuses with group_empty.
//
// Errors: *channel.Error.
func (c *Client) SendToGroup(ctx context.Context, a channel.Account, m channel.Message) (channel.Receipt, error) {
	body, err := newGroupRequest(m)
	if err != nil {
		return channel.Receipt{}, channel.Refused(err)
	}
	return c.graph.Send(ctx, a, body)
}

func newGroupRequest(m channel.Message) (request, error) {
	r, err := newBody(m)
	if err != nil {
		return request{}, err
	}
	if m.Recipient == "" {
		return request{}, omniflow.Refuse(omniflow.InvalidInput, "GRP", "no group is named")
	}
	r.RecipientType, r.To = "group", m.Recipient
	return r, nil
}
