package main

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"omniflow/internal/postgres"
	"omniflow/internal/temporalclient"
)

const (
	inboxRelays = 2  // inbox batches at once in this process
	inboxBatch  = 50 // webhook requests of one batch, up to 1,000 events each
	outboxBatch = 50
	lookEach    = 100 * time.Millisecond // an empty inbox or outbox is looked at again after this
	foldEach    = time.Second
	quotaEach   = time.Minute
	purgeEach   = time.Hour
	filesEach   = time.Second
	filesWithin = 5 * time.Minute // a customer's file may have 100 MB
	sweepEach   = 5 * time.Second
	sweepBatch  = 500
	recountEach = time.Second // a step of recountStep: 10,000 conversations hear of a new rule within 20 s
	recountStep = 500
	stepWithin  = 30 * time.Second // a step that takes longer is broken off and tried again
)

// relay moves what a committed transaction promised: webhooks from the inbox
// into the ledger, starts from the outbox into the engine. Every step is
// idempotent, and several relays share the work.
type relay struct {
	store    *postgres.Store
	engine   temporalclient.Starter
	signals  temporalclient.Signaler
	hash     func(string) string // keyed: stands for a number in ids
	channels channelSet
	meter    *meter
	log      *slog.Logger
	index    atomic.Pointer[accountIndex]       // of every account, by channel and provider's id
	quotas   func(context.Context) (int, error) // reads the quotas that are due
	files    func(context.Context) (int, error) // fetches the files of customers that are due; nil: no relay of this kind
}

// run relays until ctx ends.
func (r *relay) run(ctx context.Context) error {
	if _, err := r.readAccounts(ctx); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for range inboxRelays {
		group.Go(func() error { return r.each(ctx, "drain inbox", lookEach, r.drainInbox) })
	}
	group.Go(func() error { return r.each(ctx, "drain outbox", lookEach, r.drainOutbox) })
	group.Go(func() error { return r.each(ctx, "fold counts", foldEach, r.fold) })
	group.Go(func() error { return r.each(ctx, "read accounts", accountLife, r.readAccounts) })
	group.Go(func() error { return r.each(ctx, "read quotas", quotaEach, r.quotas) })
	group.Go(func() error { return r.each(ctx, "drain signals", lookEach, r.drainSignals) })
	group.Go(func() error { return r.each(ctx, "purge", purgeEach, r.purge) })
	if r.files != nil {
		group.Go(func() error { return r.eachWithin(ctx, "fetch files", filesEach, filesWithin, r.files) })
	}
	group.Go(func() error { return r.each(ctx, "sweep conversations", sweepEach, r.sweep) })
	group.Go(func() error { return r.each(ctx, "recount automatic endings", recountEach, r.recount) })
	return group.Wait()
}

// each repeats step at once while it finds work, else after pause. A fault is
// logged and tried again after a second at least.
func (r *relay) each(ctx context.Context, name string, pause time.Duration, step func(context.Context) (int, error)) error {
	return r.eachWithin(ctx, name, pause, max(stepWithin, pause), step)
}

// eachWithin is each for a step that may take longer than others.
func (r *relay) eachWithin(ctx context.Context, name string, pause, limit time.Duration, step func(context.Context) (int, error)) error {
	for ctx.Err() == nil {
		n, err := within(ctx, limit, step)
		rest := pause
		if err != nil {
			r.log.Warn("relay: "+name+" will be tried again", "error", err)
			rest = max(pause, time.Second)
		} else if n > 0 {
			continue
		}
		select {
		case <-time.After(rest):
		case <-ctx.Done():
		}
	}
	return nil
}

// within bounds one step: a host that has vanished must not hold it for ever.
func within(ctx context.Context, d time.Duration, step func(context.Context) (int, error)) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return step(ctx)
}

func (r *relay) drainInbox(ctx context.Context) (int, error) {
	result, err := r.store.DrainInbox(ctx, inboxBatch, r.read)
	if err == nil {
		r.meter.relayed(result)
	}
	return result.Items, err
}

func (r *relay) drainOutbox(ctx context.Context) (int, error) {
	return r.store.DrainOutbox(ctx, outboxBatch, func(ctx context.Context, s postgres.Start) error {
		return r.engine.Start(ctx, temporalclient.OutboxStart(s))
	})
}

// fold keeps the counts of lanes short to read; what is left waits a second.
func (r *relay) fold(ctx context.Context) (int, error) {
	_, err := r.store.FoldCounts(ctx)
	return 0, err
}

// drainSignals tells runs what a committed transaction has changed for them.
func (r *relay) drainSignals(ctx context.Context) (int, error) {
	return r.store.DrainSignals(ctx, outboxBatch, func(ctx context.Context, s postgres.Signal) error {
		return r.signals.Signal(ctx, temporalclient.OutboxSignal(s))
	})
}

// purge drops what has served its time; it never finds work left over.
func (r *relay) purge(ctx context.Context) (int, error) {
	return 0, r.store.Purge(ctx)
}

// sweep finds the conversations whose run is lost, a step at a time: nobody is
// forgotten, and no herd is made.
func (r *relay) sweep(ctx context.Context) (int, error) {
	n, err := r.store.SweepConversations(ctx, sweepBatch)
	r.meter.swept.Add(float64(n))
	if n > 0 {
		r.log.Warn("runs of conversations were not there when they should have looked", "count", n)
	}
	return 0, err
}

// recount lets open conversations hear of new rules of automatic ending, a step
// at a time.
func (r *relay) recount(ctx context.Context) (int, error) {
	_, err := r.store.RecountAutoClose(ctx, recountStep)
	return 0, err
}
