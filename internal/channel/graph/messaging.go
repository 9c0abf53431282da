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
		Mid     Scalar `json:"mid"`
		Title   Scalar `json:"title"`
		Payload Scalar `json:"payload"`
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
	ReplyTo       struct {
		Mid Scalar `json:"mid"` // none: a reply to a story
	} `json:"reply_to"`
	Attachments []Attachment `json:"attachments"`
}

// Attachment is {"type":"image","payload":{"url":"https://…","sticker_id":369239263222822}}.
type Attachment struct {
	Type    Scalar `json:"type"`
	Payload struct {
		URL       Scalar `json:"url"`
		StickerID Scalar `json:"sticker_id"`
	} `json:"payload"`
}

// UnmarshalJSON takes what it understands of an attachment: one of a shape not
// known yet must not take its message away.
func (a *Attachment) UnmarshalJSON(data []byte) error {
	var whole struct {
		Type    json.RawMessage `json:"type"`
		Payload json.RawMessage `json:"payload"`
	}
	if json.Unmarshal(data, &whole) != nil {
		return nil
	}
	if len(whole.Type) > 0 && json.Unmarshal(whole.Type, &a.Type) != nil {
		a.Type = ""
	}
	if len(whole.Payload) > 0 && json.Unmarshal(whole.Payload, &a.Payload) != nil {
		a.Payload.URL, a.Payload.StickerID = "", ""
	}
	return nil
}

// fileKinds are the attachments that are files, and as what they are kept: a
// shared post or story is a picture or a video behind a link. A location, a
// template and a link that was typed (fallback) are none.
var fileKinds = map[Scalar]string{
	"image": "image", "video": "video", "audio": "audio", "file": "file", "sticker": "sticker", "animated_image_share": "image",
	"story_mention": "image", "story": "image", "ig_story": "image", "ig_post": "image", "share": "image", "ig_reel": "video", "reel": "video",
	"ephemeral": "image", // Instagram's view once: never has a link (FIL-08)
}

// files are the files of a message. One without a link is not given by the
// provider, nor is the picture of an unsupported message (FIL-08).
func (m *Message) files() []omniflow.MediaRef {
	var out []omniflow.MediaRef
	for _, a := range m.Attachments {
		kind, ok := fileKinds[a.Type]
		if a.Payload.StickerID != "" {
			kind, ok = "sticker", true
		}
		if ok {
			out = append(out, omniflow.MediaRef{Handle: a.Payload.URL.String(), Kind: kind})
		}
	}
	if len(out) == 0 && m.IsUnsupported {
		out = []omniflow.MediaRef{{Kind: "image"}}
	}
	return out
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
// message and one of the account to itself are not for the conversation. A tap
// is a text with the button's title, until the channel says otherwise. One
// without a time has the zero Time, and comes nonetheless.
func (m Messaging) Incoming() []channel.Event {
	event := channel.Event{
		Kind: channel.EventMessage, Recipient: m.Sender.ID.String(), At: m.Timestamp.Time(),
	}
	switch {
	case m.Message != nil && m.Message.ok():
		event.ProviderID, event.Text = m.Message.Mid.String(), m.Message.Text.String()
		event.MessageType, event.QuotedID, event.Media = m.Message.kind(), m.Message.ReplyTo.Mid.String(), m.Message.files()
	case m.Postback != nil:
		event.ProviderID, event.Text = m.Postback.Mid.String(), m.Postback.Title.String()
		event.MessageType = "postback"
		if event.ProviderID == "" { // older payloads have no mid
			if event.At.IsZero() {
				return nil // nothing would tell its repetition from another tap
			}
			event.ProviderID = "postback:" + event.Recipient + ":" + m.Timestamp.String()
		}
	default:
		return nil
	}
	if event.Recipient == "" {
		return nil
	}
	if event.Text == "" {
		event.Received = omniflow.ReceivedMedia // D-CNV-4: also a type that is not known
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
