package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.temporal.io/sdk/client"

	"omniflow/internal/postgres"
	"omniflow/internal/temporalclient"
)

// health tells whether this process can do its work, and serves its metrics.
type health struct {
	store    *postgres.Store
	temporal client.Client
	pprof    bool
	polling  atomic.Bool
}

// serve answers /healthz, /readyz and /metrics, and profiles where they are
// switched on, until ctx ends.
func (h *health) serve(ctx context.Context, address string, registry *prometheus.Registry, log *slog.Logger) error {
	if address == "" {
		return nil
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, map[string]string{"process": "ok"}) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { answer(w, h.parts(r.Context())) })
	if h.pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listen on %s (OMNIFLOW_METRICS_LISTEN chooses another address): %w", address, err)
	}
	log.Info("listening", "address", listener.Addr().String())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", address, err)
	}
	return nil
}

// parts says of each part whether it works; "ok", or what is wrong.
func (h *health) parts(ctx context.Context) map[string]string {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	parts := map[string]string{"database": "ok", "temporal": "ok", "polling": "ok"}
	if h.store.Ping(ctx) != nil {
		parts["database"] = "does not answer"
	}
	if temporalclient.Healthy(ctx, h.temporal) != nil {
		parts["temporal"] = "does not answer"
	}
	if !h.polling.Load() {
		parts["polling"] = "no task queue is polled: starting or stopping"
	}
	return parts
}

// answer is 200 when every part is ok, else 503.
func answer(w http.ResponseWriter, parts map[string]string) {
	status := http.StatusOK
	for _, part := range parts {
		if part != "ok" {
			status = http.StatusServiceUnavailable
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(parts)
}
