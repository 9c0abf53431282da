package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"omniflow/internal/postgres"
)

const (
	// inboxBatch is how many webhooks one statement stores at most.
	inboxBatch = 128
	// inboxWriters is how many statements run at a time.
	inboxWriters = 4
	// inboxBudget bounds one statement.
	inboxBudget = 5 * time.Second
)

// inbox stores webhooks. Those that come while the writers are busy go
// together in one statement: under load a statement and a commit serve many
// requests, and an idle system stores each at once. A request is answered when
// its webhook is committed.
type inbox struct {
	store func(context.Context, []postgres.Webhook) ([]bool, error)

	mu      sync.Mutex
	waiting []*receipt
	writers int // running
}

// receipt is what one request waits for.
type receipt struct {
	webhook postgres.Webhook
	fresh   bool
	err     error
	done    chan struct{}
}

func newInbox(store func(context.Context, []postgres.Webhook) ([]bool, error)) *inbox {
	return &inbox{store: store}
}

// receive stores w and says whether it was new. When ctx ends first, w may be
// stored all the same, and the provider's repeat is one that was seen.
func (b *inbox) receive(ctx context.Context, w postgres.Webhook) (bool, error) {
	r := &receipt{webhook: w, done: make(chan struct{})}
	b.mu.Lock()
	b.waiting = append(b.waiting, r)
	if b.writers < inboxWriters {
		b.writers++
		go b.write()
	}
	b.mu.Unlock()
	select {
	case <-r.done:
		return r.fresh, r.err
	case <-ctx.Done():
		return false, fmt.Errorf("wait for the inbox: %w", ctx.Err())
	}
}

// write stores what waits, batch by batch, until nothing does.
func (b *inbox) write() {
	for {
		batch := b.take()
		if len(batch) == 0 {
			return
		}
		webhooks := make([]postgres.Webhook, len(batch))
		for i, r := range batch {
			webhooks[i] = r.webhook
		}
		ctx, cancel := context.WithTimeout(context.Background(), inboxBudget)
		fresh, err := b.store(ctx, webhooks)
		cancel()
		for i, r := range batch {
			if r.err = err; err == nil {
				r.fresh = fresh[i]
			}
			close(r.done)
		}
	}
}

// take takes the next batch; a writer that gets none has ended.
func (b *inbox) take() []*receipt {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(len(b.waiting), inboxBatch)
	if n == 0 {
		b.writers--
		return nil
	}
	batch := b.waiting[:n:n]
	b.waiting = b.waiting[n:]
	return batch
}
