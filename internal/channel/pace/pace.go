// Package pace hands out the send slots of channel accounts inside one
// process. The slots come from a limiter that all processes share, in leases
// worth about 200 ms, and each slot has its time: one that was not used within
// its tolerance is lost, never saved up, so that a pause is not followed by a
// burst.
package pace

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
)

const (
	leaseWorth = 200 * time.Millisecond // one lease
	ahead      = 100 * time.Millisecond // a lease is renewed when less than this is left
	groupWorth = 25 * time.Millisecond  // slots handed out together
	tolerance  = 40 * time.Millisecond  // a slot older than this is lost
)

// Leaser is the shared limiter.
type Leaser interface {
	// Lease takes up to n slots of an account's limiter; with none, Delay tells
	// when to ask again.
	Lease(ctx context.Context, accountID uuid.UUID, name omniflow.LimiterName, n int) (omniflow.Lease, error)
}

// Pacer hands out slots. It is safe for concurrent use; those who wait for
// the same limiter are served one after the other.
type Pacer struct {
	leaser Leaser
	mu     sync.Mutex
	queues map[key]*queue
}

type key struct {
	account uuid.UUID
	limiter omniflow.LimiterName
}

// New makes a Pacer over l.
func New(l Leaser) *Pacer { return &Pacer{leaser: l, queues: map[key]*queue{}} }

// Take waits until a slot of the limiter is due and returns how many are the
// caller's, 1 to most: at a low rate one at a time, at a high one about 25 ms'
// worth together. Errors: the leaser's, or ctx's.
func (p *Pacer) Take(ctx context.Context, account uuid.UUID, name omniflow.LimiterName, most int) (int, error) {
	q := p.queue(key{account, name})
	select {
	case q.turn <- struct{}{}:
		defer func() { <-q.turn }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	for {
		if err := p.renew(ctx, key{account, name}, q); err != nil {
			return 0, err
		}
		n, wait := q.take(time.Now(), most)
		if n > 0 {
			return n, nil
		}
		if err := sleep(ctx, wait); err != nil {
			return 0, err
		}
	}
}

// Return gives back slots that were taken and not used. They are usable for
// as long as their time lasts, and lost when their lease is used up: within
// the next one they would fall into the time of another process.
func (p *Pacer) Return(account uuid.UUID, name omniflow.LimiterName, n int) {
	q := p.queue(key{account, name})
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.leases) == 0 {
		return
	}
	first := &q.leases[0]
	if n = min(n, first.taken); n > 0 {
		first.next = first.next.Add(-time.Duration(n) * first.interval)
		first.left, first.taken = first.left+n, first.taken-n
	}
}

// Slow drops the slots leased so far: the provider has just refused a call
// for its rate, and the shared limiter has been told.
func (p *Pacer) Slow(account uuid.UUID, name omniflow.LimiterName) {
	q := p.queue(key{account, name})
	q.mu.Lock()
	defer q.mu.Unlock()
	q.leases = nil
}

func (p *Pacer) queue(k key) *queue {
	p.mu.Lock()
	defer p.mu.Unlock()
	q, ok := p.queues[k]
	if !ok {
		q = &queue{turn: make(chan struct{}, 1)}
		p.queues[k] = q
	}
	return q
}

// renew asks for another lease when the present ones are nearly over. A
// refused lease is an error of no one: the queue waits and asks again.
func (p *Pacer) renew(ctx context.Context, k key, q *queue) error {
	n, ask := q.wants(time.Now())
	if !ask {
		return nil
	}
	asked := time.Now()
	lease, err := p.leaser.Lease(ctx, k.account, k.limiter, n)
	if err != nil {
		return err
	}
	q.add(asked, time.Now(), lease)
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
