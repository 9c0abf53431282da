package omniflow

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// InboxItem is one webhook request as it was received and verified.
type InboxItem struct {
	ID               int64
	TeamID           uuid.UUID
	Channel          Channel
	ChannelAccountID uuid.UUID
	Body             []byte
	ReceivedAt       time.Time
}

// Status is evidence about one message of ours.
type Status struct {
	TeamID           uuid.UUID
	ChannelAccountID uuid.UUID
	MessageID        uuid.UUID
	Attempt          int
	State            Evidence
	Code             Code // why, when failed
	ProviderID       string
	At               time.Time
	Participant      string          // of a group: the one member that it is about; "": it is about the message
	Weak             bool            // a watermark: no proof that news of a lost message would come
	Raw              json.RawMessage // for the dead letter, if it belongs to nothing
}

// Clue is evidence that does not name our message: it is found by who it went
// to and the provider's id, or an echo's text, or by everything before a time.
type Clue struct {
	Status
	Recipient string
	GroupID   string // provider's id of the group that the message went to, "" one to one
	Watermark bool   // about every message sent at or before At
	Echo      bool   // without an id of ours: the text tells
	Text      string // of an echo; never stored, never logged
}

// CustomerMessage is a message that a customer sent.
type CustomerMessage struct {
	TeamID           uuid.UUID
	Channel          Channel
	ChannelAccountID uuid.UUID
	Sender           string // provider's user id
	GroupID          string // provider's id of the group it was written in, "" one to one
	ProviderID       string
	Kind             string
	Received         ReceivedKind // what it is by itself; "" for a text, which keywords decide
	Text             string
	QuotedID         string       // provider's id of the message it answers (QUO-01)
	Media            []MediaRef   // files that came with it
	Sticker          *LINESticker // LINE's, which has no file
	At               time.Time
	Raw              json.RawMessage
}

// MediaRef is where a provider keeps a file that a customer sent.
type MediaRef struct {
	Handle  string    `json:"handle"`            // media id or link; "": the provider does not give the file (FIL-08)
	Kind    string    `json:"kind"`              // image, video, audio, file, sticker
	Name    string    `json:"name,omitempty"`    // as the customer called it
	MediaID uuid.UUID `json:"media_id,omitzero"` // web chat: the file is kept already
}

// LINESticker is one of LINE's stickers, by the ids under which LINE sells it.
type LINESticker struct {
	PackageID   string `json:"package_id"`
	StickerID   string `json:"sticker_id"`
	Displayable bool   `json:"displayable"` // false: the console shows a smiley (STK-04)
}

// DeadLetter is an event that belongs to nothing, kept until it is replayed.
type DeadLetter struct {
	TeamID           uuid.UUID
	Channel          Channel
	ChannelAccountID uuid.UUID
	Reason           Code
	Event            json.RawMessage
}

// Stop is a provider's word, by webhook, that an account or a template takes
// nothing more until somebody acts.
type Stop struct {
	TeamID           uuid.UUID
	ChannelAccountID uuid.UUID
	MessageID        uuid.UUID // of a template: its lane is stopped
	Template         bool
	Code             string // the provider's
	Reason           Code
}

// Intake is what a batch of inbox items says, sorted by what is done with it.
type Intake struct {
	Statuses []Status
	Clues    []Clue
	Messages []CustomerMessage
	Stops    []Stop
	Groups   []GroupEvent
	Dead     []DeadLetter
}

// IntakeResult counts what one batch did.
type IntakeResult struct {
	Items    int // webhook requests taken from the inbox
	Changed  int // ledger rows that changed state
	Messages int // customer messages stored
	Blocked  int // customer messages of blocked senders, dropped (DEL-02)
	Groups   int // group events applied
	Dead     int // dead letters written
}

// The reasons of dead letters.
const (
	MessageUnknown      Code = "message_unknown"
	ConversationUnknown Code = "conversation_unknown"
	EnvelopeInvalid     Code = "envelope_invalid"
	AccountForeign      Code = "account_foreign"  // the event is of another team's account
	EventUnstorable     Code = "event_unstorable" // the database refused what it says
)
