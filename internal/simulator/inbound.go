package simulator

import (
	"errors"
	"strconv"
	"time"
)

// InboundMessage is what a person writes to an account.
type InboundMessage struct {
	Channel    Channel    `json:"channel"`
	ExternalID string     `json:"external_id"`
	User       string     `json:"user"`
	Text       string     `json:"text"`
	Timestamp  *time.Time `json:"timestamp,omitempty"` // nil is now
}

// Inbound opens the person's window and sends the provider's webhook, if the
// account has a URL. It returns the id by which a receiver tells repetitions:
// the message id, or for LINE the webhookEventId.
func (s *Server) Inbound(m InboundMessage) (string, error) {
	a, err := s.find(m.Channel, m.ExternalID)
	if err != nil {
		return "", err
	}
	if m.Text == "" {
		return "", errors.New("an inbound message has a text")
	}
	if !validInboundUser(m) {
		return "", errors.New("the user is not of the channel's form")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	at := a.clock()
	if m.Timestamp != nil {
		at = *m.Timestamp
	}
	person := a.personID(m.User)
	if p := a.person(person); at.After(p.lastInbound) {
		p.lastInbound = at
	}
	if m.Channel == WhatsApp && on(a.cfg.CountInbound) && !a.cfg.Unlimited {
		a.window(endpointMessages).occupy(a.clock())
	}
	id, e := a.inboundEvent(person, m.Text, at)
	a.emit(e, a.hooks.pause())
	return id, nil
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
func (a *account) inboundEvent(person, text string, at time.Time) (string, event) {
	switch a.cfg.Channel {
	case WhatsApp:
		id := newWamid()
		a.inbound[id] = struct{}{}
		return id, whatsappInbound(id, person, text, at)
	case LINE:
		token := newReplyToken()
		a.rememberToken(token, replyToken{user: person, made: a.clock()})
		id := newEventID(at)
		return id, event{body: lineInbound(id, token, person, text, at)}
	}
	mid := newMid(a.cfg.Channel)
	return mid, event{body: a.receipt(person, "message", struct {
		Mid  string `json:"mid"`
		Text string `json:"text"`
	}{mid, text}, at)}
}

func whatsappInbound(id, person, text string, at time.Time) event {
	type body struct {
		Body string `json:"body"`
	}
	type profile struct {
		Name string `json:"name"`
	}
	return event{
		inbound: true,
		body: mustJSON(struct {
			From      string `json:"from"`
			ID        string `json:"id"`
			Timestamp string `json:"timestamp"`
			Text      body   `json:"text"`
			Type      string `json:"type"`
		}{person, id, strconv.FormatInt(at.Unix(), 10), body{text}, "text"}),
		contact: mustJSON(struct {
			Profile profile `json:"profile"`
			WaID    string  `json:"wa_id"`
		}{profile{"User " + person[len(person)-4:]}, person}),
	}
}

// lineInbound is one element of events. isRedelivery turns true when the same
// event has to be sent again.
func lineInbound(id, token, person, text string, at time.Time) []byte {
	type message struct {
		Type       string `json:"type"`
		ID         string `json:"id"`
		QuoteToken string `json:"quoteToken"`
		Text       string `json:"text"`
	}
	type source struct {
		Type   string `json:"type"`
		UserID string `json:"userId"`
	}
	type context struct {
		IsRedelivery bool `json:"isRedelivery"`
	}
	return mustJSON(struct {
		Type            string  `json:"type"`
		Message         message `json:"message"`
		WebhookEventID  string  `json:"webhookEventId"`
		DeliveryContext context `json:"deliveryContext"`
		Timestamp       int64   `json:"timestamp"`
		Source          source  `json:"source"`
		ReplyToken      string  `json:"replyToken"`
		Mode            string  `json:"mode"`
	}{"message", message{"text", newLINEMessageID(), noise(32), text}, id, context{}, at.UnixMilli(),
		source{"user", person}, token, "active"})
}
