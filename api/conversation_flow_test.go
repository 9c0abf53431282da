package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// customer is somebody who writes to the office on one channel.
type customer struct {
	o       *office
	channel string
	id      string // the provider's
	n       int
}

func (o *office) customer(ch, id string) *customer { return &customer{o: o, channel: ch, id: id} }

// post sends a signed webhook to the API.
func (o *office) post(ch string, body []byte) {
	o.w.t.Helper()
	header, sum := o.sign(ch, body)
	got := o.w.do("POST", "/webhooks/"+ch+"/"+o.accounts[ch], "", body, header, sum)
	require.Equal(o.w.t, 200, got.Status, "%s", got.Body)
}

// sign is the header with which the channel's provider signs a body.
func (o *office) sign(ch string, body []byte) (header, sum string) {
	mac := hmac.New(sha256.New, []byte("s-"+ch[:1]+o.id[24:]))
	mac.Write(body)
	if ch == "line" {
		return "X-Line-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	return "X-Hub-Signature-256", "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// drain reads the inbox as the relay does.
func (o *office) drain() omniflow.IntakeResult {
	o.w.t.Helper()
	result, err := o.w.store.DrainInbox(o.w.t.Context(), 1000, func(items []omniflow.InboxItem) omniflow.Intake {
		var in omniflow.Intake
		for _, item := range items {
			events, err := webhooks()[item.Channel].Parse(item.Body)
			require.NoError(o.w.t, err)
			for _, e := range events {
				if e.Kind == channel.EventOther {
					continue
				}
				require.Equal(o.w.t, channel.EventMessage, e.Kind)
				in.Messages = append(in.Messages, omniflow.CustomerMessage{TeamID: item.TeamID, Channel: item.Channel, ChannelAccountID: item.ChannelAccountID,
					Sender: e.Recipient, ProviderID: e.ProviderID, Kind: e.MessageType, Received: e.Received, QuotedID: e.QuotedID, Media: e.Media, Text: e.Text, At: e.At, Raw: e.Raw})
			}
		}
		return in
	})
	require.NoError(o.w.t, err)
	return result
}

// body is the webhook of the customer's next act: a text, or, with a payload, a
// tap on a button, or an image, if both are empty.
func (c *customer) body(text, payload string, at time.Time) []byte {
	c.n++
	id := fmt.Sprintf("%s-%s-%d", c.channel, c.id, c.n)
	var event m
	switch ms := at.UnixMilli(); c.channel {
	case "line":
		event = m{"type": "message", "message": m{"type": "text", "id": id, "text": text, "quoteToken": "q"}}
		if payload != "" {
			event = m{"type": "postback", "postback": m{"data": payload}}
		} else if text == "" {
			event["message"] = m{"type": "image", "id": id, "contentProvider": m{"type": "line"}, "quoteToken": "q"}
		}
		event["webhookEventId"], event["timestamp"], event["mode"], event["replyToken"] = id, ms, "active", "r"
		event["source"], event["deliveryContext"] = m{"type": "user", "userId": c.id}, m{"isRedelivery": false}
		event = m{"destination": "l" + c.o.company.id[24:], "events": []m{event}}
	case "facebook", "instagram":
		object, page := map[string]string{"facebook": "page", "instagram": "instagram"}[c.channel], c.channel[:1]+c.o.company.id[24:]
		event = m{"sender": m{"id": c.id}, "recipient": m{"id": page}, "timestamp": ms, "message": m{"mid": id, "text": text}}
		if payload != "" {
			delete(event, "message")
			event["postback"] = m{"mid": id, "title": "Button", "payload": payload}
		} else if text == "" {
			event["message"] = m{"mid": id, "attachments": []m{{"type": "image", "payload": m{"url": "https://cdn.example.com/a.png"}}}}
		}
		event = m{"object": object, "entry": []m{{"id": page, "time": ms, "messaging": []m{event}}}}
	case "whatsapp":
		message := m{"from": c.id, "id": id, "timestamp": fmt.Sprint(at.Unix()), "type": "text", "text": m{"body": text}}
		if text == "" {
			message = m{"from": c.id, "id": id, "timestamp": fmt.Sprint(at.Unix()), "type": "image", "image": m{"id": "9", "mime_type": "image/png", "sha256": "x"}}
		}
		event = m{"object": "whatsapp_business_account", "entry": []m{{"id": "waba1", "changes": []m{{"field": "messages", "value": m{
			"messaging_product": "whatsapp", "metadata": m{"display_phone_number": "1", "phone_number_id": "w" + c.o.company.id[24:]},
			"contacts": []m{{"profile": m{"name": "N"}, "wa_id": c.id}}, "messages": []m{message}}}}}}}
	}
	out, err := json.Marshal(event)
	require.NoError(c.o.w.t, err)
	return out
}

// does acts and lets the message arrive.
func (c *customer) does(text, payload string) conversationBody {
	c.o.w.t.Helper()
	c.o.post(c.channel, c.body(text, payload, time.Now()))
	require.Equal(c.o.w.t, omniflow.IntakeResult{Items: 1, Messages: 1}, c.o.drain())
	return c.conversation()
}

// conversation is the customer's, as the supervisor sees it.
func (c *customer) conversation() conversationBody {
	c.o.w.t.Helper()
	ids := c.o.w.ids(`SELECT c.id FROM conversations c JOIN channel_identities i ON i.id = c.channel_identity_id WHERE i.external_id = $1`, c.id)
	require.Len(c.o.w.t, ids, 1)
	return c.o.one("supervisor", "GET", ids[0].String(), nil)
}

func lineUser(n int) string { return fmt.Sprintf("U%032x", n) }

// person is the provider's id of somebody on ch.
func person(ch string, n int) string {
	if ch == "line" {
		return lineUser(n)
	}
	return fmt.Sprint(map[string]int{"facebook": 70000000, "instagram": 80000000, "whatsapp": 886911000000}[ch] + n)
}

func (o *office) rule(rule m) {
	o.w.t.Helper()
	require.Equal(o.w.t, 201, o.w.do("POST", "/v1/keyword-rules", o.admin, rule).Status)
}

func TestEX030EX031EX032EX034EX037StatesFromSignedWebhooks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	w.exec(`UPDATE channel_accounts SET menu_texts = '{門市查詢,訂單}' WHERE id = $1`, o.accounts["line"])
	o.rule(m{"keyword": "優惠", "reply": "九折"})
	o.rule(m{"keyword": "訂單", "assign_to": o.ids["cs_agent"]})
	state := func(c conversationBody) []string { return []string{string(c.State), c.FollowerName} }
	require.Equal(t, []string{"pending_bot", ""}, state(o.customer("facebook", "70000001").does("", "GET_STARTED")), "EX-030")
	line := o.customer("line", lineUser(1))
	require.Equal(t, []string{"pending_human", ""}, state(line.does("門市查詢", "")), "EX-031")
	require.Equal(t, []string{"pending_human", ""}, state(line.does("", "bot-card")), "EX-034")
	require.Equal(t, []string{"handling", "Jess"}, state(o.customer("line", lineUser(2)).does("訂單", "")), "EX-032")
	for i, ch := range signing {
		for j, c := range []struct{ text, want string }{{"優惠", "pending_bot"}, {"", "pending_human"}} {
			who := o.customer(ch, person(ch, 10+j))
			got := who.does("嗨", "")
			require.Equal(t, "pending_human", string(got.State))
			o.one("cs_agent", "POST", got.ID.String()+":follow", nil)
			o.one("cs_agent", "POST", got.ID.String()+":end", nil)
			got = who.does(c.text, "")
			require.Equal(t, []string{c.want, ""}, state(got), "EX-037 on %s (%d)", ch, i)
			require.EqualValues(t, 2, got.Unread, "UNR-01")
			require.Equal(t, "open", string(got.Window))
		}
	}
	require.Equal(t, "+886911000010", o.customer("whatsapp", "886911000010").conversation().Phone, "WAC-03")
}

func TestEX035EX036EX038AHandledConversation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	o.rule(m{"keyword": "hours", "reply": "10 to 6"})
	o.rule(m{"keyword": "map", "reply": "here", "states": []string{"pending_bot", "handling"}})
	who := o.customer("line", lineUser(1))
	id := who.does("hi", "").ID
	o.one("cs_agent", "POST", id.String()+":follow", nil)
	replies := func() int {
		return len(w.ids(`SELECT message_id FROM conversation_messages WHERE conversation_id = $1 AND origin = 'auto_reply'`, id))
	}
	got := who.does("hours", "")
	require.Equal(t, []any{"handling", 0}, []any{string(got.State), replies()}, "EX-035")
	got = who.does("map", "")
	require.Equal(t, []any{"handling", 1}, []any{string(got.State), replies()}, "EX-036")
	got = o.one("supervisor", "POST", id.String()+":take-over", nil)
	require.Equal(t, []any{"Amy", "my_handling"}, []any{got.FollowerName, string(got.View)}, "EX-038")
	require.Equal(t, []string{got.Name}, o.list("supervisor", "view=my_handling"))
	require.Empty(t, o.list("cs_agent", "view=my_handling"))
}

