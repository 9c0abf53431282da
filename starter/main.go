// Starter is omniflow from a shell: it makes teams, accounts and tokens,
// imports customers, and starts, watches and steers broadcasts. It talks to the
// API alone; only migrate opens the database.
//
// Environment: OMNIFLOW_API_URL (default http://127.0.0.1:8080) and
// OMNIFLOW_TOKEN; OMNIFLOW_TEAM for the commands that take --team; DATABASE_URL
// for migrate; OMNIFLOW_JWT_KEYS for token platform.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], surroundings{
		getenv: os.Getenv, in: os.Stdin, out: os.Stdout, err: os.Stderr,
	})
	stop()
	os.Exit(code)
}
