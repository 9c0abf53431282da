package simulator

import (
	"encoding/json"
	"strconv"
	"time"
)

// readOnly is the share of read WhatsApp messages that get no delivered status.
const readOnly = 0.05

// whatsappStatuses queues the statuses of a message; it returns what the
// response has to wait for, if anything.
func (a *account) whatsappStatuses(m *whatsappMessage, t *Template, id string, f fate) <-chan struct{} {
	if a.cfg.WebhookURL == "" {
		return nil
	}
	names := a.statusNames(f)
	now, after := a.clock(), time.Duration(0)
	var hold <-chan struct{}
	paid := false
	for i, name := range names {
		after += a.hooks.pause()
		e := event{body: a.status(m, t, id, name, now.Add(after), f.failure, paid)}
		if name != "failed" {
			e.contact = append(quote([]byte(`{"wa_id":`), m.person), '}')
		}
		paid = name == "delivered"
		if i == 0 {
			hold = a.emitFirst(e, after)
		} else {
			a.emit(e, after)
		}
	}
	return hold
}

// statusNames are the statuses that a message of this fate gets.
func (a *account) statusNames(f fate) []string {
	switch {
	case f.failure != 0 && f.sentFirst:
		return []string{"sent", "failed"}
	case f.failure != 0:
		return []string{"failed"}
	case f.offline || !a.hooks.draw(a.hooks.cfg.Delivered):
		return []string{"sent"}
	case !a.hooks.draw(a.hooks.cfg.Read):
		return []string{"sent", "delivered"}
	case a.hooks.draw(readOnly):
		return []string{"sent", "read"}
	}
	return []string{"sent", "delivered", "read"}
}

// status is one element of statuses, in the shape of v24 and later. Pricing
// comes with sent and with one of delivered and read; paid says that it has.
func (a *account) status(m *whatsappMessage, t *Template, id, name string, at time.Time, failure int, paid bool) []byte {
	b := append(make([]byte, 0, 320), `{"id":`...)
	b = append(quote(b, id), `,"status":"`...)
	b = append(b, name...)
	b = append(b, `","timestamp":"`...)
	b = strconv.AppendInt(b, at.Unix(), 10)
	b = append(b, `","recipient_id":`...)
	b = quote(b, m.person)
	if name == "failed" {
		b = append(b, failedErrors(failure)...)
	} else if !paid {
		b = append(b, pricing(t)...)
	}
	if m.Opaque != "" && (name != "failed" || on(a.cfg.OpaqueOnFailed)) {
		b = quote(append(b, `,"biz_opaque_callback_data":`...), m.Opaque)
	}
	return append(b, '}')
}

func pricing(t *Template) string {
	if t == nil {
		return `,"pricing":{"billable":false,"pricing_model":"PMP","type":"free_customer_service","category":"service"}`
	}
	category := t.Category
	if category == "" {
		category = "utility"
	}
	return `,"pricing":{"billable":true,"pricing_model":"PMP","type":"regular","category":"` + category + `"}`
}

func failedErrors(code int) string {
	title, details := "Message undeliverable", "Message Undeliverable."
	switch code {
	case 131047:
		title, details = "Re-engagement message", reengagement
	case 131050:
		title, details = "User has stopped marketing messages", "The recipient chose to stop marketing messages from this business."
	}
	return `,"errors":[{"code":` + strconv.Itoa(code) + `,"title":"` + title + `","message":"` + title +
		`","error_data":{"details":"` + details +
		`"},"href":"https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes"}]`
}

// pageEvents queues the echo and the receipts of a bubble.
func (a *account) pageEvents(m *pageMessage, mid string) <-chan struct{} {
	if a.cfg.WebhookURL == "" {
		return nil
	}
	now, person := a.clock(), m.Recipient.ID
	after := a.hooks.pause()
	hold := a.emitFirst(event{body: a.echo(m, mid, now)}, after)
	if !a.hooks.draw(a.hooks.cfg.Delivered) {
		return hold
	}
	if a.cfg.Channel == Facebook {
		after += a.hooks.pause()
		a.emit(event{body: a.receipt(person, "delivery", deliveryReceipt{a.listed(mid), now.Add(after).UnixMilli()}, now.Add(after))}, after)
	}
	if a.hooks.draw(a.hooks.cfg.Read) {
		after += a.hooks.pause()
		var read any = readReceipt{now.Add(after).UnixMilli()}
		if a.cfg.Channel == Instagram {
			read = seenReceipt{mid}
		}
		a.emit(event{body: a.receipt(person, "read", read, now.Add(after))}, after)
	}
	return hold
}

// withMids is the share of delivery receipts that list what was delivered.
const withMids = 0.7

func (a *account) listed(mid string) []string {
	if a.hooks.draw(withMids) {
		return []string{mid}
	}
	return nil
}

type deliveryReceipt struct {
	Mids      []string `json:"mids,omitempty"`
	Watermark int64    `json:"watermark"`
}

type readReceipt struct {
	Watermark int64 `json:"watermark"`
}

type seenReceipt struct {
	Mid string `json:"mid"`
}

type party struct {
	ID string `json:"id"`
}

// echoMessage is message of an echo; Instagram has neither app_id nor metadata.
type echoMessage struct {
	Mid         string           `json:"mid"`
	IsEcho      bool             `json:"is_echo"`
	AppID       json.RawMessage  `json:"app_id,omitempty"`
	Metadata    string           `json:"metadata,omitempty"`
	Text        string           `json:"text,omitempty"`
	Attachments []pageAttachment `json:"attachments,omitempty"`
}

func (a *account) echo(m *pageMessage, mid string, at time.Time) []byte {
	t := m.Message
	out := echoMessage{Mid: mid, IsEcho: true, Text: t.Text, Attachments: t.Attachments}
	if t.Attachment != nil {
		out.Attachments = []pageAttachment{*t.Attachment}
	}
	if a.cfg.Channel == Facebook {
		out.Metadata = t.Metadata
		if _, err := strconv.ParseUint(a.cfg.AppID, 10, 64); err == nil {
			out.AppID = json.RawMessage(a.cfg.AppID)
		}
	}
	return mustJSON(struct {
		Sender    party       `json:"sender"`
		Recipient party       `json:"recipient"`
		Timestamp int64       `json:"timestamp"`
		Message   echoMessage `json:"message"`
	}{party{a.cfg.ExternalID}, party{m.Recipient.ID}, at.UnixMilli(), out})
}

// receipt is an event from a person to the account, with one extra key.
func (a *account) receipt(person, key string, value any, at time.Time) []byte {
	b := mustJSON(struct {
		Sender    party `json:"sender"`
		Recipient party `json:"recipient"`
		Timestamp int64 `json:"timestamp"`
	}{party{person}, party{a.cfg.ExternalID}, at.UnixMilli()})
	b = append(b[:len(b)-1], `,"`+key+`":`...)
	return append(append(b, mustJSON(value)...), '}')
}
