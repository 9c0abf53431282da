package simulator

import (
	"net/http"
	"time"
)

// humanAgentWindow is how long after a message of the user a human may answer.
const humanAgentWindow = 7 * 24 * time.Hour

// pageMessages is POST /{messenger,instagram}/{version}/{page}/messages.
func (s *Server) pageMessages(c Channel) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a, refused := s.graphAccount(r, c)
		if refused != nil {
			s.write(w, r, *refused)
			return
		}
		body, ok := readBody(w, r)
		m, invalid := parsePage(c, r, body)
		if !ok {
			invalid = invalid100("The request body is too large")
		}
		s.write(w, r, a.takePage(&m, invalid))
	}
}

// takePage decides about one request and, if all is well, takes it.
func (a *account) takePage(m *pageMessage, invalid *graphError) reply {
	a.mu.Lock()
	defer a.mu.Unlock()
	v := a.gate(endpointMessages, []string{m.Recipient.ID})
	if v.refused != nil {
		return *v.refused
	}
	if invalid != nil {
		return a.graphFail(*invalid)
	}
	if v.fault == Permanent {
		a.counts.fault(v.fault)
		return a.graphFail(*personUnavailable(a.cfg.Channel))
	}
	p := a.person(m.Recipient.ID)
	if bad := pageState(a.cfg.Channel, a.stateOf(p)); bad != nil {
		return a.graphFail(*bad)
	}
	if m.SenderAction != "" {
		return a.spoil(graphReply(http.StatusOK, map[string]string{"recipient_id": m.Recipient.ID}), v.fault)
	}
	if bad := a.pageWindow(m, p.silent(a.clock())); bad != nil {
		return a.graphFail(*bad)
	}
	if bad := a.attachPage(m); bad != nil {
		return a.graphFail(*bad)
	}
	return a.takeBubble(m, v.fault)
}

func (a *account) takeBubble(m *pageMessage, fault Fault) reply {
	mid, key := newMid(a.cfg.Channel), m.Message.Metadata
	if a.cfg.Channel == Instagram {
		key = "" // not a documented field there; nothing echoes it
	}
	a.enter(record{recipient: m.Recipient.ID, key: key, id: mid, hash: m.hash, fault: fault, delivered: true, tag: m.Tag})
	rep := graphReply(http.StatusOK, struct {
		RecipientID string `json:"recipient_id"`
		MessageID   string `json:"message_id"`
	}{m.Recipient.ID, mid})
	rep.hold = a.pageEvents(m, mid)
	return a.spoil(rep, fault)
}

func unknownPerson(c Channel) *graphError {
	if c == Instagram {
		return &graphError{status: 400, code: 100, subcode: 2534014, title: "No matching Instagram user"}
	}
	return &graphError{status: 400, code: 100, subcode: 2018001, title: "No matching user found"}
}

func personUnavailable(c Channel) *graphError {
	e := graphError{status: 400, code: 551, title: "This person isn't available right now."}
	if c == Facebook {
		e.subcode = 1545041
	}
	return &e
}

// pageState is the error of a recipient who cannot be written to.
func pageState(c Channel, state UserState) *graphError {
	switch state {
	case UserOK:
		return nil
	case UserUnknown, UserNotWhatsApp:
		return unknownPerson(c)
	case UserUnavailable:
		if c == Facebook {
			return &graphError{status: 400, code: 10, subcode: 2018108, title: "This person cannot receive messages at the moment"}
		}
	case UserOptedOut:
		if c == Facebook {
			return &graphError{status: 400, code: 10, subcode: 1893015, title: "This person has stopped messages of this topic"}
		}
	}
	return personUnavailable(c)
}

// pageWindow is the error of a message for which the window is closed.
func (a *account) pageWindow(m *pageMessage, silent time.Duration) *graphError {
	if m.MessagingType == "UTILITY" {
		return a.pageTemplate(m.Message.Template)
	}
	limit := serviceWindow
	if m.Tag == "HUMAN_AGENT" {
		if !on(a.cfg.HumanAgent) {
			return &graphError{status: 403, code: 10, title: "To use \"Human Agent\", your use of this endpoint must be reviewed and approved"}
		}
		limit = humanAgentWindow
	}
	if silent <= limit {
		return nil
	}
	e := graphError{status: 400, code: 10, subcode: 2018278, title: "This message is sent outside of allowed window."}
	if a.cfg.Channel == Instagram {
		e.subcode = 2534022
	}
	return &e
}

// pageTemplate is the error of a utility template that cannot be sent.
func (a *account) pageTemplate(t *pageTemplate) *graphError {
	if t == nil {
		return invalid100("Param message[template] is required for UTILITY")
	}
	known, ok := a.template(t.Name, t.Language.Code)
	if !ok || (known.Status != "" && known.Status != "APPROVED") {
		return invalid100("The template is not available")
	}
	n := 0
	for _, c := range t.Components {
		n += len(c.Parameters)
	}
	if n != known.BodyParams {
		return invalid100("The number of template parameters does not match")
	}
	return nil
}
