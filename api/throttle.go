package main

import (
	"sync"
	"time"
)

// throttle bounds how often something may be done under a name: burst at once,
// and then so many a second. It is this process's own.
type throttle struct {
	mu   sync.Mutex
	kept map[string]bucket
}

type bucket struct {
	left float64
	at   time.Time
}

// maxBuckets bounds the names that are remembered; those with nothing to
// remember go first.
const maxBuckets = 50_000

func newThrottle() *throttle { return &throttle{kept: map[string]bucket{}} }

// allow says whether name may do it once more now.
func (t *throttle) allow(name string, perSecond, burst float64, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	b, known := t.kept[name]
	if !known {
		if len(t.kept) >= maxBuckets {
			t.forget(now)
		}
		b = bucket{left: burst, at: now}
	}
	b.left = min(burst, b.left+now.Sub(b.at).Seconds()*perSecond)
	b.at = now
	ok := b.left >= 1
	if ok {
		b.left--
	}
	t.kept[name] = b
	return ok
}

// forget drops who was not seen for a minute, or everybody if all were.
func (t *throttle) forget(now time.Time) {
	for name, b := range t.kept {
		if now.Sub(b.at) > time.Minute {
			delete(t.kept, name)
		}
	}
	if len(t.kept) >= maxBuckets {
		clear(t.kept)
	}
}
