// Package sink is the provider that the benchmarks send to: it takes every
// message at once, counts it by recipient and notes when it came. What it
// counted is the truth; no sender is asked what it sent.
//
// It answers like WhatsApp's and LINE's send endpoints, and does nothing else
// of theirs: no limits, no faults, no webhooks.
package sink

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Stats is what the sink took since the last reset.
type Stats struct {
	Calls      int       `json:"calls"`      // HTTP requests that were taken
	Messages   int       `json:"messages"`   // one a recipient
	Recipients int       `json:"recipients"` // distinct
	First      time.Time `json:"first"`
	Last       time.Time `json:"last"`
	Refused    int       `json:"refused"` // calls answered with a throttle
}

// Duplicates are messages beyond the first to the same recipient.
func (s Stats) Duplicates() int { return s.Messages - s.Recipients }

// Span is the time between the first message and the last.
func (s Stats) Span() time.Duration { return s.Last.Sub(s.First) }

// Rate is messages per second between the first and the last.
func (s Stats) Rate() float64 { return float64(s.Messages) / max(s.Span().Seconds(), 1e-9) }

// keepArrivals bounds how many moments of arrival are kept: more are only
// counted.
const keepArrivals = 1 << 18

// Sink is the HTTP handler.
type Sink struct {
	mux      *http.ServeMux
	mu       sync.Mutex
	seen     map[string]struct{}
	stats    Stats
	arrivals []time.Time
	storm    time.Time            // until then every call is refused for its rate
	marks    map[string]time.Time // when a text that begins with Mark came first
}

// Mark begins the texts whose arrivals are told apart: what agents write while
// a broadcast runs.
const Mark = "mark "

// New makes an empty sink.
func New() *Sink {
	s := &Sink{mux: http.NewServeMux(), seen: map[string]struct{}{}, marks: map[string]time.Time{}}
	s.mux.HandleFunc("POST /whatsapp/{version}/{account}/messages", s.whatsApp)
	s.mux.HandleFunc("POST /line/v2/bot/message/{kind}", s.line)
	s.mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	s.mux.HandleFunc("GET /_sink/stats", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.Stats()) })
	s.mux.HandleFunc("GET /_sink/arrivals", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.Arrivals()) })
	s.mux.HandleFunc("GET /_sink/marks", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.Marks()) })
	s.mux.HandleFunc("POST /_sink/storm", s.begin)
	s.mux.HandleFunc("POST /_sink/reset", func(http.ResponseWriter, *http.Request) { s.Reset() })
	return s
}

// ServeHTTP implements http.Handler.
func (s *Sink) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Stats tells what was taken so far.
func (s *Sink) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// Arrivals are the moments at which calls came, in order; at most 262,144.
func (s *Sink) Arrivals() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]time.Time{}, s.arrivals...)
}

// Marks are the moments at which marked texts came first.
func (s *Sink) Marks() map[string]time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.marks)
}

// Reset forgets everything.
func (s *Sink) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen, s.stats, s.arrivals, s.marks = map[string]struct{}{}, Stats{}, nil, map[string]time.Time{}
}

// begin refuses every WhatsApp call for the duration given as for=3s.
func (s *Sink) begin(w http.ResponseWriter, r *http.Request) {
	d, err := time.ParseDuration(r.FormValue("for"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.storm = time.Now().Add(d)
}

// stormy says whether a call is refused, and counts it.
func (s *Sink) stormy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Now().After(s.storm) {
		return false
	}
	s.stats.Refused++
	return true
}

// mark notes a marked text.
func (s *Sink) mark(body []byte) {
	text, _, ok := strings.Cut(after(body, `"body":"`), `"`)
	if !ok || !strings.HasPrefix(text, Mark) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, seen := s.marks[text]; !seen {
		s.marks[text] = time.Now()
	}
}

// whatsApp takes one message and answers with an id.
func (s *Sink) whatsApp(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	to, _, ok := strings.Cut(after(body, `"to":"`), `"`)
	if err != nil || !ok {
		http.Error(w, `{"error":{"code":100,"message":"no recipient"}}`, http.StatusBadRequest)
		return
	}
	if s.stormy() {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":{"code":130429,"message":"(#130429) Rate limit hit"}}`)
		return
	}
	n := s.take(to)
	s.mark(body)
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"messaging_product":"whatsapp","contacts":[{"input":"`+to+`","wa_id":"`+
		strings.TrimPrefix(to, "+")+`"}],"messages":[{"id":"wamid.`+strconv.Itoa(n)+`"}]}`)
}

// line takes a push or a multicast.
func (s *Sink) line(w http.ResponseWriter, r *http.Request) {
	var body struct {
		To json.RawMessage `json:"to"`
	}
	var to []string
	err := json.NewDecoder(r.Body).Decode(&body)
	if err == nil && bytes.HasPrefix(body.To, []byte("[")) {
		err = json.Unmarshal(body.To, &to)
	} else if bytes.HasPrefix(body.To, []byte(`"`)) {
		to = []string{strings.Trim(string(body.To), `"`)}
	}
	if err != nil || len(to) == 0 {
		http.Error(w, `{"message":"no recipient"}`, http.StatusBadRequest)
		return
	}
	n := s.take(to...)
	w.Header().Set("X-Line-Request-Id", strconv.Itoa(n))
	reply(w, struct{}{})
}

// take notes one call and gives its number.
func (s *Sink) take(recipients ...string) int {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stats.Calls == 0 {
		s.stats.First = now
	}
	if now.After(s.stats.Last) {
		s.stats.Last = now
	}
	s.stats.Calls++
	s.stats.Messages += len(recipients)
	for _, r := range recipients {
		s.seen[r] = struct{}{}
	}
	s.stats.Recipients = len(s.seen)
	if len(s.arrivals) < keepArrivals {
		s.arrivals = append(s.arrivals, now)
	}
	return s.stats.Calls
}

// after is what follows the first place of mark in body; "" if it is not there.
func after(body []byte, mark string) string {
	_, rest, _ := bytes.Cut(body, []byte(mark))
	return string(rest)
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the caller may have gone
}
