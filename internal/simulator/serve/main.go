// Command serve runs the provider simulator. SIM_LISTEN is its address,
// 127.0.0.1:9090 if not set.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"omniflow/internal/simulator"
)

// stopBudget is how long requests under way may take when the program stops.
const stopBudget = 5 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, "simulator:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, getenv func(string) string) error {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	address := getenv("SIM_LISTEN")
	if address == "" {
		address = "127.0.0.1:9090"
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	sim := simulator.New(simulator.Options{Logger: log})
	server := &http.Server{Handler: sim, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	log.Info("simulator listens", "address", listener.Addr().String())
	select {
	case err := <-served:
		sim.Close()
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	sim.Close() // first, so that answers held back do not use up the budget
	limit, cancel := context.WithTimeout(context.Background(), stopBudget)
	defer cancel()
	if err := server.Shutdown(limit); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	log.Info("simulator stopped")
	return nil
}
