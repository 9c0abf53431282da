package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/apiclient"
	"omniflow/internal/customercsv"
	"omniflow/internal/keyring"
	"omniflow/internal/simulator"
)

// world plays the API and the simulators for one story. Everybody is reached
// but those whose last message is more than a day old.
type world struct {
	mux     *http.ServeMux
	restart chan struct{} // closed when the worker runs again

	mu       sync.Mutex
	accounts map[string]simulator.Account // by channel
	faults   []simulator.Faults
	rows     []apiclient.Recipient
	truth    []simulator.Delivery
	spoil    func(w *world) // changes rows and truth after the import
	number   string         // of the group: the first WhatsApp account
	room     room
	counter  counter
}

func newWorld() *world {
	w := &world{mux: http.NewServeMux(), restart: make(chan struct{}), accounts: map[string]simulator.Account{}, spoil: func(*world) {}}
	for path, answer := range map[string]string{
		"POST /v1/teams": `{"team_id":"T"}`, "POST /v1/teams/T/members": `{"id":"M"}`, "POST /v1/teams/T/tokens": `{"token":"t"}`,
		"POST /v1/broadcasts": `{"id":"B","workflow_id":"broadcast/T/B","state":"accepted"}`, "PUT /_sim/webhooks": `{}`,
	} {
		w.mux.HandleFunc(path, func(out http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(out, answer) })
	}
	w.handle("POST /v1/teams/T/channel-accounts", func(r *http.Request) any {
		var a apiclient.NewAccount
		_ = json.NewDecoder(r.Body).Decode(&a) // an empty account fails the test
		return apiclient.Account{ID: "A-" + a.Channel, WebhookPath: "/webhooks/" + a.Channel}
	})
	w.handle("POST /_sim/accounts", func(r *http.Request) any {
		var a simulator.Account
		_ = json.NewDecoder(r.Body).Decode(&a)
		if w.number == "" {
			w.number = a.ExternalID
		}
		w.accounts[string(a.Channel)] = a
		return nil
	})
	w.handle("PUT /_sim/faults", func(r *http.Request) any {
		var f simulator.Faults
		_ = json.NewDecoder(r.Body).Decode(&f)
		w.faults = append(w.faults, f)
		return nil
	})
	w.groupRoutes()
	w.deskRoutes()
	w.handle("POST /v1/teams/T/imports", w.imports)
	w.handle("GET /v1/broadcasts/B", func(*http.Request) any { return w.broadcast(true) })
	w.handle("GET /v1/broadcasts/B/recipients", w.page)
	w.handle("GET /_sim/summary", func(*http.Request) any { return w.summary() })
	w.mux.HandleFunc("GET /_sim/truth", w.stream)
	w.mux.HandleFunc("GET /v1/broadcasts/B/progress", w.progress)
	return w
}

// handle answers with what f gives, under the lock.
func (w *world) handle(path string, f func(r *http.Request) any) {
	w.mux.HandleFunc(path, func(out http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		_ = json.NewEncoder(out).Encode(f(r)) // the caller may have gone
	})
}

func (w *world) imports(r *http.Request) any {
	report, err := customercsv.Each(r.Body, customercsv.Options{}, func(c customercsv.Row) error {
		row := apiclient.Recipient{CustomerID: c.CustomerID, Channel: string(c.Channel), State: "skipped", Code: "window_template_only"}
		if time.Since(*c.LastMessageAt) < 24*time.Hour {
			row.State, row.Code = "sent", ""
			w.truth = append(w.truth, simulator.Delivery{Channel: simulator.Channel(c.Channel), Recipient: c.ChannelUserID,
				ContentSHA256: "x", At: time.Now(), Delivered: true})
		}
		w.rows = append(w.rows, row)
		return nil
	})
	if err != nil {
		return nil
	}
	w.spoil(w)
	faults := func(list []customercsv.Issue) (out []apiclient.ImportFault) {
		for _, i := range list {
			out = append(out, apiclient.ImportFault{Line: i.Line, OfLine: i.OfLine, Reason: string(i.Reason), Column: i.Column})
		}
		return out
	}
	return apiclient.ImportReport{Rows: report.Rows, Imported: report.Good,
		Duplicates: faults(report.Duplicates), Rejected: faults(report.Rejected)}
}

// broadcast is the state at half-time or at the end.
func (w *world) broadcast(ended bool) apiclient.Broadcast {
	b := apiclient.Broadcast{ID: "B", State: "running", WorkflowID: "broadcast/T/B"}
	for channel := range w.accounts {
		l := apiclient.Lane{ChannelAccountID: "A-" + channel, Channel: channel, Control: "running"}
		for _, row := range w.rows {
			if row.Channel != channel {
				continue
			}
			l.Counts.Planned++
			if row.State == "skipped" {
				l.Counts.Skipped++
			} else if ended || l.Counts.Queued < l.Counts.Sent {
				l.Counts.Sent++
			} else {
				l.Counts.Queued++
			}
		}
		b.Lanes = append(b.Lanes, l)
		b.Counts.Planned += l.Counts.Planned
		b.Counts.Sent += l.Counts.Sent
		b.Counts.Skipped += l.Counts.Skipped
	}
	if ended {
		now := time.Now()
		b.State, b.FinishedAt = "finished", &now
	}
	return b
}

