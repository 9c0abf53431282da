package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/temporal"
)

// parentPoll is how often a server started with --parent-pid looks for it.
const parentPoll = time.Second

// server is a running Temporal server and its UI.
type server struct {
	options  options
	temporal temporal.Server
	ui       *uiserver.Server // nil when headless
	hush     func()           // ends the log
	release  func()           // gives up the database
}

// start brings up database, namespaces, server and UI, in this order.
func start(ctx context.Context, o options, errOut io.Writer) (*server, error) {
	values := defaultDynamicConfig(o.postgres == "")
	if err := addDynamicConfig(values, o.dynamicConfig, errOut); err != nil {
		return nil, err
	}
	if err := o.resolvePorts(); err != nil {
		return nil, err
	}
	logger, hush := newLogger(o)
	db, err := openStores(ctx, o, logger)
	if err != nil {
		return nil, err
	}
	engine, err := startEngine(ctx, o, db, values, logger)
	if err != nil {
		db.release()
		return nil, err
	}
	s := &server{options: o, temporal: engine, hush: hush, release: db.release}
	if !o.headless {
		s.ui = newUI(o)
		go func() { _ = s.ui.Start() }() // it ends the process itself when it cannot listen
	}
	return s, nil
}

// startEngine starts the Temporal server on db.
func startEngine(ctx context.Context, o options, db stores, values dynamicconfig.Client, logger log.Logger) (temporal.Server, error) {
	c := serverConfig(o, db)
	if err := ensureNamespaces(ctx, o, c, logger); err != nil {
		return nil, err
	}
	engine, err := temporal.NewServer(
		temporal.WithConfig(c),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(staticHosts(c)),
		temporal.WithLogger(logger),
		temporal.WithDynamicConfigClient(values),
	)
	if err != nil {
		return nil, fmt.Errorf("configure the server: %w", err)
	}
	if err := engine.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	return engine, nil
}

func openStores(ctx context.Context, o options, logger log.Logger) (stores, error) {
	if o.postgres != "" {
		return postgresStores(ctx, o, logger)
	}
	return sqliteStores(o)
}

// announce tells where everything is.
func (s *server) announce(out io.Writer) {
	o := s.options
	fmt.Fprintf(out, "Temporal server:  %s (namespaces: %v)\n", reachable(o.ip, o.port), o.namespaces)
	if s.ui != nil {
		fmt.Fprintf(out, "Temporal UI:      http://%s%s\n", reachable(o.uiIP, o.uiPort), o.uiPublicPath)
	}
	if o.httpPort != 0 {
		fmt.Fprintf(out, "Temporal HTTP:    http://%s/api/v1\n", reachable(o.ip, o.httpPort))
	}
	if o.metricsPort != 0 {
		fmt.Fprintf(out, "Temporal metrics: http://%s/metrics\n", reachable(o.ip, o.metricsPort))
	}
}

// wait returns when ctx ends or, where parentPID is set, when that process is
// no longer the parent: a server started by a test must not outlive it.
func (s *server) wait(ctx context.Context, parentPID int) {
	ticker := time.NewTicker(parentPoll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if parentPID != 0 && os.Getppid() != parentPID {
				return
			}
		}
	}
}

// stop ends UI and server; what was acknowledged is in the database by then.
// Logging ends first: each of the server's own pollers would report its end as
// an error.
func (s *server) stop() error {
	s.hush()
	if s.ui != nil {
		s.ui.Stop()
	}
	defer s.release()
	if err := s.temporal.Stop(); err != nil {
		return fmt.Errorf("stop the server: %w", err)
	}
	return nil
}
