// Command temporal-server runs the Temporal server and its web UI in one
// process, with SQLite (in memory or in a file) or PostgreSQL underneath.
//
// It accepts the flags of `temporal server start-dev`, so whatever executes
// that command, the SDK's testsuite.StartDevServer among them, can execute this
// program instead.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, stop, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "temporal-server:", strings.Join(strings.Fields(err.Error()), " ")) // one line
		os.Exit(1)
	}
}

// run serves until ctx ends. It calls stop then, so that a second signal ends
// the process at once.
func run(ctx context.Context, stop func(), args []string, out, errOut io.Writer) error {
	o, err := parseFlags(args, errOut)
	if err != nil {
		return err
	}
	s, err := start(ctx, o, errOut)
	if err != nil {
		return err
	}
	s.announce(out)
	s.wait(ctx, o.parentPID)
	stop()
	return s.stop()
}
