package graph

import (
	"encoding/json"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// Messaging is one event of Messenger or Instagram:
//
//	{"sender":{"id":"PSID"},"recipient":{"id":"PAGE_ID"},"timestamp":1700000000000,
//	  "message":{"mid":"m_…","text":"hi"}}
//
// An echo has sender and recipient the other way round. Exactly one of the
// objects is present.
type Messaging struct {
	Sender    Party    `json:"sender"`
	Recipient Party    `json:"recipient"`
	Timestamp Scalar   `json:"timestamp"` // ms; seconds in some examples
	Message   *Message `json:"message"`
	Delivery  *struct {
		Watermark Scalar   `json:"watermark"` // ms
		Mids      []Scalar `json:"mids"`
	} `json:"delivery"`
	Read *struct {
		Watermark Scalar `json:"watermark"` // Messenger, ms
		Mid       Scalar `json:"mid"`       // Instagram
	} `json:"read"`
	Postback *struct {
		Mid   Scalar `json:"mid"`
		Title Scalar `json:"title"`
	} `json:"postback"`
}

// Party is one side of a thread.
type Party struct {
	ID Scalar `json:"id"`
}

// Message is the message object of an event, the customer's or an echo.
type Message struct {
	Mid           Scalar `json:"mid"`
	Text          Scalar `json:"text"`
	Metadata      Scalar `json:"metadata"` // Messenger echoes what we sent
	IsEcho        bool   `json:"is_echo"`
	IsSelf        bool   `json:"is_self"`
	IsDeleted     bool   `json:"is_deleted"`
	IsUnsupported bool   `json:"is_unsupported"`
	Attachments   []struct {
		Type Scalar `json:"type"`
	} `json:"attachments"`
}

// kind is the type of a message, in the provider's words where it has some.
func (m *Message) kind() string {
	switch {
	case m.IsUnsupported:
		return "unsupported"
	case m.Text == "" && len(m.Attachments) > 0:
		return m.Attachments[0].Type.String()
	}
	return "text"
}

// EachMessaging makes events of what an entry holds, in order: messaging,
// then standby. Changes, and what the channel makes nothing of, are EventOther.
func EachMessaging(e Entry, one func(accountID string, m Messaging) []channel.Event) []channel.Event {
	account := e.ID.String()
	var events []channel.Event
	for _, list := range [][]json.RawMessage{e.Messaging, e.Standby} {
		for _, raw := range list {
			var m Messaging
			var made []channel.Event
			if json.Unmarshal(raw, &m) == nil {
				made = one(account, m)
			}
			if len(made) == 0 {
				made = []channel.Event{Other(account, raw)}
			}
			for i := range made {
				made[i].AccountID, made[i].Raw = account, raw
			}
			events = append(events, made...)
		}
	}
	for _, raw := range e.Changes {
		events = append(events, Other(account, raw))
	}
	return events
}

// Incoming is the event of a customer's message or tap, or none: an unsent
// message and one of the account to itself are not for the conversation.
func (m Messaging) Incoming() []channel.Event {
	event := channel.Event{
		Kind: channel.EventMessage, Recipient: m.Sender.ID.String(), At: m.Timestamp.Time(),
	}
	switch {
	case m.Message != nil && m.Message.ok():
		event.ProviderID, event.Text = m.Message.Mid.String(), m.Message.Text.String()
		event.MessageType = m.Message.kind()
	case m.Postback != nil:
		event.ProviderID, event.Text = m.Postback.Mid.String(), m.Postback.Title.String()
		event.MessageType = "postback"
		if event.ProviderID == "" { // older payloads have no mid
			event.ProviderID = "postback:" + event.Recipient + ":" + m.Timestamp.String()
		}
	default:
		return nil
	}
	if event.Recipient == "" || event.At.IsZero() {
		return nil
	}
	return []channel.Event{event}
}

func (m *Message) ok() bool { return !m.IsEcho && !m.IsSelf && !m.IsDeleted && m.Mid != "" }

// Echoed is the event of an echo: proof that the provider took the message.
func (m Messaging) Echoed() []channel.Event {
	if m.Message.Mid == "" || m.Recipient.ID == "" || m.Message.IsSelf || m.Message.IsDeleted {
		return nil
	}
	return []channel.Event{{
		Kind: channel.EventStatus, State: omniflow.Sent, Echo: true,
		ProviderID: m.Message.Mid.String(), Recipient: m.Recipient.ID.String(),
		Text: m.Message.Text.String(), At: m.Timestamp.Time(),
	}}
}
