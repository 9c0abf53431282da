package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// tenMegabytes is a text that nobody writes.
var tenMegabytes = strings.Repeat("字", 10<<20/3)

// signing lists the channels whose providers sign webhooks.
var signing = []string{"line", "facebook", "instagram", "whatsapp"}

// unsized hides how long a body is, as a chunked request does.
func unsized(body []byte) io.Reader { return struct{ io.Reader }{bytes.NewReader(body)} }

func TestTenMegabytesAtTheDoors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	conversations := map[string]string{}
	for _, ch := range signing {
		conversations[ch] = o.on(o.conversation(ch, "handling", "cs_agent"), ch, "1 s")
	}
	before := w.counts()
	for _, ch := range signing {
		t.Run(ch, func(t *testing.T) {
			t.Parallel()
			w := w.in(t)
			body, err := json.Marshal(m{"text": tenMegabytes})
			require.NoError(t, err)
			header, sum := o.sign(ch, body)
			hook, messages := "/webhooks/"+ch+"/"+o.accounts[ch], "/v1/conversations/"+conversations[ch]+"/messages"
			w.do("POST", hook, "", body, header, sum).problem(413, "body_too_large")
			w.do("POST", hook, "", unsized(body), header, sum).problem(413, "body_too_large")
			body, err = json.Marshal(m{"kind": "text", "text": tenMegabytes})
			require.NoError(t, err)
			w.do("POST", messages, o.token["cs_agent"], body).problem(413, "body_too_large")
			w.do("POST", messages, o.token["cs_agent"], unsized(body)).problem(413, "body_too_large")
			w.do("POST", messages, o.token["cs_agent"], m{"kind": "text", "text": tenMegabytes[:6<<20]}).problem(422, "message_too_long")
			require.Equal(t, before, w.counts())
		})
	}
}

// What is as long as a provider may post is stored and shown.
func TestTheLongestWebhookIsStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	for ch, id := range map[string]string{"line": lineUser(1), "facebook": "70000001", "whatsapp": "886911000001"} {
		who := o.customer(ch, id)
		text := strings.Repeat("字", (maxWebhookBytes-1000)/3)
		got := who.does(text, "")
		list := o.messages("supervisor", got.ID.String(), "")
		require.Len(t, list.Items, 1)
		require.Len(t, list.Items[0].Text, len(text))
	}
}

// TestClocksAtTheDoor: a customer who writes opens the window from when he
// wrote, which is never after now, and an old stamp opens none.
func TestClocksAtTheDoor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	shut := map[string]string{"line": "open", "facebook": "blocked", "whatsapp": "template_only"}
	for n, c := range []struct {
		name    string
		at      time.Time
		believe bool
	}{
		{"in ten days", time.Now().Add(240 * time.Hour), false},
		{"in the year 2100", time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), false},
		{"just now", time.Now().Add(-time.Minute), true},
		{"eight days ago", time.Now().Add(-8 * 24 * time.Hour), true},
		{"in 2005", time.Date(2005, 1, 1, 0, 0, 0, 0, time.UTC), true},
	} {
		for ch, id := range map[string]string{"line": lineUser(30 + n), "facebook": fmt.Sprint(70000030 + n), "whatsapp": fmt.Sprint(886911000030 + n)} {
			o.post(ch, o.customer(ch, id).body("hi", "", c.at))
			require.Equal(t, 1, o.drain().Messages, "%s on %s", c.name, ch)
			got := o.customer(ch, id).conversation()
			want := c.at
			if !c.believe {
				want = time.Now()
			}
			require.WithinDuration(t, want, *got.LastCustomerMessageAt, time.Minute, "%s on %s", c.name, ch)
			window := "open"
			if time.Since(want) > time.Hour {
				window = shut[ch]
			}
			require.Equal(t, window, string(got.Window), "%s on %s", c.name, ch)
			require.WithinDuration(t, time.Now(), *got.WaitingSince, 9*24*time.Hour, "%s on %s: nobody has waited for twenty years", c.name, ch)
		}
	}
	require.Empty(t, w.ids(`SELECT id FROM inbound_messages WHERE sent_at > clock_timestamp()`))
	require.Empty(t, w.ids(`SELECT id FROM conversations WHERE GREATEST(last_message_at, last_customer_message_at, waiting_since) > clock_timestamp()`))
}

// A message that was heard is not heard again under a later time.
func TestARepeatWithAnotherTimeOpensNoWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	for ch, id := range map[string]string{"facebook": "70000001", "whatsapp": "886911000001"} {
		who := o.customer(ch, id)
		o.post(ch, who.body("hi", "", time.Now().Add(-30*24*time.Hour)))
		require.Equal(t, 1, o.drain().Messages)
		was := who.conversation()
		require.NotEqual(t, "open", string(was.Window))
		for _, at := range []time.Time{time.Now(), time.Now().Add(time.Hour)} {
			who.n = 0 // the same id
			o.post(ch, who.body("hi", "", at))
			require.Zero(t, o.drain().Messages)
			require.Equal(t, was, who.conversation())
		}
	}
}

