package instagram

import (
	"net/http"

	"omniflow/internal/channel"
	"omniflow/internal/channel/graph"
	"omniflow/internal/omniflow"
)

// Verify checks X-Hub-Signature-256 over the raw body (section 10.1).
func (c *Client) Verify(a channel.Account, header http.Header, body []byte) error {
	return graph.Verify(a, header, body)
}

// Parse reads echoes, seen events and customers' messages (section 10.3).
// Unsent and edited messages, reactions and comments are EventOther.
func (c *Client) Parse(body []byte) ([]channel.Event, error) {
	return graph.Parse("instagram", body, func(e graph.Entry) []channel.Event {
		return graph.EachMessaging(e, events)
	})
}

func events(_ string, m graph.Messaging) []channel.Event {
	switch {
	case m.Message != nil && m.Message.IsEcho:
		return m.Echoed() // carries no key: section 8
	case m.Read != nil:
		return seen(m)
	}
	return m.Incoming()
}

// seen is about one message and means all that went to the thread before it
// was seen (section 7): a watermark at the time of the event.
func seen(m graph.Messaging) []channel.Event {
	if m.Timestamp.Time().IsZero() || m.Sender.ID == "" {
		return nil
	}
	return []channel.Event{{
		Kind: channel.EventWatermark, State: omniflow.Read, ProviderID: m.Read.Mid.String(),
		Recipient: m.Sender.ID.String(), At: m.Timestamp.Time(),
	}}
}
