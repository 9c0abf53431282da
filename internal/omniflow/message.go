package omniflow

import "github.com/google/uuid"

// MessageState is the state of one row of the outbound ledger: MSG-01, plus
// the states of the pipeline around it (design section 4).
type MessageState string

// The states of a message. Unknown means handed to the network, outcome not
// learned yet.
const (
	Queued    MessageState = "queued"
	Sending   MessageState = "sending"
	Sent      MessageState = "sent"
	Received  MessageState = "received"
	Read      MessageState = "read"
	Failed    MessageState = "failed"
	Skipped   MessageState = "skipped"
	Cancelled MessageState = "cancelled"
	Unknown   MessageState = "unknown"
)

// Evidence is what a provider's webhook says about a message.
type Evidence = MessageState

// merges is the monotone lattice of MSG-01 and D-MSG-3: the state a message
// takes when evidence (column) reaches it in a state (row). A pair that is
// not here leaves the state alone: a state never goes backwards.
var merges = map[MessageState]map[Evidence]MessageState{
	// Ambiguous states: any evidence proves that the provider took it.
	Sending: {Sent: Sent, Received: Received, Read: Read, Failed: Failed},
	Unknown: {Sent: Sent, Received: Received, Read: Read, Failed: Failed},
	// A row given back for another attempt, or given up, when the evidence comes late.
	Queued:    {Sent: Sent, Received: Received, Read: Read},
	Cancelled: {Sent: Sent, Received: Received, Read: Read},
	Sent:      {Received: Received, Read: Read, Failed: Failed},
	Received:  {Read: Read},
	Failed:    {Received: Received, Read: Read},
}

// Merge gives the state after evidence e reached a message in state s, and
// whether that is a change.
func Merge(s MessageState, e Evidence) (MessageState, bool) {
	next, ok := merges[s][e]
	if !ok {
		return s, false
	}
	return next, true
}

// Merges lists every row of the lattice as (state, evidence, next), in no
// order: the store builds its one merge statement from it.
func Merges() [][3]MessageState {
	var rows [][3]MessageState
	for from, row := range merges {
		for evidence, next := range row {
			rows = append(rows, [3]MessageState{from, evidence, next})
		}
	}
	return rows
}

// Settled says whether no step of ours will change s any more.
func (s MessageState) Settled() bool {
	switch s {
	case Queued, Sending, Unknown:
		return false
	}
	return true
}

// Delivered says whether the provider took the message: sent, received or read.
func (s MessageState) Delivered() bool { return s == Sent || s == Received || s == Read }

// MessageKind is the kind of one content.
type MessageKind string

// The kinds that the outbound pipeline sends.
const (
	Text         MessageKind = "text"
	Image        MessageKind = "image"
	Video        MessageKind = "video"
	File         MessageKind = "file"
	SavedReply   MessageKind = "saved_reply" // stands for its contents
	TemplateKind MessageKind = "template"
)

// Content is one bubble at the customer: a text, a file, or a WhatsApp
// template. In a request it may also be a saved reply, which is several.
type Content struct {
	Kind         MessageKind `json:"kind" enum:"text,image,video,file,saved_reply,template"`
	Text         string      `json:"text,omitempty" doc:"The text; beside a file its caption, which only WhatsApp shows."`
	Template     *Template   `json:"template,omitempty"`
	MediaID      uuid.UUID   `json:"media_id,omitzero" required:"false" doc:"Of POST /v1/media, for image, video and file."`
	SavedReplyID uuid.UUID   `json:"saved_reply_id,omitzero" required:"false"`

	// Frozen when a broadcast is accepted.
	Media    *Media    `json:"media,omitempty" readOnly:"true" doc:"The file of media_id, as it was accepted."`
	Contents []Content `json:"contents,omitempty" readOnly:"true" doc:"The contents of saved_reply_id, as they were accepted."`
	Module   string    `json:"module,omitempty" readOnly:"true" doc:"The type of the bot module that saved_reply_id sends."`

	Promotional bool `json:"promotional,omitempty" readOnly:"true" doc:"A text that was sent as a shopping link: no customer sees this, the windows do (D-WIN-2)."`
}

// Template names an approved WhatsApp template and fills its body.
type Template struct {
	Name     string   `json:"name"`
	Language string   `json:"language"`         // such as zh_TW
	Params   []string `json:"params,omitempty"` // positional body parameters
	// Header is the file at the template's head, where it has one.
	Header *TemplateHeader `json:"header,omitempty"`
	// GroupID is the group that the body's first parameter invites to: the
	// provider puts the link of the moment in its place. Params follow it.
	GroupID string `json:"group_id,omitempty" hidden:"true"`
}

// TemplateHeader is the file at the head of a template: an image, a video or a
// document (whatsapp.md section 2.3).
type TemplateHeader struct {
	Kind    MessageKind `json:"kind" enum:"image,video,file"`
	MediaID uuid.UUID   `json:"media_id" doc:"Of POST /v1/media."`
	Media   *Media      `json:"media,omitempty" readOnly:"true" doc:"The file of media_id, as it was accepted."`
}

// File is the file that c carries and the kind it goes as, or nil: of the
// content itself, or of its template's header.
func (c Content) File() (*Media, MessageKind) {
	if c.Kind == TemplateKind && c.Template != nil && c.Template.Header != nil {
		return c.Template.Header.Media, c.Template.Header.Kind
	}
	return c.Media, c.Kind
}

// WithFile is c with m as its file, in the place that File reads.
func (c Content) WithFile(m Media) Content {
	if c.Kind != TemplateKind || c.Template == nil || c.Template.Header == nil {
		c.Media = &m
		return c
	}
	t, h := *c.Template, *c.Template.Header
	h.Media, t.Header = &m, &h
	c.Template = &t
	return c
}

// The kinds that only other rules know: windows, matrices of content.
const (
	Emoji       MessageKind = "emoji" // part of a text
	Audio       MessageKind = "audio"
	Sticker     MessageKind = "sticker"
	LinkMessage MessageKind = "shopping_link"
	Coupon      MessageKind = "coupon"
	CartCard    MessageKind = "cart_remarketing_card"
)

// Promotional says whether every message of kind k is promotional (D-WIN-2).
func (k MessageKind) Promotional() bool { return k == LinkMessage || k == Coupon || k == CartCard }

// ResendAllowed says whether a person may have a message in state s sent
// again: only a failed one (MSG-01; design section 4).
func (s MessageState) ResendAllowed() bool { return s == Failed }

// ParseMessageState reads a state's identifier; else bad_query, naming them all.
func ParseMessageState(s string) (MessageState, *Refusal) {
	states := []MessageState{Queued, Sending, Sent, Received, Read, Failed, Skipped, Cancelled, Unknown}
	for _, state := range states {
		if s == string(state) {
			return state, nil
		}
	}
	return "", Refuse(BadQuery, "MSG-01", "a state must be one of %v", states)
}