// progress stops at half-time until the worker was killed and runs again.
func (w *world) progress(out http.ResponseWriter, r *http.Request) {
	out.Header().Set("Content-Type", "text/event-stream")
	w.mu.Lock()
	half := w.broadcast(false)
	half.Counts.Sent = (half.Counts.Planned-half.Counts.Skipped)/2 + 1
	w.mu.Unlock()
	text, _ := json.Marshal(half) // plain data
	fmt.Fprintf(out, "event: progress\ndata: %s\n\n", text)
	out.(http.Flusher).Flush()
	select {
	case <-w.restart:
		fmt.Fprint(out, "event: done\ndata: {}\n\n")
	case <-r.Context().Done():
	}
}

func (w *world) page(r *http.Request) any {
	from, _ := strconv.Atoi(r.URL.Query().Get("after"))
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	to := min(len(w.rows), from+limit)
	list := apiclient.List[apiclient.Recipient]{Items: w.rows[from:to]}
	if to < len(w.rows) {
		list.Next = strconv.Itoa(to)
	}
	return list
}

func (w *world) summary() []simulator.Summary {
	list := []simulator.Summary{{Channel: "line", ExternalID: "somebody else's", LimitExceeded: 99}}
	for _, a := range w.accounts {
		list = append(list, simulator.Summary{Channel: a.Channel, ExternalID: a.ExternalID, RefusedThrottle: 7})
	}
	return list
}

func (w *world) stream(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.counter.books
	if r.URL.Query().Get("external_id") == w.accounts[r.URL.Query().Get("channel")].ExternalID {
		list = w.truth // the broadcast's account is the last one of its channel
	}
	for _, d := range list {
		if string(d.Channel) == r.URL.Query().Get("channel") {
			_ = json.NewEncoder(out).Encode(d) // the caller may have gone
		}
	}
}

// tell runs a story of 400 customers in the world.
func tell(t *testing.T, w *world) (verdict, string) {
	t.Helper()
	server := httptest.NewServer(w.mux)
	t.Cleanup(server.Close)
	var out strings.Builder
	var killed bool
	s := &story{
		stage: stage{api: server.URL, simulators: server.URL, ui: "http://ui", namespace: "omniflow", jwtKeys: keyring.NewKey("k"),
			kill:  func(context.Context) error { killed = true; return nil },
			start: func(context.Context) error { close(w.restart); return nil }},
		out: &out, recipients: 400, seed: 1, file: filepath.Join(t.TempDir(), "demo", "customers.csv"), began: time.Now(),
		grace: time.Millisecond,
	}
	v, err := s.tell(t.Context())
	require.NoError(t, err)
	require.True(t, killed)
	require.FileExists(t, s.file)
	csv, err := os.ReadFile(s.file)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(csv), "\ufeffcustomer_id,"))
	return v, out.String()
}

func TestStory(t *testing.T) {
	t.Parallel()
	w := newWorld()
	v, out := tell(t, w)
	require.Empty(t, v.fault(), out)
	require.Equal(t, 400, v.Recipients)
	require.Equal(t, 400, v.Sent+v.Skipped)
	require.Positive(t, v.Skipped)
	require.Equal(t, v.Sent, v.Delivered)
	for _, want := range []string{
		"407 rows: 400 imported", "rejected  line", "duplicate line", "| 🍂 秋季會員日開跑", "worker killed with SIGKILL", "worker runs again after",
		"http://ui/namespaces/omniflow/workflows/broadcast%2FT%2FB", "recipients really reached", "starter broadcast show B", "/docs",
	} {
		require.Contains(t, out, want)
	}
	require.Regexp(t, `(?m)^ +whatsapp +176 +\d+ +0 +\d+ +0 +7 +\d`, out)
	require.Len(t, w.faults, 8)
	for _, f := range w.faults[4:] { // relief, lane by lane
		require.Equal(t, simulator.Faults{Channel: f.Channel, ExternalID: w.accounts[string(f.Channel)].ExternalID}, f)
	}
	for _, f := range w.faults[:4] {
		require.InDelta(t, 0.01, f.Lost500+f.LostReset+f.LostHang, 1e-9)
		require.Equal(t, w.accounts[string(f.Channel)].ExternalID, f.ExternalID)
	}
	require.True(t, strings.HasSuffix(w.accounts["line"].WebhookURL, "/webhooks/line"))
}

func TestStoryFindsADuplicate(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.spoil = func(w *world) { w.truth = append(w.truth, w.truth[0]) }
	v, out := tell(t, w)
	require.Equal(t, "1 messages were delivered twice", v.fault())
	require.Contains(t, out, "message delivered twice")
}

func TestStoryFindsALoss(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.spoil = func(w *world) { w.truth = w.truth[1:] }
	v, out := tell(t, w)
	require.Contains(t, v.lastLine(), "demo: FAILED 1 recipients were lost")
	require.Contains(t, out, "but never delivered")
}

func TestRates(t *testing.T) {
	t.Parallel()
	require.InDelta(t, 550, rate("whatsapp", 2200), 0)
	require.InDelta(t, 150, rate("facebook", 600), 0)
	require.InDelta(t, 100, rate("instagram", 450), 0)
	require.InDelta(t, 10, rate("instagram", 9), 0)
	require.InDelta(t, 1000, rate("whatsapp", 440000), 0)
	require.Zero(t, rate("line", 100))
}
