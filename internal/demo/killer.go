package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"omniflow/internal/apiclient"
)

// killer ends the worker with SIGKILL once half of a broadcast has been sent,
// and starts it again.
type killer struct {
	kill, start func(context.Context) error
	note        func(format string, args ...any)

	once sync.Once
	done chan struct{} // closed when the worker runs again, or cannot
	hit  bool          // the worker was killed
	err  error         // read after done
}

func newKiller(kill, start func(context.Context) error, note func(string, ...any)) *killer {
	return &killer{kill: kill, start: start, note: note, done: make(chan struct{})}
}

// look is called with every state of the broadcast.
func (k *killer) look(ctx context.Context, b apiclient.Broadcast) {
	if sentShare(b.Counts) >= 0.5 && !b.Finished() {
		k.once.Do(func() {
			k.hit = true
			go k.strike(ctx)
		})
	}
}

func (k *killer) strike(ctx context.Context) {
	defer close(k.done)
	if k.err = k.kill(ctx); k.err != nil {
		return
	}
	killed := time.Now()
	k.note("  ** worker killed with SIGKILL in mid-broadcast; starting it again")
	if k.err = k.start(ctx); k.err == nil {
		k.note("  ** worker runs again after %.1f s; nobody may be messaged twice, nobody forgotten", time.Since(killed).Seconds())
	}
}

// wait gives the error of the kill and the restart, when both are over.
func (k *killer) wait(ctx context.Context) error {
	k.once.Do(func() { close(k.done) }) // it was over before half-time was seen
	select {
	case <-k.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if k.err != nil {
		return fmt.Errorf("kill and restart the worker: %w", k.err)
	}
	if !k.hit {
		k.note("  (the broadcast was over before the worker could be killed; more DEMO_RECIPIENTS give time for it)")
	}
	return nil
}
