package simulator

import (
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// encode puts events into the envelope of their provider.
func encode(to Account, events []event) []byte {
	switch to.Channel {
	case WhatsApp:
		return escapeMeta(whatsappEnvelope(to, events))
	case LINE:
		return join(append(quote([]byte(`{"destination":`), to.ExternalID), `,"events":[`...), events, `]}`)
	}
	object := "page"
	if to.Channel == Instagram {
		object = "instagram"
	}
	b := quote([]byte(`{"object":"`+object+`","entry":[{"id":`), to.ExternalID)
	b = append(b, `,"time":`...)
	b = strconv.AppendInt(b, time.Now().UnixMilli(), 10)
	return escapeMeta(join(append(b, `,"messaging":[`...), events, `]}]}`))
}

// join appends the events with commas between them, then end.
func join(b []byte, events []event, end string) []byte {
	for i, e := range events {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, e.body...)
	}
	return append(b, end...)
}

// whatsappEnvelope has one change with all statuses and one with all inbound
// messages, each if there are any, then those of groups.
func whatsappEnvelope(to Account, events []event) []byte {
	b := quote([]byte(`{"object":"whatsapp_business_account","entry":[{"id":`), to.WABAID)
	b = append(b, `,"changes":[`...)
	changes := 0
	for _, inbound := range []bool{false, true} {
		var part []event
		for _, e := range events {
			if e.inbound == inbound && e.field == "" {
				part = append(part, e)
			}
		}
		if len(part) == 0 {
			continue
		}
		if changes++; changes > 1 {
			b = append(b, ',')
		}
		b = whatsappChange(b, to, part, inbound)
	}
	return append(groupChanges(b, to, events, changes), `]}]}`...)
}

func whatsappChange(b []byte, to Account, part []event, inbound bool) []byte {
	number, _ := phoneDigits(to.DisplayPhoneNumber)
	b = append(b, `{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":`...)
	b = append(quote(b, number), `,"phone_number_id":`...)
	b = append(quote(b, to.ExternalID), '}')
	known := 0
	for _, e := range part {
		if e.contact == nil {
			continue
		}
		if known++; known == 1 {
			b = append(b, `,"contacts":[`...)
		} else {
			b = append(b, ',')
		}
		b = append(b, e.contact...)
	}
	if known > 0 {
		b = append(b, ']')
	}
	list := `,"statuses":[`
	if inbound {
		list = `,"messages":[`
	}
	return join(append(b, list...), part, `]},"field":"messages"}`)
}

// quote appends s as a JSON string.
func quote(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			long, _ := json.Marshal(s) // a string always encodes
			return append(b, long...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// escapeMeta rewrites JSON as Meta sends and signs it: non-ASCII as \uXXXX in
// lower-case hexadecimal, and / as \/.
func escapeMeta(body []byte) []byte {
	out := make([]byte, 0, len(body)+len(body)/16)
	for i := 0; i < len(body); {
		c := body[i]
		if c < utf8.RuneSelf {
			if c == '/' {
				out = append(out, '\\')
			}
			out = append(out, c)
			i++
			continue
		}
		r, size := utf8.DecodeRune(body[i:])
		if hi, lo := utf16.EncodeRune(r); hi != utf8.RuneError {
			out = unicodeEscape(unicodeEscape(out, hi), lo)
		} else {
			out = unicodeEscape(out, r)
		}
		i += size
	}
	return out
}

func unicodeEscape(b []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	return append(b, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}
