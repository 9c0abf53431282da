// Peers does the same sends as a broadcast with other tools, for `make bench`:
//
//	peers -kind river -dsn postgres://… -whatsapp http://…/whatsapp -n 20000
//
// The kinds are river, asynq, temporal-activity and temporal-child. It enqueues
// n jobs unless -enqueue=false, prints "enqueued", then works until it is told
// to stop by SIGTERM. It counts nothing: the receiving end does.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// settings are the flags.
type settings struct {
	kind, dsn, redis, temporal, namespace, whatsapp string
	n                                               int
	enqueue                                         bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	var s settings
	flag.StringVar(&s.kind, "kind", "", "river, asynq, temporal-activity or temporal-child")
	flag.StringVar(&s.dsn, "dsn", "", "PostgreSQL, for river")
	flag.StringVar(&s.redis, "redis", "", "host:port, for asynq")
	flag.StringVar(&s.temporal, "temporal", "", "host:port, for temporal-*")
	flag.StringVar(&s.namespace, "namespace", "default", "of Temporal")
	flag.StringVar(&s.whatsapp, "whatsapp", "", "base URL of the sends")
	flag.IntVar(&s.n, "n", 20000, "recipients")
	flag.BoolVar(&s.enqueue, "enqueue", true, "enqueue before working")
	flag.Parse()
	send := newSend(s.whatsapp)
	switch s.kind {
	case "river":
		return riverRun(ctx, s, send)
	case "asynq":
		return asynqRun(ctx, s, send)
	case "temporal-activity", "temporal-child":
		return temporalRun(ctx, s, send)
	}
	return fmt.Errorf("there is no kind %q", s.kind)
}