// TestUnknownTypesAtTheDoor: what a provider invents next year is taken and
// loses nothing that is beside it. A message of such a type is media: no
// keyword answers it (D-CNV-4).
func TestUnknownTypesAtTheDoor(t *testing.T) {
	t.Parallel()
	const attached = `"attachments":[{"type":"hologram","payload":{"depth":[3]}}]`
	for name, c := range map[string]struct {
		channel, id string
		change      func(body string) string
		kind        string // of the message that is stored; "": none is
	}{
		"an event of LINE":       {"line", lineUser(1), func(b string) string { return strings.Replace(b, `"type":"message"`, `"type":"hologram"`, 1) }, ""},
		"a message of LINE":      {"line", lineUser(1), func(b string) string { return strings.Replace(b, `"type":"text"`, `"type":"hologram"`, 1) }, "hologram"},
		"a source of LINE":       {"line", lineUser(1), func(b string) string { return strings.Replace(b, `"type":"user"`, `"type":"planet"`, 1) }, ""},
		"an event of Messenger":  {"facebook", "70000001", func(b string) string { return strings.Replace(b, `"message":`, `"hologram":`, 1) }, ""},
		"a message of Messenger": {"facebook", "70000001", func(b string) string { return strings.Replace(b, `"text":"hi"`, attached, 1) }, "hologram"},
		"an event of Instagram":  {"instagram", "80000001", func(b string) string { return strings.Replace(b, `"message":`, `"hologram":`, 1) }, ""},
		"a message of Instagram": {"instagram", "80000001", func(b string) string { return strings.Replace(b, `"text":"hi"`, attached, 1) }, "hologram"},
		"a message of WhatsApp":  {"whatsapp", "886911000001", func(b string) string { return strings.Replace(b, `"type":"text"`, `"type":"hologram"`, 1) }, "hologram"},
		"a field of WhatsApp":    {"whatsapp", "886911000001", func(b string) string { return strings.Replace(b, `"field":"messages"`, `"field":"holograms"`, 1) }, ""},
		"an unsupported of WhatsApp": {"whatsapp", "886911000001", func(b string) string {
			return strings.Replace(b, `"type":"text"`, `"errors":[{"code":131051}],"type":"unsupported"`, 1)
		}, "unsupported"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			o := w.office()
			o.rule(m{"keyword": "hi", "reply": "1 2 3"})
			who := o.customer(c.channel, c.id)
			body := string(who.body("hi", "", time.Now()))
			changed := c.change(body)
			require.NotEqual(t, body, changed)
			o.post(c.channel, []byte(changed))
			require.Equal(t, 1, o.drain().Items)
			require.Empty(t, w.ids(`SELECT id FROM dead_letters`))
			require.Equal(t, c.kind != "", len(w.ids(`SELECT id FROM inbound_messages WHERE received = 'media'`)) == 1)
			for _, id := range w.ids(`SELECT id FROM conversations`) {
				items := o.messages("supervisor", id.String(), "").Items
				require.Len(t, items, 1, "what it shows can be shown")
				require.Equal(t, []string{c.kind, "pending_human"}, []string{items[0].Kind, string(who.conversation().State)})
			}
			before := len(w.ids(`SELECT id FROM inbound_messages`))
			o.post(c.channel, who.body("and this", "", time.Now()))
			require.Equal(t, 1, o.drain().Messages, "what comes after it is heard")
			require.Len(t, w.ids(`SELECT id FROM inbound_messages`), before+1)
		})
	}
}

// TestStrangersAtTheDoor: whoever has no right signature for the account learns
// nothing and changes nothing, on every channel.
func TestStrangersAtTheDoor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o, other := w.office(), w.office()
	for _, ch := range signing {
		o.post(ch, []byte(`{"the right one":"is taken"}`))
	}
	before := w.counts()
	for i, ch := range signing {
		t.Run(ch, func(t *testing.T) {
			t.Parallel()
			w := w.in(t)
			body := []byte(`{"object":"page","destination":"U","entry":[],"events":[]}`)
			header, sum := o.sign(ch, body)
			_, theirs := other.sign(ch, body)
			hook, elsewhere := "/webhooks/"+ch+"/"+o.accounts[ch], signing[(i+1)%len(signing)]
			for _, c := range []struct {
				name, path, sum string
				body            []byte
				status          int
				code            string
			}{
				{"no signature", hook, "", body, 401, "signature_invalid"},
				{"not one", hook, "sha256=zz", body, 401, "signature_invalid"},
				{"another account's", hook, theirs, body, 401, "signature_invalid"},
				{"of another body", hook, sum, append([]byte(" "), body...), 401, "signature_invalid"},
				{"of nothing", hook, sum, nil, 401, "signature_invalid"},
				{"an account of another channel", "/webhooks/" + elsewhere + "/" + o.accounts[ch], sum, body, 404, "not_found"},
				{"an unknown account", "/webhooks/" + ch + "/" + uuid.NewString(), sum, body, 404, "not_found"},
				{"no account at all", "/webhooks/" + ch + "/..%2f", sum, body, 404, "not_found"},
				{"an unknown channel", "/webhooks/telegram/" + o.accounts[ch], sum, body, 404, "not_found"},
			} {
				p := w.do("POST", c.path, "", c.body, header, c.sum).problem(c.status, c.code)
				require.NotContains(t, p.Detail, o.accounts[ch], c.name)
			}
			require.Equal(t, before, w.counts())
		})
	}
}
