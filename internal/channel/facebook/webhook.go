package facebook

import (
	"net/http"

	"omniflow/internal/channel"
	"omniflow/internal/channel/graph"
	"omniflow/internal/omniflow"
)

// Verify checks X-Hub-Signature-256 over the raw body (section 12.1).
func (c *Client) Verify(a channel.Account, header http.Header, body []byte) error {
	return graph.Verify(a, header, body)
}

// Parse reads echoes, receipts and customers' messages, those on standby too
// (section 12.3). Reactions, edits, hand-overs and the rest are EventOther.
func (c *Client) Parse(body []byte) ([]channel.Event, error) {
	return graph.Parse("page", body, func(e graph.Entry) []channel.Event {
		return graph.EachMessaging(e, events)
	})
}

func events(_ string, m graph.Messaging) []channel.Event {
	switch {
	case m.Message != nil && m.Message.IsEcho:
		return echo(m)
	case m.Delivery != nil:
		return delivery(m)
	case m.Read != nil:
		return watermark(m, omniflow.Read, m.Read.Watermark)
	}
	return incoming(m)
}

// incoming is a customer's message or tap. Which button was tapped tells its
// payload.
func incoming(m graph.Messaging) []channel.Event {
	made := m.Incoming()
	if m.Message != nil || m.Postback == nil {
		return made
	}
	for i := range made {
		made[i].Received = omniflow.ReadFacebookPostback(m.Postback.Payload.String())
	}
	return made
}

// echo carries our key when we sent the message; that of another app or of a
// person in the page's inbox carries none.
func echo(m graph.Messaging) []channel.Event {
	made := m.Echoed()
	key, err := channel.ParseKey(m.Message.Metadata.String())
	if err != nil {
		return made
	}
	for i := range made {
		made[i].Key = key
	}
	return made
}

// delivery is one watermark: everything sent before it was delivered. mids
// are read only if it is missing, which it never should be (section 12.3).
func delivery(m graph.Messaging) []channel.Event {
	if made := watermark(m, omniflow.Received, m.Delivery.Watermark); made != nil {
		return made
	}
	var made []channel.Event
	for _, mid := range m.Delivery.Mids {
		made = append(made, channel.Event{
			Kind: channel.EventStatus, State: omniflow.Received, ProviderID: mid.String(),
			Recipient: m.Sender.ID.String(), At: m.Timestamp.Time(),
		})
	}
	return made
}

func watermark(m graph.Messaging, state omniflow.Evidence, at graph.Scalar) []channel.Event {
	if at.Time().IsZero() || m.Sender.ID == "" {
		return nil
	}
	return []channel.Event{{
		Kind: channel.EventWatermark, State: state, Recipient: m.Sender.ID.String(), At: at.Time(),
	}}
}
