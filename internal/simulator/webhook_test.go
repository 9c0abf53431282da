package simulator_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/simulator"
)

// hookKnobs changes the webhook settings of every account.
func (w *world) hookKnobs(change func(*simulator.Webhooks)) {
	w.t.Helper()
	h := plainWebhooks()
	change(&h)
	require.NoError(w.t, w.sim.SetWebhooks(h))
}

// statuses waits for n WhatsApp statuses and returns them as they came.
func (w *world) statuses(n int) []map[string]any {
	w.t.Helper()
	var list []map[string]any
	for len(list) < n {
		value := at(w.t, w.hook().decode(w.t), "entry", 0, "changes", 0, "value")
		for _, s := range at(w.t, value, "statuses").([]any) {
			list = append(list, s.(map[string]any))
		}
	}
	require.Len(w.t, list, n)
	return list
}

// inOrder puts statuses into the order of their meaning: several senders work
// in parallel, so neighbours may overtake each other.
func inOrder(statuses []map[string]any) []map[string]any {
	slices.SortStableFunc(statuses, func(a, b map[string]any) int {
		return rank(a["status"].(string)) - rank(b["status"].(string))
	})
	return statuses
}

// messagings waits for n events of a page and returns their POSTs by the key
// that tells their kind.
func (w *world) messagings(n int) map[string]map[string]any {
	w.t.Helper()
	posts := map[string]map[string]any{}
	for range n {
		v := w.hook().decode(w.t)
		for _, kind := range []string{"message", "delivery", "read"} {
			if at(w.t, v, "entry", 0, "messaging", 0, kind) != nil {
				posts[kind] = v
			}
		}
	}
	require.Len(w.t, posts, n)
	return posts
}

// statusOf is the first status of a POST.
func statusOf(t *testing.T, v any) string {
	t.Helper()
	return at(t, v, "entry", 0, "changes", 0, "value", "statuses", 0, "status").(string)
}

func names(statuses []map[string]any) []string {
	var list []string
	for _, s := range statuses {
		list = append(list, s["status"].(string))
	}
	return list
}

func TestWhatsAppStatusesEchoTheOpaqueData(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	a := w.whatsapp("886900000001", "x", "m1/7")
	posts := []map[string]any{w.hook().decode(t), w.hook().decode(t), w.hook().decode(t)}
	slices.SortFunc(posts, func(a, b map[string]any) int { return rank(statusOf(t, a)) - rank(statusOf(t, b)) })
	v := posts[0]
	require.Equal(t, "whatsapp_business_account", v["object"])
	require.Equal(t, "waba1", at(t, v, "entry", 0, "id"))
	require.Equal(t, "messages", at(t, v, "entry", 0, "changes", 0, "field"))
	value := at(t, v, "entry", 0, "changes", 0, "value")
	require.Equal(t, map[string]any{"display_phone_number": "15550783881", "phone_number_id": phoneID}, at(t, value, "metadata"))
	require.Equal(t, "886900000001", at(t, value, "contacts", 0, "wa_id"))
	sent := at(t, value, "statuses", 0).(map[string]any)
	require.Equal(t, at(t, a.body, "messages", 0, "id"), sent["id"])
	require.Equal(t, "sent", sent["status"])
	require.Equal(t, "886900000001", sent["recipient_id"])
	require.Equal(t, "m1/7", sent["biz_opaque_callback_data"])
	require.Equal(t, fmt.Sprint(w.clock.Now().Unix()), sent["timestamp"])
	require.Contains(t, sent, "pricing")
	require.NotContains(t, sent, "conversation")
	require.Equal(t, []string{"delivered", "read"}, []string{statusOf(t, posts[1]), statusOf(t, posts[2])})
	last := func(v any) any { return at(t, v, "entry", 0, "changes", 0, "value", "statuses", 0, "pricing") }
	require.NotNil(t, last(posts[1]))
	require.Nil(t, last(posts[2]), "pricing is on one of delivered and read")
}

func TestMetaSignsTheEscapedBytes(t *testing.T) {
	t.Parallel()
	for _, c := range []simulator.Channel{simulator.WhatsApp, simulator.Facebook, simulator.Instagram} {
		t.Run(string(c), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			const text = "早安 é 😀 a/b"
			_, err := w.sim.Inbound(simulator.InboundMessage{Channel: c, ExternalID: external(c), User: "886900000001", Text: text})
			require.NoError(t, err)
			h := w.hook()
			mac := hmac.New(sha256.New, []byte(secret))
			mac.Write(h.body)
			require.Equal(t, "sha256="+hex.EncodeToString(mac.Sum(nil)), h.header.Get("X-Hub-Signature-256"))
			require.Contains(t, string(h.body), `\u65e9\u5b89 \u00e9 \ud83d\ude00 a\/b`)
			v := h.decode(t)
			got := any(nil)
			if c == simulator.WhatsApp {
				got = at(t, v, "entry", 0, "changes", 0, "value", "messages", 0, "text", "body")
			} else {
				got = at(t, v, "entry", 0, "messaging", 0, "message", "text")
			}
			require.Equal(t, text, got)
		})
	}
}

