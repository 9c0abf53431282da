package line

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/line/line-bot-sdk-go/v8/linebot/webhook"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// SignatureHeader carries the base64 HMAC-SHA256 of the raw body under the
// channel secret.
const SignatureHeader = "X-Line-Signature"

// Verify checks the signature over the raw body, in constant time. An account
// without a secret accepts nothing (section 10).
//
// Errors: *omniflow.Refusal signature_invalid.
func (c *Client) Verify(a channel.Account, header http.Header, body []byte) error {
	signature := header.Get(SignatureHeader)
	if signature == "" || a.Secrets.AppSecret == "" {
		return omniflow.Refuse(omniflow.SignatureInvalid, "SYS-03", "the signature is missing or cannot be checked")
	}
	if !webhook.ValidateSignature(a.Secrets.AppSecret, signature, body) {
		return omniflow.Refuse(omniflow.SignatureInvalid, "SYS-03", "the signature does not fit the body")
	}
	return nil
}

// callback is the envelope. The SDK's own gives up on the whole body when one
// event is not as it expects, so the events are handed to it one by one.
type callback struct {
	Destination string            `json:"destination"`
	Events      []json.RawMessage `json:"events"`
}

var errEnvelope = errors.New("not this provider's envelope")

// Parse reads what customers write and tap one to one; there are no echoes and
// no receipts (section 12). Events of groups and rooms, follow, unfollow,
// unsend and the rest are EventOther with their type.
func (c *Client) Parse(body []byte) ([]channel.Event, error) {
	var cb callback
	if err := json.Unmarshal(body, &cb); err != nil || cb.Destination == "" {
		return nil, fmt.Errorf("parse webhook: %w", errEnvelope)
	}
	events := make([]channel.Event, 0, len(cb.Events))
	for _, raw := range cb.Events {
		event := channel.Event{Kind: channel.EventOther}
		if parsed, err := webhook.UnmarshalEvent(raw); err == nil && parsed != nil {
			event = read1to1(parsed)
		}
		event.AccountID, event.Raw = cb.Destination, raw
		events = append(events, event)
	}
	return events, nil
}

// read1to1 makes an event of what the SDK understood.
func read1to1(parsed webhook.EventInterface) channel.Event {
	switch e := parsed.(type) {
	case webhook.MessageEvent:
		return message1to1(e)
	case webhook.PostbackEvent:
		return postback1to1(e)
	case webhook.FollowEvent:
		return about(e.Source, e.Timestamp, e.Type)
	case webhook.UnfollowEvent:
		return about(e.Source, e.Timestamp, e.Type)
	case webhook.UnsendEvent:
		return about(e.Source, e.Timestamp, e.Type)
	}
	return channel.Event{Kind: channel.EventOther, MessageType: parsed.GetType()}
}

// incoming makes event a customer's message if it was written one to one. One
// without a time has the zero Time, and comes nonetheless.
func incoming(source webhook.SourceInterface, timestamp int64, event channel.Event) channel.Event {
	user, ok := source.(webhook.UserSource)
	if !ok || user.UserId == "" || event.ProviderID == "" {
		return about(source, timestamp, event.MessageType)
	}
	event.Kind, event.Recipient, event.At = channel.EventMessage, user.UserId, at(timestamp)
	return event
}

// about is an event that is kept and not acted on here.
func about(source webhook.SourceInterface, timestamp int64, kind string) channel.Event {
	event := channel.Event{Kind: channel.EventOther, MessageType: kind, At: at(timestamp)}
	if user, ok := source.(webhook.UserSource); ok {
		event.Recipient = user.UserId
	}
	return event
}

// lastMilli is the end of the year 9999, the last that JSON can write.
const lastMilli = 253_402_300_799_999

// at reads a time in milliseconds; what is no time is the zero Time.
func at(timestamp int64) time.Time {
	if timestamp <= 0 || timestamp > lastMilli {
		return time.Time{}
	}
	return time.UnixMilli(timestamp).UTC()
}