// EX-059: what a blocked customer writes is dropped and counted, on every
// channel, and neither makes a conversation nor changes the one there is.
func TestEX059WhatABlockedCustomerWritesIsDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	for _, ch := range signing {
		gone, known, other := o.customer(ch, person(ch, 1)), o.customer(ch, person(ch, 2)), o.customer(ch, person(ch, 3))
		contact := uuid.New()
		w.exec(`INSERT INTO contacts (id, team_id) VALUES ($1, $2)`, contact, o.id)
		w.exec(`INSERT INTO channel_identities (id, team_id, contact_id, channel_account_id, external_id) VALUES ($1, $2, $1, $3, $4)`, contact, o.id, o.accounts[ch], gone.id)
		was := known.does("hi", "")
		w.exec(`UPDATE channel_identities SET blocked_at = now() WHERE external_id IN ($1, $2)`, gone.id, known.id)
		for _, who := range []*customer{gone, known, other} {
			o.post(ch, who.body("again", "", time.Now()))
		}
		require.Equal(t, omniflow.IntakeResult{Items: 3, Messages: 1, Blocked: 2}, o.drain(), ch)
		require.Equal(t, was, known.conversation(), ch)
		require.Empty(t, w.ids(`SELECT id FROM conversations WHERE contact_id = $1`, contact), ch)
		require.Equal(t, "pending_human", string(other.conversation().State), ch)
	}
	require.Len(t, w.ids(`SELECT id FROM inbound_messages`), 2*len(signing))
}