func TestMessengerEchoAndReceipts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	a := w.messenger("1", "hello", "m1")
	posts := w.messagings(3)
	v := posts["message"]
	require.Equal(t, "page", v["object"])
	require.Equal(t, pageID, at(t, v, "entry", 0, "id"))
	echo := at(t, v, "entry", 0, "messaging", 0)
	require.Equal(t, pageID, at(t, echo, "sender", "id"))
	require.Equal(t, "1", at(t, echo, "recipient", "id"))
	require.Equal(t, map[string]any{"mid": a.body["message_id"], "is_echo": true, "app_id": 2781345.0, "metadata": "m1", "text": "hello"}, at(t, echo, "message"))
	sent := at(t, echo, "timestamp").(float64)
	delivery := at(t, posts["delivery"], "entry", 0, "messaging", 0)
	require.Equal(t, "1", at(t, delivery, "sender", "id"))
	require.GreaterOrEqual(t, at(t, delivery, "delivery", "watermark").(float64), sent)
	read := at(t, posts["read"], "entry", 0, "messaging", 0)
	require.GreaterOrEqual(t, at(t, read, "read", "watermark").(float64), at(t, delivery, "delivery", "watermark").(float64))
}

func TestInstagramEchoHasNoMetadataAndNoDelivery(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	a := w.post("/instagram/v25.0/me/messages", "ig", pageText("1", "hello", "m1"))
	posts := w.messagings(2)
	v := posts["message"]
	require.Equal(t, "instagram", v["object"])
	require.Equal(t, igID, at(t, v, "entry", 0, "id"))
	require.Equal(t, map[string]any{"mid": a.body["message_id"], "is_echo": true, "text": "hello"}, at(t, v, "entry", 0, "messaging", 0, "message"))
	seen := at(t, posts["read"], "entry", 0, "messaging", 0)
	require.Equal(t, map[string]any{"mid": a.body["message_id"]}, at(t, seen, "read"))
	require.Equal(t, "1", at(t, seen, "sender", "id"))
}

func TestEchoOfAnAttachment(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.post("/messenger/v25.0/me/messages", "fb", `{"recipient":{"id":"1"},"message":{"attachment":{"type":"image","payload":{"url":"https://e.x/a"}},"metadata":"m"}}`)
	message := at(t, w.messagings(3)["message"], "entry", 0, "messaging", 0, "message")
	require.Equal(t, "https://e.x/a", at(t, message, "attachments", 0, "payload", "url"))
	require.Equal(t, "m", at(t, message, "metadata"))
}

func TestLINEHasNoWebhooksForWhatItSends(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	require.Equal(t, http.StatusOK, w.push(users[0], "x", anyKey).status)
	require.Equal(t, simulator.WebhookCounts{}, w.summary(simulator.LINE).Webhooks)
}

func TestFailedStatus(t *testing.T) {
	t.Parallel()
	for name, echoed := range map[string]bool{"opaque echoed": true, "opaque withheld": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(a *simulator.Account) { a.OpaqueOnFailed = &echoed })
			w.hookKnobs(func(h *simulator.Webhooks) { h.FailedAfterSent = 1 })
			w.whatsapp("886900000001", "x", "k")
			list := inOrder(w.statuses(2))
			require.Equal(t, []string{"sent", "failed"}, names(list))
			require.Equal(t, "k", list[0]["biz_opaque_callback_data"])
			require.Equal(t, echoed, list[1]["biz_opaque_callback_data"] != nil)
			require.InDelta(t, 131026, at(t, list[1], "errors", 0, "code"), 0)
			require.Equal(t, 1, w.summary(simulator.WhatsApp).FailedLater)
			require.Zero(t, w.summary(simulator.WhatsApp).Accepted)
		})
	}
}

func TestLostAnswerIsFollowedByItsStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.next(simulator.WhatsApp, 0, simulator.LostReset)
	_, err := w.sendTo(simulator.WhatsApp, 0, "x")
	require.Error(t, err)
	require.Equal(t, "key", w.statuses(1)[0]["biz_opaque_callback_data"])
}

func TestWebhookBeforeTheResponse(t *testing.T) {
	t.Parallel()
	for _, c := range []simulator.Channel{simulator.WhatsApp, simulator.Facebook, simulator.Instagram} {
		t.Run(string(c), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.hookKnobs(func(h *simulator.Webhooks) { h.BeforeResponse, h.DelayMS = 1, 60_000 })
			_, err := w.sendTo(c, 0, "x")
			require.NoError(t, err)
			select {
			case <-w.hooks:
			default:
				require.Fail(t, "the webhook has not come before the response")
			}
		})
	}
}

