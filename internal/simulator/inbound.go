package simulator

import (
	"errors"
	"fmt"
	"time"
)

// InboundMessage is what a person writes, taps or sends to an account.
type InboundMessage struct {
	Channel    Channel `json:"channel"`
	ExternalID string  `json:"external_id"`
	User       string  `json:"user"`
	// Kind is "text" if not set. It is the provider's own word, and one that no
	// provider has is sent as it is: a message of a type that nobody knows yet.
	// "postback" is a tap on a button, "unsend" takes back the message Quoted,
	// "reaction" reacts to it, and "unsupported" is what the provider hides.
	Kind      string     `json:"kind,omitempty"`
	Text      string     `json:"text,omitempty"`      // of a text; caption of a file; title of a button or place
	Payload   string     `json:"payload,omitempty"`   // data of a postback; of a sticker "package/sticker[/resource type]"
	Quoted    string     `json:"quoted,omitempty"`    // id of the message that this one answers
	Files     []File     `json:"files,omitempty"`     // one, or on Messenger and Instagram several
	Timestamp *time.Time `json:"timestamp,omitempty"` // nil is now; whatever it says is sent
}

// Inbound opens the person's window and sends the provider's webhook, if the
// account has a URL. It returns the id by which a receiver tells repetitions:
// the message id, or for LINE the webhookEventId.
func (s *Server) Inbound(m InboundMessage) (string, error) {
	a, err := s.find(m.Channel, m.ExternalID)
	if err != nil {
		return "", err
	}
	if err := m.check(); err != nil {
		return "", err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	at := a.clock()
	if m.Timestamp != nil {
		at = *m.Timestamp
	}
	person := a.personID(m.User)
	if p := a.person(person); m.opens() && at.After(p.lastInbound) {
		p.lastInbound = at
	}
	if m.Channel == WhatsApp && on(a.cfg.CountInbound) && !a.cfg.Unlimited {
		a.window(endpointMessages).occupy(a.clock())
	}
	id, e, err := a.inboundEvent(person, m, at)
	if err != nil {
		return "", err
	}
	a.emit(e, a.hooks.pause())
	return id, nil
}

// kind is Kind with its default.
func (m InboundMessage) kind() string {
	if m.Kind == "" {
		return "text"
	}
	return m.Kind
}

// opens says whether the message opens the person's window.
func (m InboundMessage) opens() bool { return m.kind() != "reaction" && m.kind() != "unsend" }

func (m InboundMessage) check() error {
	switch {
	case m.kind() == "text" && m.Text == "":
		return errors.New("an inbound text is not empty")
	case !validInboundUser(m):
		return errors.New("the user is not of the channel's form")
	case (m.kind() == "unsend" || m.kind() == "reaction") && m.Quoted == "":
		return errors.New("an unsent message, or one that is reacted to, is named in quoted")
	case len(m.Files) > 1 && (m.Channel == WhatsApp || m.Channel == LINE):
		return errors.New("a message of this channel has one file")
	}
	for i := range m.Files {
		if err := m.Files[i].check(); err != nil {
			return fmt.Errorf("file %d: %w", i, err)
		}
	}
	return nil
}

func validInboundUser(m InboundMessage) bool {
	switch m.Channel {
	case LINE:
		return validLINEUser(m.User)
	case WhatsApp:
		_, ok := phoneDigits(m.User)
		return ok
	}
	return validScopedID(m.User)
}

// inboundEvent makes the webhook event and remembers what can be answered.
func (a *account) inboundEvent(person string, m InboundMessage, at time.Time) (string, event, error) {
	switch a.cfg.Channel {
	case WhatsApp:
		id := newWamid()
		a.inbound[id] = struct{}{}
		fields, err := a.whatsappFields(m)
		return id, whatsappInbound(id, person, at, fields), err
	case LINE:
		token, id := newReplyToken(), newEventID(at)
		a.rememberToken(token, replyToken{user: person, made: a.clock()})
		fields, err := a.lineFields(m)
		return id, event{body: lineInbound(id, token, person, at, fields)}, err
	}
	mid := newMid(a.cfg.Channel)
	key, value, err := a.pageFields(mid, m)
	return mid, event{body: a.receipt(person, key, value, at)}, err
}
