package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/apiclient"
	"omniflow/internal/simulator"
)

// TestOutboxSurvives: a broadcast that was accepted while Temporal was dead
// runs when Temporal is back, though the api that accepted it died as well.
func TestOutboxSurvives(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	m := w.newTeam("prove", 2*reconcileAfter, allChannels(20)...)
	w.kill(w.temporal())
	r := m.broadcast("outbox") // answered 202
	w.kill(w.api())
	r.never(time.Second, func() bool { return r.taken() > 0 }, "sent without an engine")
	w.start(w.temporal())
	w.start(w.api())
	last := r.wait(time.Minute)
	require.Equal(t, "completed", last.Outcome)
	require.Equal(t, len(m.people), r.judge().Sent)
}

// TestInboxSurvives: while PostgreSQL is dead webhooks are answered 503 and
// come again; while the worker is dead they wait in the inbox. All are heard.
func TestInboxSurvives(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	m := w.newTeam("prove", 2*reconcileAfter, crowd{channel: "whatsapp", customers: 50}, crowd{channel: "facebook", customers: 50})
	for _, a := range m.accounts {
		m.webhooks(a, func(h *simulator.Webhooks) { h.Disabled, h.Delivered, h.Read = true, 1, 1 })
	}
	r := m.broadcast("inbox")
	require.Equal(t, 100, r.wait(time.Minute).Counts.Sent, "no webhook has come")

	w.kill(w.worker())
	w.kill(w.postgres())
	require.Equal(t, http.StatusServiceUnavailable, w.post("/webhooks/whatsapp/"+m.account("whatsapp").ID))
	for _, a := range m.accounts {
		m.webhooks(a, func(*simulator.Webhooks) {})
	}
	hooks := func(channel string) simulator.WebhookCounts { return m.summaries()[channel].Webhooks }
	w.until(20*time.Second, func() bool { return hooks("whatsapp").Retried > 0 && hooks("facebook").Retried > 0 }, "webhooks are sent again")
	w.start(w.postgres())
	w.until(30*time.Second, func() bool { return hooks("whatsapp").Pending+hooks("facebook").Pending == 0 }, "webhooks are taken")
	require.Equal(t, 100, r.state().Counts.Sent, "without a worker they wait")
	w.start(w.worker())
	r.waitFor(settleWithin, "every message read", func(b apiclient.Broadcast) bool { return b.Counts.Read == 100 })
	require.Equal(t, 100, r.judge().Sent)
}

// post sends an unsigned body and gives the status of the answer.
func (w *world) post(path string) int {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.stack.APIURL()+path, strings.NewReader("{}"))
	require.NoError(w.t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(w.t, err)
	require.NoError(w.t, res.Body.Close())
	return res.StatusCode
}