func TestBatches(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(a *simulator.Account) { a.Unlimited = true })
	// Gathered from the first on: an event that was queued alone is sent alone
	// when it is not due yet at the end of the blackout.
	w.hookKnobs(func(h *simulator.Webhooks) { h.BatchMax, h.BatchMS, h.Disabled = 30, 100, true })
	for i := range 40 {
		w.whatsapp("886900000001", fmt.Sprint(i), fmt.Sprint(i))
	}
	_, err := w.sim.Inbound(simulator.InboundMessage{Channel: simulator.WhatsApp, ExternalID: phoneID, User: "886900000001", Text: "hi"})
	require.NoError(t, err)
	require.Equal(t, simulator.WebhookCounts{Pending: w.summary(simulator.WhatsApp).Webhooks.Pending}, w.summary(simulator.WhatsApp).Webhooks, "a blackout keeps all")
	pending := w.summary(simulator.WhatsApp).Webhooks.Pending
	require.GreaterOrEqual(t, pending, 40*2)
	w.hookKnobs(func(h *simulator.Webhooks) { h.BatchMax, h.BatchMS = 30, 100 })
	statuses, inbound, posts := 0, 0, 0
	for statuses+inbound < pending {
		posts++
		for _, change := range at(t, w.hook().decode(t), "entry", 0, "changes").([]any) {
			value := at(t, change, "value").(map[string]any)
			list, _ := value["statuses"].([]any)
			messages, _ := value["messages"].([]any)
			require.LessOrEqual(t, len(list), 30)
			statuses, inbound = statuses+len(list), inbound+len(messages)
		}
	}
	require.Equal(t, 1, inbound)
	require.Less(t, posts, pending/2)
}

func TestDroppedDuplicatedAndReordered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.hookKnobs(func(h *simulator.Webhooks) { h.Drop = 1 })
	w.messenger("1", "x", "")
	require.Equal(t, simulator.WebhookCounts{Dropped: 3}, w.summary(simulator.Facebook).Webhooks)

	w.hookKnobs(func(h *simulator.Webhooks) { h.Duplicate, h.Delivered = 1, 0 })
	w.messenger("1", "x", "")
	first, second := w.hook().decode(t), w.hook().decode(t)
	require.Equal(t, at(t, first, "entry", 0, "messaging"), at(t, second, "entry", 0, "messaging"))
	require.Equal(t, 1, w.summary(simulator.Facebook).Webhooks.Duplicates)

	w.hookKnobs(func(h *simulator.Webhooks) { h.Reorder = 0.5 })
	ordered := true
	for i := 0; i < 20 && ordered; i++ {
		to := fmt.Sprintf("8869100000%02d", i)
		before := w.queued()
		require.Equal(t, http.StatusOK, w.whatsapp(to, "x", "").status)
		got := names(w.statuses(w.queued() - before))
		ordered = slices.IsSortedFunc(got, func(a, b string) int { return rank(a) - rank(b) })
	}
	require.False(t, ordered, "read never came before delivered, nor delivered before sent")
}

// queued is how many events an account has had so far.
func (w *world) queued() int {
	c := w.summary(simulator.WhatsApp).Webhooks
	return c.Pending + c.Sent
}

func rank(status string) int { return strings.Index("sent delivered read failed", status) }

func TestRefusedWebhooksAreSentAgain(t *testing.T) {
	t.Parallel()
	for _, c := range channels() {
		t.Run(string(c), func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int32
			bodies := make(chan string, 10)
			receiver := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if calls.Add(1) == 1 {
					rw.WriteHeader(http.StatusServiceUnavailable)
				}
				bodies <- string(body)
			}))
			t.Cleanup(receiver.Close)
			w := newWorld(t, func(a *simulator.Account) { a.WebhookURL = receiver.URL })
			_, err := w.sim.Inbound(simulator.InboundMessage{Channel: c, ExternalID: external(c), User: person(c, 0), Text: "x"})
			require.NoError(t, err)
			first, second := <-bodies, <-bodies
			if c == simulator.LINE {
				require.Contains(t, second, `"isRedelivery":true`)
				second = strings.Replace(second, `"isRedelivery":true`, `"isRedelivery":false`, 1)
			}
			require.Equal(t, first, second)
			require.Eventually(t, func() bool {
				return w.summary(c).Webhooks == simulator.WebhookCounts{Sent: 1, Posts: 1, Retried: 1}
			}, patience, time.Millisecond)
		})
	}
}

func TestSlowReceiverIsTriedAgain(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	over := make(chan struct{}, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		if calls.Add(1) == 1 {
			<-r.Context().Done()
			return
		}
		over <- struct{}{}
	}))
	t.Cleanup(receiver.Close)
	w := newWorld(t, func(a *simulator.Account) { a.WebhookURL = receiver.URL })
	w.hookKnobs(func(h *simulator.Webhooks) { h.TimeoutMS, h.Read, h.Delivered = 50, 0, 0 })
	w.instagram("1", "x")
	select {
	case <-over:
	case <-time.After(patience):
		require.Fail(t, "no second attempt")
	}
}

func TestInboundIDsAreTheReceiversKeys(t *testing.T) {
	t.Parallel()
	for _, c := range channels() {
		t.Run(string(c), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			written := time.Unix(1_760_000_000, 0)
			id, err := w.sim.Inbound(simulator.InboundMessage{Channel: c, ExternalID: external(c), User: person(c, 0), Text: "x", Timestamp: &written})
			require.NoError(t, err)
			body := w.hook().body
			require.True(t, json.Valid(body))
			require.Contains(t, string(body), id)
			require.Contains(t, string(body), "1760000000")
		})
	}
}
