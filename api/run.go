package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"omniflow/internal/channel"
	"omniflow/internal/channel/facebook"
	"omniflow/internal/channel/instagram"
	"omniflow/internal/channel/line"
	"omniflow/internal/channel/whatsapp"
	"omniflow/internal/config"
	"omniflow/internal/media"
	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
	"omniflow/internal/temporalclient"
)

// stopBudget is how long requests under way may take once the program is told
// to stop.
const stopBudget = 9 * time.Second

// drainPause is how long requests are still taken while /readyz says no, so
// that a load balancer can turn away.
const drainPause = 500 * time.Millisecond

// run wires the program, serves until ctx ends, and stops in order.
func run(ctx context.Context, getenv func(string) string) error {
	cfg, err := config.LoadAPI(getenv)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	store, err := postgres.Open(ctx, cfg.DatabaseURL, cfg.DatabaseConns)
	if err != nil {
		return err
	}
	defer store.Close()
	temporal, err := temporalclient.Dial(temporalclient.Input{Options: cfg.Temporal, Keys: cfg.Keys, Logger: log, Registry: registry})
	if err != nil {
		return err
	}
	defer temporal.Close()

	var files *media.Store
	if cfg.BlobURL != "" {
		if files, err = media.OpenStore(ctx, cfg.BlobURL); err != nil {
			return err
		}
		defer func() { _ = files.Close() }()
	}
	s := newService(serviceInput{
		files: files, links: media.NewLinks(cfg.PublicURL, cfg.Keys),
		store: store, engine: newEngine(cfg, temporal), keys: cfg.Keys, tokens: cfg.Tokens,
		webhooks: webhooks(), log: log, registry: registry, codecOrigins: cfg.CodecOrigins, codecOpen: cfg.CodecOpen,
	})
	return serve(ctx, cfg, s, registry, log)
}

// newEngine is Temporal as the API uses it.
func newEngine(cfg config.API, c client.Client) temporalclient.Engine {
	return temporalclient.Engine{Client: c, Signals: temporalclient.Signaler{Client: c, Namespace: cfg.Temporal.Namespace,
		Converter: temporalclient.Converter(cfg.Keys)}}
}

// webhooks are the readers of each channel's webhooks. They send nothing, so
// they have no address and no connections.
func webhooks() map[omniflow.Channel]channel.Webhooks {
	none := channel.NewHTTPClient(channel.HTTPOptions{})
	return map[omniflow.Channel]channel.Webhooks{
		omniflow.LINE:      line.New("", none),
		omniflow.WhatsApp:  whatsapp.New("", none),
		omniflow.Facebook:  facebook.New("", none),
		omniflow.Instagram: instagram.New("", none),
	}
}

// serve listens on the API's and the metrics' address until ctx ends. Then
// /readyz says so, streams end, and what is under way may finish.
func serve(ctx context.Context, cfg config.API, s *service, registry *prometheus.Registry, log *slog.Logger) error {
	servers := map[string]*http.Server{cfg.Listen: newServer(s.handler(), log)}
	if cfg.MetricsListen != "" {
		mux := http.NewServeMux()
		mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry}))
		servers[cfg.MetricsListen] = newServer(mux, log)
	}
	group, ctx := errgroup.WithContext(ctx)
	for address, server := range servers {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return fmt.Errorf("listen on %s (OMNIFLOW_LISTEN and OMNIFLOW_METRICS_LISTEN choose another address): %w", address, err)
		}
		log.Info("listening", "address", listener.Addr().String())
		group.Go(func() error {
			if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serve %s: %w", address, err)
			}
			return nil
		})
		group.Go(func() error {
			<-ctx.Done()
			s.drain()
			<-time.After(drainPause)
			stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopBudget)
			defer cancel()
			if err := server.Shutdown(stopping); err != nil {
				return errors.Join(fmt.Errorf("stop %s: %w", address, err), server.Close())
			}
			return nil
		})
	}
	return group.Wait()
}

// newServer bounds what a slow client can hold; a handler that streams or
// takes a long body sets its own deadlines.
func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}
