// Package webchat is the chat widget of a team's own website: no provider
// stands behind it. What we say is stored for the widget to fetch, and what a
// customer does there comes through the door of the API into the same inbox as
// every webhook.
//
// Source: the specification's MSG-04, FIL-01, CNV-11.
package webchat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// Client is the provider of web chat. It keeps nothing.
type Client struct{}

var _ channel.Provider = Client{}

// New returns the provider.
func New() Client { return Client{} }

// Send hands a message over: it is in the ledger, from which the widget fetches
// it, so that it is sent for certain, and sending it again changes nothing.
//
// Errors: *channel.Error, for what the widget does not show.
func (Client) Send(_ context.Context, _ channel.Account, m channel.Message) (channel.Receipt, error) {
	err := channel.CheckQuote(m, omniflow.Webchat)
	if err == nil {
		err = Check(m.Contents)
	}
	if err == nil && (m.Recipient == "" || m.Key.IsZero()) {
		err = omniflow.Refuse(omniflow.InvalidInput, "MSG", "the message has no recipient or no key")
	}
	if err != nil {
		return channel.Receipt{}, channel.Refused(err)
	}
	return channel.Receipt{ProviderID: m.Key.MessageID.String(), At: time.Now(), HTTPStatus: http.StatusOK}, nil
}

// Check says whether the widget shows each of contents: text, or an image
// (FIL-01).
//
// Errors: *omniflow.Refusal.
func Check(contents []omniflow.Content) error {
	if len(contents) == 0 {
		return omniflow.Refuse(omniflow.MessageEmpty, "MSG", "there is no content")
	}
	for _, c := range contents {
		switch {
		case c.Kind == omniflow.Image && c.Media != nil:
		case c.Kind != omniflow.Text:
			return omniflow.Refuse(omniflow.ContentUnsupported, "FIL-01", "web chat takes no %q", c.Kind)
		default:
			if no := omniflow.CheckText(omniflow.Webchat, c.Text); no != nil {
				return no
			}
		}
	}
	return nil
}

// Verify refuses everything: no provider posts webhooks of web chat.
func (Client) Verify(channel.Account, http.Header, []byte) error {
	return omniflow.Refuse(omniflow.SignatureInvalid, "SYS-03", "web chat has no webhooks")
}

// EventType is what a customer did at the widget.
type EventType string

// The events of the widget.
const (
	Wrote    EventType = "message"
	AskHuman EventType = "ask_human" // the customer asks for a human (CNV-11)
	Opened   EventType = "opened"    // and reads (MSG-04)
)

// Event is one thing that a customer did at the widget, as the API puts it into
// the inbox.
type Event struct {
	Type     EventType          `json:"type"`
	Customer string             `json:"customer"`
	ID       string             `json:"id,omitempty"` // the widget's own: the same when it says so again
	Text     string             `json:"text,omitempty"`
	Media    *omniflow.MediaRef `json:"media,omitempty"`
	At       time.Time          `json:"at"`
}

// Body is what the inbox holds of events.
func Body(e Event) ([]byte, error) {
	body, err := json.Marshal(envelope{Object: object, Events: []Event{e}})
	if err != nil {
		return nil, fmt.Errorf("write event: %w", err)
	}
	return body, nil
}

const object = "webchat"

type envelope struct {
	Object string  `json:"object"`
	Events []Event `json:"events"`
}

var errEnvelope = errors.New("not an envelope of web chat")

// Parse reads what Body wrote.
func (Client) Parse(body []byte) ([]channel.Event, error) {
	var env envelope
	if err := json.Unmarshal(body, &env); err != nil || env.Object != object {
		return nil, errEnvelope
	}
	events := make([]channel.Event, 0, len(env.Events))
	for _, e := range env.Events {
		raw, err := json.Marshal(e)
		if err != nil {
			return nil, errEnvelope
		}
		event := e.event()
		event.Recipient, event.At, event.Raw = e.Customer, e.At, raw
		events = append(events, event)
	}
	return events, nil
}

func (e Event) event() channel.Event {
	out := channel.Event{Kind: channel.EventMessage, ProviderID: e.Customer + ":" + e.ID, Text: e.Text, MessageType: "text"}
	switch {
	case e.Type == Opened && !e.At.IsZero():
		return channel.Event{Kind: channel.EventWatermark, State: omniflow.Read}
	case e.Customer == "" || e.ID == "":
		return channel.Event{Kind: channel.EventOther}
	case e.Type == AskHuman:
		out.MessageType, out.Received = string(AskHuman), omniflow.AskedForHuman
	case e.Type != Wrote:
		return channel.Event{Kind: channel.EventOther}
	case e.Media != nil:
		out.MessageType, out.Received, out.Media = e.Media.Kind, omniflow.ReceivedMedia, []omniflow.MediaRef{*e.Media}
	case strings.TrimSpace(e.Text) == "":
		out.Received = omniflow.ReceivedMedia
	}
	return out
}
