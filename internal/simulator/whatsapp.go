package simulator

import (
	"net/http"
	"time"
)

// serviceWindow is how long after a message of the user anything may be sent.
const serviceWindow = 24 * time.Hour

// whatsappMessages is POST /whatsapp/{version}/{phone}/messages.
func (s *Server) whatsappMessages(w http.ResponseWriter, r *http.Request) {
	a, refused := s.graphAccount(r, WhatsApp)
	if refused != nil {
		s.write(w, r, *refused)
		return
	}
	body, ok := readBody(w, r)
	m, invalid := parseWhatsApp(body)
	if !ok {
		invalid = badParameter("The request body is too large.")
	}
	s.write(w, r, a.takeWhatsApp(&m, invalid))
}

// takeWhatsApp decides about one request and, if all is well, takes it.
func (a *account) takeWhatsApp(m *whatsappMessage, invalid *graphError) reply {
	a.mu.Lock()
	defer a.mu.Unlock()
	if m.Status != "" {
		return a.markRead(m, invalid)
	}
	v := a.gate(endpointMessages, []string{m.person})
	if v.refused != nil {
		return *v.refused
	}
	if invalid != nil {
		return a.graphFail(*invalid)
	}
	if v.fault == Permanent {
		a.counts.fault(v.fault)
		return a.graphFail(graphError{status: 400, code: 131026, title: "Message undeliverable",
			details: "Message Undeliverable."})
	}
	if own, _ := phoneDigits(a.cfg.DisplayPhoneNumber); own != "" && own == m.person {
		return a.graphFail(graphError{status: 400, code: 131021, title: "Recipient cannot be sender",
			details: "Sender and recipient phone number is the same."})
	}
	template, bad := a.useTemplate(m)
	if bad == nil {
		bad = a.attach(m)
	}
	if bad != nil {
		return a.graphFail(*bad)
	}
	if m.toGroup() {
		return a.takeGroup(m, template, v.fault)
	}
	if bad = a.strangeGroup(m); bad != nil {
		return a.graphFail(*bad)
	}
	return a.takeChecked(m, template, v.fault)
}

// takeChecked applies the limits of the recipient to a message that is well formed.
func (a *account) takeChecked(m *whatsappMessage, t *Template, fault Fault) reply {
	p, now := a.person(m.person), a.clock()
	closed := t == nil && p.silent(now) > serviceWindow
	if closed && a.cfg.WindowSync {
		return a.graphFail(graphError{status: 400, code: 131047, title: "Re-engagement message",
			details: reengagement})
	}
	if on(a.cfg.PairLimit) && !a.cfg.Unlimited && !p.pair.take(now) {
		a.counts.pairLimited++
		return a.graphFail(graphError{status: 400, code: 131056, title: "(Business Account, Consumer Account) pair rate limit hit",
			details: "Message failed to send because there were too many messages sent from this phone number to the same phone number in a short period of time."})
	}
	id := newWamid()
	fate := a.whatsappFate(a.stateOf(p), t, closed)
	a.enter(record{recipient: m.person, key: m.Opaque, id: id, hash: m.hash, fault: fault,
		delivered: fate.delivered, failure: fate.failure, quoted: m.Context.MessageID})
	a.invite(m, fate)
	rep := graphReply(http.StatusOK, whatsappAccepted(m, id))
	rep.hold = a.whatsappStatuses(m, t, id, fate)
	return a.spoil(rep, fault)
}

const reengagement = "Message failed to send because more than 24 hours have passed since the customer last replied to this number."

// fate is what becomes of a message after it was taken.
type fate struct {
	delivered bool
	offline   bool // gets no more than the sent status
	failure   int  // code of the failed status
	sentFirst bool // sent comes before failed
}

// whatsappFate decides it from the recipient's state, and by lot.
func (a *account) whatsappFate(state UserState, t *Template, closed bool) fate {
	switch {
	case closed:
		return fate{failure: 131047}
	case state == UserUnknown || state == UserNotWhatsApp:
		return fate{failure: 131026, sentFirst: a.hooks.draw(0.2)}
	case state == UserOptedOut && t != nil && t.Category == "marketing":
		return fate{failure: 131050}
	case state == UserBlocked:
		return fate{offline: true}
	case state == UserUnavailable:
		return fate{delivered: true, offline: true}
	case a.hooks.draw(a.hooks.cfg.FailedAfterSent):
		return fate{failure: 131026, sentFirst: true}
	}
	return fate{delivered: true}
}

// useTemplate checks a template message against the registry; nil for others.
func (a *account) useTemplate(m *whatsappMessage) (*Template, *graphError) {
	if m.Template == nil || m.Type != "template" {
		return nil, nil
	}
	t, ok := a.template(m.Template.Name, m.Template.Language.Code)
	switch {
	case !ok:
		return nil, &graphError{status: 404, code: 132001, title: "Template name does not exist in the translation",
			details: "template name (" + m.Template.Name + ") does not exist in " + m.Template.Language.Code}
	case t.Status == "PAUSED":
		return nil, &graphError{status: 400, code: 132015, title: "Template is paused",
			details: "Template is paused due to low quality."}
	case t.Status == "DISABLED":
		return nil, &graphError{status: 400, code: 132016, title: "Template is disabled",
			details: "Template has been paused too many times and is now permanently disabled."}
	case m.Template.bodyParams() != t.BodyParams:
		return nil, &graphError{status: 400, code: 132000, title: "Number of parameters does not match the expected number of params",
			details: "body: number of localizable_params does not match the expected number of params"}
	}
	return &t, a.attachHeader(m, t.Header)
}

// whatsappAccepted is the body of a 200.
func whatsappAccepted(m *whatsappMessage, id string) any {
	type contact struct {
		Input  string `json:"input"`
		WaID   string `json:"wa_id,omitempty"`
		UserID string `json:"user_id,omitempty"`
	}
	type message struct {
		ID     string `json:"id"`
		Status string `json:"message_status,omitempty"`
	}
	c := contact{Input: m.To, WaID: m.person}
	if m.To == "" {
		c = contact{Input: m.Recipient, UserID: m.Recipient}
	}
	out := message{ID: id}
	if m.Type == "template" {
		out.Status = "accepted"
	}
	return struct {
		Product  string    `json:"messaging_product"`
		Contacts []contact `json:"contacts"`
		Messages []message `json:"messages"`
	}{"whatsapp", []contact{c}, []message{out}}
}

// markRead answers a read receipt for an inbound message.
func (a *account) markRead(m *whatsappMessage, invalid *graphError) reply {
	if invalid != nil {
		return a.graphFail(*invalid)
	}
	if code := a.faults.cfg.StopCode; code != 0 {
		return a.stopped(code)
	}
	if _, ok := a.inbound[m.MessageID]; !ok {
		return a.graphFail(*badValue("The message to be marked as read is not known."))
	}
	return graphReply(http.StatusOK, map[string]bool{"success": true})
}
