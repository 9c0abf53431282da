package main

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// checkBudget is how long a part may take to say that it is there.
const checkBudget = time.Second

// readiness says whether requests can be served, and by which part not.
type readiness struct {
	Status string            `json:"status"` // ready or not_ready
	Checks map[string]string `json:"checks"` // a part, and ok or what is wrong
}

func (s *service) addHealth(m *router) {
	m.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	m.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		state := s.readiness(r.Context())
		status := http.StatusOK
		if state.Status != "ready" {
			status = http.StatusServiceUnavailable
		}
		writeJSON(w, status, state)
	})
}

// readiness asks every part at once. What exactly is wrong is in the log: an
// address is nobody's business.
func (s *service) readiness(ctx context.Context) readiness {
	ctx, cancel := context.WithTimeout(ctx, checkBudget)
	defer cancel()
	out := readiness{Status: "ready", Checks: map[string]string{}}
	var mu sync.Mutex
	var parts sync.WaitGroup
	for name, check := range map[string]func(context.Context) error{"database": s.store.Ping, "temporal": s.engine.Healthy, "process": s.serving} {
		parts.Go(func() {
			err := check(ctx)
			mu.Lock()
			defer mu.Unlock()
			out.Checks[name] = "ok"
			if err != nil {
				s.log.WarnContext(ctx, "not ready", "part", name, "error", err)
				out.Status, out.Checks[name] = "not_ready", "does not answer within 1 s"
				if name == "process" {
					out.Checks[name] = err.Error()
				}
			}
		})
	}
	parts.Wait()
	return out
}

// errDraining is why a program that was told to stop is not ready.
type errDraining struct{}

func (errDraining) Error() string { return "draining: the program was told to stop" }

func (s *service) serving(context.Context) error {
	select {
	case <-s.draining:
		return errDraining{}
	default:
		return nil
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// A client that is gone cannot be told so.
	_ = json.NewEncoder(w).Encode(body)
}