// EX-063: a second after seven days nothing may be said on Facebook, until the
// customer writes again (WIN-06).
func TestEX063TheWindowOpensAgainWhenTheCustomerWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	who, text := o.customer("facebook", "70000001"), m{"kind": "text", "text": "您好"}
	o.post("facebook", who.body("hi", "", time.Now().Add(-7*24*time.Hour-time.Second)))
	require.Equal(t, 1, o.drain().Messages)
	id := who.conversation().ID.String()
	got := o.one("cs_agent", "POST", id+":follow", nil)
	require.Equal(t, []string{"blocked", omniflow.TextFBWindowClosed.Text()}, []string{string(got.Window), got.Hint})
	p := o.refusal("cs_agent", "POST", id+"/messages", text, 422, "window_closed")
	require.Equal(t, omniflow.TextFBWindowClosed.Text(), p.Message, "MC-06")
	got = who.does("還在嗎", "")
	require.Equal(t, []string{"open", "handling"}, []string{string(got.Window), string(got.State)})
	require.Equal(t, "queued", o.send("cs_agent", id, text).State)
}

// EX-066: LINE has no read receipts; what an agent said is read when the
// customer writes again (MSG-03), on LINE and nowhere else.
func TestEX066WhatWasSentIsReadWhenTheCustomerReplies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	for ch, who := range map[string]*customer{"line": o.customer("line", lineUser(1)), "facebook": o.customer("facebook", "70000001")} {
		id := who.does("hi", "").ID.String()
		o.one("cs_agent", "POST", id+":follow", nil)
		for range 3 {
			a := o.send("cs_agent", id, m{"kind": "text", "text": "x"})
			w.exec(`UPDATE messages SET state = 'sent', attempted_at = now() - interval '1 second', sent_at = now() - interval '1 second' WHERE id = $1`, a.ID)
		}
		who.does("ok", "")
		want := map[string]string{"line": "read", "facebook": "sent"}[ch]
		out := 0
		for _, item := range o.messages("cs_agent", id, "").Items {
			if item.Direction == "out" {
				out++
				require.Equal(t, want, item.State, ch)
			}
		}
		require.Equal(t, 3, out, ch)
	}
}

func TestBadWebhooksChangeNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	who := o.customer("line", lineUser(1))
	before := w.counts()
	body := who.body("hi", "", time.Now())
	w.do("POST", "/webhooks/line/"+o.accounts["line"], "", body, "X-Line-Signature", "AAAA").problem(401, "signature_invalid")
	w.do("POST", "/webhooks/line/"+uuid.NewString(), "", body, "X-Line-Signature", "AAAA").problem(404, "not_found")
	require.Equal(t, before, w.counts())
	// Clocks that are wrong.
	for i, at := range []time.Time{time.Now().Add(240 * time.Hour), time.Unix(5, 0)} {
		o.post("line", o.customer("line", lineUser(20+i)).body("hi", "", at))
	}
	require.Equal(t, 2, o.drain().Messages)
	require.Empty(t, w.ids(`SELECT id FROM conversations WHERE last_customer_message_at > clock_timestamp()`))
	// The very same request again is not even stored; the same events in another request change nothing.
	o.post("line", body)
	require.Equal(t, 1, o.drain().Messages)
	seen := who.conversation()
	o.post("line", body)
	require.Zero(t, o.drain().Items)
	var envelope m
	require.NoError(t, json.Unmarshal(body, &envelope))
	envelope["again"] = true
	again, err := json.Marshal(envelope)
	require.NoError(t, err)
	o.post("line", again)
	require.Equal(t, omniflow.IntakeResult{Items: 1}, o.drain())
	require.Equal(t, seen, who.conversation())
}

// TestAnHourOfWebhooksDeliveredTwice replays signed webhooks of four channels
// in random order, each twice, the second time in another envelope.
func TestAnHourOfWebhooksDeliveredTwice(t *testing.T) {
	t.Parallel()
	outcome := func(seed uint64) []string {
		w := newWorld(t)
		o := w.office()
		o.rule(m{"keyword": "menu", "reply": "1 2 3"})
		script, order := rand.New(rand.NewPCG(7, 7)), rand.New(rand.NewPCG(seed, 1))
		begin := time.Now().Truncate(time.Hour).Add(-2 * time.Hour)
		type hook struct {
			ch   string
			body []byte
		}
		people := []*customer{o.customer("line", lineUser(1)), o.customer("line", lineUser(2)), o.customer("facebook", "70000001"), o.customer("instagram", "80000001"),
			o.customer("whatsapp", "886911000001")}
		var hooks []hook
		for range 40 {
			who := people[script.IntN(len(people))]
			body := who.body([]string{"menu", "menu", "hello", ""}[script.IntN(4)], "", begin.Add(time.Duration(script.IntN(3600))*time.Second))
			hooks = append(hooks, hook{who.channel, body}, hook{who.channel, append(append([]byte(`{"copy":true,`), body[1:]...), '\n')}, hook{who.channel, body})
		}
		if seed > 0 {
			order.Shuffle(len(hooks), func(i, j int) { hooks[i], hooks[j] = hooks[j], hooks[i] })
		}
		stored := 0
		for i, h := range hooks {
			o.post(h.ch, h.body)
			if order.IntN(5) == 0 || i == len(hooks)-1 {
				stored += o.drain().Messages
			}
		}
		require.Equal(t, 40, stored)
		var out []string
		for _, who := range people {
			c := who.conversation()
			out = append(out, fmt.Sprint(who.channel, c.State, c.Unread, c.WaitingSince.UTC(), c.LastCustomerMessageAt.UTC(), c.FollowerID))
		}
		return out
	}
	want := outcome(0)
	for seed := range uint64(3) {
		require.Equal(t, want, outcome(seed+1), "seed %d", seed+1)
	}
}
