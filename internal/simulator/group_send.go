package simulator

import (
	"errors"
	"net/http"
	"strconv"
	"time"
)

// toGroup says whether a message is for a group.
func (m *whatsappMessage) toGroup() bool { return m.RecipientType == "group" }

// checkGroupAddress checks that a group is meant where a group is named.
func (m *whatsappMessage) checkGroupAddress() *graphError {
	if m.To == "" {
		return missing("to")
	}
	if groupPhone(m.To) == "" {
		return badValue("Recipient is not a group.")
	}
	return nil
}

// takeGroup decides about a well-formed message to a group.
func (a *account) takeGroup(m *whatsappMessage, t *Template, fault Fault) reply {
	b, g := a.groupsBook(), a.live(m.To)
	b.calls[GroupSend]++
	fate, code := b.pick(GroupSend)
	if code == 0 {
		code = a.refusesGroupMessage(m, t, g)
	}
	if code != 0 {
		return a.groupFail(code)
	}
	silent := g.lastInbound.IsZero() || a.clock().Sub(g.lastInbound) > serviceWindow
	if t == nil && silent && !b.settings.WindowOpen {
		if a.cfg.WindowSync {
			return a.groupFail(131047)
		}
		fate.code = 131047
	}
	if fault == "" {
		fault = fate.fault
	}
	switch fault {
	case Throttle:
		return a.throttled()
	case Unavailable:
		return a.unavailable()
	case Refuse:
		return reply{fault: Refuse}
	}
	return a.takenByGroup(m, t, g, fate.code, fault)
}

// takenByGroup notes a message that was taken, and its statuses.
func (a *account) takenByGroup(m *whatsappMessage, t *Template, g *group, failure int, fault Fault) reply {
	id := newWamid()
	a.enter(record{recipient: g.id, key: m.Opaque, id: id, hash: m.hash, fault: fault, delivered: failure == 0, failure: failure, quoted: m.Context.MessageID})
	if failure == 0 {
		a.deliverToMembers(m, g, id)
	}
	rep := graphReply(http.StatusOK, groupAccepted(m, id))
	rep.hold = a.groupStatuses(m, t, g, id, failure)
	return a.spoil(rep, fault)
}

// refusesGroupMessage is the code with which a message is refused at once, or 0.
func (a *account) refusesGroupMessage(m *whatsappMessage, t *Template, g *group) int {
	switch m.Type {
	case "text", "image", "video", "audio", "document", "sticker", "template":
	default:
		return 131051
	}
	switch {
	case a.groupsBook().settings.NotEligible:
		return 131215
	case g == nil:
		return 131041
	case t != nil && t.Category == "authentication":
		return 131051
	case g.suspended:
		return 131207
	case len(g.members) == 0:
		return 131020
	}
	return 0
}

// deliverToMembers notes what each member got.
func (a *account) deliverToMembers(m *whatsappMessage, g *group, id string) {
	if !on(a.cfg.Retain) {
		return
	}
	b := a.groupsBook()
	for _, member := range g.members {
		b.deliveries = append(b.deliveries, GroupDelivery{ExternalID: a.id, GroupID: g.id, Member: member,
			Key: m.Opaque, ProviderID: id, ContentSHA256: hexOf(m.hash), Quoted: m.Context.MessageID, At: a.clock().UTC()})
	}
}

// groupAccepted is the body of a 200 for a message to a group.
func groupAccepted(m *whatsappMessage, id string) any {
	message := map[string]string{"id": id, "group_id": m.To}
	if m.Type == "template" {
		message["message_status"] = "accepted"
	}
	return map[string]any{"messaging_product": "whatsapp",
		"contacts": []map[string]string{{"input": m.To, "wa_id": m.To}}, "messages": []map[string]string{message}}
}

