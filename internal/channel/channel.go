// Package channel is the contract between omniflow and the messaging
// providers: what a sender does, what an error means, what a webhook says.
// Each subfolder is one provider; channeltest is the suite all of them pass.
package channel

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
)

// Account is one channel account as a sender needs it, secrets in clear.
type Account struct {
	ID         uuid.UUID
	TeamID     uuid.UUID
	Channel    omniflow.Channel
	ExternalID string // phone-number id, LINE bot user id, page id, Instagram account id
	Secrets    Secrets
}

// Secrets are what the provider gave us for an account. They are sealed at
// rest and never logged.
type Secrets struct {
	Token       string `json:"token"`                  // bearer token of the API
	AppSecret   string `json:"app_secret"`             // Meta app secret or LINE channel secret: signs webhooks
	VerifyToken string `json:"verify_token,omitempty"` // Meta: answers the subscription check
	AppID       string `json:"app_id,omitempty"`       // Messenger: tells our echoes from other apps'
}

// Message is one provider call for one recipient.
type Message struct {
	Key        Key
	RetryKey   uuid.UUID // LINE only: the same on every attempt of this message
	Recipient  string    // provider's user id; WhatsApp: digits of the E.164 number
	Contents   []omniflow.Content
	HumanAgent bool   // Facebook, Instagram: a person wrote it (WIN-05); never for a broadcast
	QuotedID   string // WhatsApp: provider's id of the message it answers; elsewhere quote_unsupported (QUO-02)
}

// Receipt says that the provider accepted a call: not that it was delivered.
type Receipt struct {
	ProviderID string    // wamid, mid, LINE message id; "" where the provider gives none
	At         time.Time // when the answer was read
	HTTPStatus int
	Trace      string // provider's request id, for its support
}

// Sender hands one message to a provider.
type Sender interface {
	// Send hands m to the provider and returns its receipt. It carries m.Key
	// (WhatsApp, Messenger) or m.RetryKey (LINE), and makes at most one call
	// whose bytes may have reached the provider, unless a repeat is provably
	// safe.
	//
	// Errors: always *Error, whose Fault says whether sending again is safe.
	Send(ctx context.Context, a Account, m Message) (Receipt, error)
}

// Multicaster is a Sender that can hand one content to many recipients in
// one call, all or nothing.
type Multicaster interface {
	Sender
	// Multicast hands contents to all of recipients (1 to MulticastMax) under
	// one retry key. Calling it again with the same key and the same
	// recipients in the same order within 24 h delivers nothing twice.
	//
	// Errors: *Error. When the provider names recipients it refuses, nobody
	// was sent to, Error.Recipients holds their indexes, and the call may be
	// repeated without them under a NEW key.
	Multicast(ctx context.Context, a Account, retryKey uuid.UUID, recipients []string, contents []omniflow.Content) (Receipt, error)
}

// Uploader is a Sender whose provider keeps a file, so that messages carry its
// name and not the file. Where a Sender is none, messages carry links.
type Uploader interface {
	Sender
	// Upload hands a file to the provider and returns the handle by which
	// messages of this account name it: omniflow.Media.Handle. Uploading again
	// does no harm: it leaves a copy that nobody names.
	//
	// Errors: *Error. Rejected: the provider takes this file never.
	Upload(ctx context.Context, a Account, m omniflow.Media, data []byte) (handle string, err error)
}

// QuotaReader is a Sender whose provider counts the recipients of a month
// (LINE).
type QuotaReader interface {
	Sender
	// Quota asks how many recipients the account may send to this month, and
	// how many it has. The provider's count is approximate.
	//
	// Errors: *Error.
	Quota(ctx context.Context, a Account) (omniflow.Quota, error)
}

// MulticastMax is the largest number of recipients of one multicast call (LINE).
const MulticastMax = 500

// Webhooks reads what one provider posts to us.
type Webhooks interface {
	// Verify checks the signature over the raw body, in constant time.
	// A wrong or missing signature is *omniflow.Refusal signature_invalid.
	Verify(a Account, header http.Header, body []byte) error
	// Parse splits a verified body into events, in the order given. Unknown
	// fields and event types are EventOther, never an error; an error means
	// that the body is not this provider's envelope.
	Parse(body []byte) ([]Event, error)
}

// Provider is everything omniflow needs of one channel.
type Provider interface {
	Sender
	Webhooks
}

// EventKind tells what an Event is.
type EventKind string

// The kinds of webhook events.
const (
	// EventStatus is evidence about one message: found by Key, else by
	// ProviderID, else (an Instagram echo) by recipient, Text and At.
	EventStatus EventKind = "status"
	// EventWatermark is evidence about every message to Recipient sent at or
	// before At (Messenger receipts; Instagram seen; LINE has none).
	EventWatermark EventKind = "watermark"
	// EventMessage is a message of the customer Recipient.
	EventMessage EventKind = "message"
	// EventOther is anything not handled yet; it is kept, not refused.
	EventOther EventKind = "other"
)

// Event is one thing a webhook said, the same for every provider.
type Event struct {
	Kind        EventKind
	AccountID   string // provider's id of our account, as the event names it
	Key         Key    // our own key, where the provider echoes it
	ProviderID  string // wamid or mid; of an EventMessage, the customer's message
	Recipient   string // the customer's provider user id
	State       omniflow.Evidence
	Fault       *Error                // why, when State is failed
	Echo        bool                  // an echo: proof of acceptance, with Text, possibly of another app
	Text        string                // echo or customer text, for matching and storing; never logged
	MessageType string                // EventMessage: provider's type (text, image, …)
	Received    omniflow.ReceivedKind // EventMessage: its row of the table of spec section 2; "" for a text, which keywords decide
	QuotedID    string                // EventMessage: provider's id of the message it answers
	Media       []omniflow.MediaRef   // EventMessage: files that came with it
	Sticker     *omniflow.LINESticker // EventMessage: of LINE
	At          time.Time             // provider's time
	Raw         []byte                // the event as it came, JSON
	GroupID     string                // status and message: the group it was in, "" one to one
	Group       *GroupEvent           // EventGroup
}
