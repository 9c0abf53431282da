package pace

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
)

// window lets at most limit sends begin in any second: the last check before
// the wire. Slots are spaced evenly when they are handed out, but a process
// that stalls between slot and send would bunch them.
type window struct {
	mu    sync.Mutex
	limit float64
	began []time.Time // of the last sends, a ring of as many as fit in span
	next  int
	span  time.Duration
}

// Pass waits until one more send of the account may begin without more than
// its limit of them in any second. Error: ctx's.
func (p *Pacer) Pass(ctx context.Context, account uuid.UUID, name omniflow.LimiterName) error {
	wait := p.queue(key{account, name}).window.reserve(time.Now())
	if wait <= 0 {
		return ctx.Err()
	}
	return sleep(ctx, wait)
}

// set tells the window the limit. A change begins a new window.
func (w *window) set(limit float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if limit == w.limit || limit <= 0 {
		return
	}
	n := math.Ceil(limit)
	w.limit, w.next = limit, 0
	w.began = make([]time.Time, min(int(n), maxWindow))
	w.span = time.Duration(float64(len(w.began)) / limit * float64(time.Second))
}

// maxWindow bounds the memory of a window: above this rate it looks at less
// than a second.
const maxWindow = 4096

// reserve books the next send and tells how long it must wait.
func (w *window) reserve(now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.began) == 0 {
		return 0
	}
	at := now
	if earliest := w.began[w.next].Add(w.span); earliest.After(now) {
		at = earliest
	}
	w.began[w.next] = at
	w.next = (w.next + 1) % len(w.began)
	return at.Sub(now)
}