// groupStatuses queues one sent or failed for the group, then delivered and
// read for each member: together, or one by one.
func (a *account) groupStatuses(m *whatsappMessage, t *Template, g *group, id string, failure int) <-chan struct{} {
	if a.cfg.WebhookURL == "" {
		return nil
	}
	after, now := a.hooks.pause(), a.clock()
	if failure != 0 {
		return a.emitFirst(event{body: a.groupStatus(m, t, id, "failed", "", now.Add(after), failure)}, after)
	}
	hold := a.emitFirst(event{body: a.groupStatus(m, t, id, "sent", "", now.Add(after), 0)}, after)
	reached := append([]string(nil), g.members...)
	for _, name := range []string{"delivered", "read"} {
		after += a.hooks.pause()
		share := a.hooks.cfg.Delivered
		if name == "read" {
			share = a.hooks.cfg.Read
		}
		var next []string
		var parts []event
		for _, member := range reached {
			if a.hooks.draw(share) {
				next = append(next, member)
				parts = append(parts, event{body: a.groupStatus(m, t, id, name, member, now.Add(after), 0)})
			}
		}
		a.emitStatuses(parts, after)
		reached = next
	}
	return hold
}

// emitStatuses sends the statuses of several members as one event or as many.
func (a *account) emitStatuses(parts []event, after time.Duration) {
	b := a.groupsBook()
	if len(parts) > 1 && !b.dice.draw(b.settings.Split) {
		parts = []event{{body: join(nil, parts, "")}}
	}
	for _, e := range parts {
		a.emit(e, after)
	}
}

// groupStatus is one element of statuses; member is "" for sent and failed.
func (a *account) groupStatus(m *whatsappMessage, t *Template, id, name, member string, at time.Time, failure int) []byte {
	b := quote([]byte(`{"id":`), id)
	b = append(b, `,"status":"`+name+`","timestamp":"`+strconv.FormatInt(at.Unix(), 10)+`","recipient_type":"group","recipient_id":`...)
	b = quote(b, m.To)
	if member != "" {
		key := `,"recipient_participant_id":`
		if book := a.groupsBook(); book.dice.draw(book.settings.OtherKey) {
			key = `,"participant_recipient_id":`
		}
		b = quote(append(b, key...), member)
	}
	switch name {
	case "failed":
		b = append(b, failedErrors(failure)...)
	case "delivered":
		b = append(b, groupPricing(t)...)
	}
	if m.Opaque != "" && (name != "failed" || on(a.cfg.OpaqueOnFailed)) {
		b = quote(append(b, `,"biz_opaque_callback_data":`...), m.Opaque)
	}
	return append(b, '}')
}

func groupPricing(t *Template) string {
	if t == nil {
		return `,"pricing":{"billable":false,"pricing_model":"PMP","type":"free_group_customer_service","category":"group_service"}`
	}
	category := "group_utility"
	if t.Category == "marketing" {
		category = "group_marketing"
	}
	return `,"pricing":{"billable":true,"pricing_model":"PMP","type":"regular","category":"` + category + `"}`
}

// GroupMessage is what a member writes into a group.
type GroupMessage struct {
	GroupID   string     `json:"group_id"`
	User      string     `json:"user"`
	Text      string     `json:"text"`
	Timestamp *time.Time `json:"timestamp,omitempty"` // nil is now
}

// SendToGroup lets a member write. It opens the group's window, and returns
// the message's id.
func (s *Server) SendToGroup(m GroupMessage) (string, error) {
	id := newWamid()
	if m.Text == "" {
		return "", errors.New("a message has a text")
	}
	return id, s.asPerson(m.GroupID, m.User, func(a *account, g *group, person string) error {
		if !g.member(person) {
			return errIsNoMember
		}
		at := a.clock()
		if m.Timestamp != nil {
			at = *m.Timestamp
		}
		if at.After(g.lastInbound) {
			g.lastInbound = at
		}
		a.inbound[id] = struct{}{}
		e := whatsappInbound(id, person, at, whatsappTextFields(m.Text))
		e.body = append(quote(append(e.body[:len(e.body)-1], `,"group_id":`...), g.id), '}')
		a.tell(e)
		return nil
	})
}
