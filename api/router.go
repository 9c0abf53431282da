package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// router is a ServeMux that understands actions such as
// "/v1/broadcasts/{id}:pause" and "/v1/broadcasts:preflight": a ServeMux wildcard is always a whole segment,
// so the action becomes a segment of its own, in patterns and in requests. It
// logs and measures every request under its pattern.
type router struct {
	mux *http.ServeMux
	s   *service
}

func newRouter(s *service) *router { return &router{mux: http.NewServeMux(), s: s} }

// HandleFunc implements humago.Mux.
func (m *router) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	_, route, found := strings.Cut(pattern, " ")
	if !found {
		route = pattern
	}
	if path, ok := splitAction(route); ok {
		pattern = strings.Replace(pattern, route, path, 1)
	}
	m.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		m.observed(route, w, r, h)
	})
}

// ServeHTTP implements humago.Mux and http.Handler.
func (m *router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if path, ok := splitAction(r.URL.Path); ok {
		r = r.Clone(r.Context())
		r.URL.Path, r.URL.RawPath = path, ""
	}
	m.mux.ServeHTTP(w, r)
}

// splitAction makes /v1/broadcasts/x/:pause of /v1/broadcasts/x:pause.
func splitAction(path string) (string, bool) {
	slash := strings.LastIndexByte(path, '/')
	colon := strings.LastIndexByte(path, ':')
	if !strings.HasPrefix(path, "/v1/") || colon < slash+2 {
		return "", false
	}
	return path[:colon] + "/" + path[colon:], true
}

// answerBudget bounds a request with its answer; a stream bounds its writes.
const answerBudget = 3 * time.Minute

// requestNote collects what the log says about a request: never a text, a
// name, a number or a token.
type requestNote struct {
	teamID string
	code   string
}

type requestNoteKey struct{}

func noteOf(ctx context.Context) *requestNote {
	if n, ok := ctx.Value(requestNoteKey{}).(*requestNote); ok {
		return n
	}
	return &requestNote{}
}

func (m *router) observed(route string, w http.ResponseWriter, r *http.Request, h http.HandlerFunc) {
	begin := time.Now()
	note := &requestNote{}
	out := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	// A connection without deadlines (a test's recorder) needs none.
	_ = http.NewResponseController(w).SetWriteDeadline(begin.Add(answerBudget))
	m.s.survive(out, r.WithContext(context.WithValue(r.Context(), requestNoteKey{}, note)), h)
	took := time.Since(begin)
	m.s.metrics.requests.WithLabelValues(route, r.Method, strconv.Itoa(out.status)).Observe(took.Seconds())
	m.s.log.Log(r.Context(), logLevel(route, out.status), "request", "method", r.Method, "route", route, "status", out.status,
		"ms", float64(took.Microseconds())/1000, "team_id", note.teamID, "code", note.code)
}

// survive answers a bug's panic with 500, so that it is counted and logged as
// every other answer; half an answer ends its connection.
func (s *service) survive(w *statusWriter, r *http.Request, h http.HandlerFunc) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		p := s.problem(r.Context(), fmt.Errorf("panic: %v\n%s", cause, debug.Stack()))
		if w.written {
			panic(http.ErrAbortHandler)
		}
		writeProblem(w, p)
	}()
	h(w, r)
}

// logLevel keeps what comes by the thousand and is counted anyway, webhooks
// taken and probes answered, out of the log.
func logLevel(route string, status int) slog.Level {
	quiet := strings.HasPrefix(route, "/webhooks/") || route == "/healthz" || route == "/readyz"
	if quiet && status == http.StatusOK {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// statusWriter remembers the status it wrote.
type statusWriter struct {
	http.ResponseWriter
	status  int
	written bool
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	w.status, w.written = status, true
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *statusWriter) Write(p []byte) (int, error) {
	w.written = true
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
