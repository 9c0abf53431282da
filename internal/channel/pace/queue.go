package pace

import (
	"sync"
	"time"

	"omniflow/internal/omniflow"
)

// queue is the slots that this process holds of one limiter.
type queue struct {
	turn   chan struct{} // held by who takes; the others wait in line
	window window

	mu     sync.Mutex
	leases []lease
	rate   float64   // per second, as last heard
	askAt  time.Time // not before, after a refused lease
}

// lease is a run of slots: the next one is due at next, then every interval.
type lease struct {
	next     time.Time
	interval time.Duration
	left     int
	taken    int // since its beginning; so many may be given back
}

func (l lease) end() time.Time { return l.next.Add(time.Duration(l.left) * l.interval) }

// wants says whether it is time to ask for a lease, and for how many slots.
func (q *queue) wants(now time.Time) (int, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dropLate(now)
	if now.Before(q.askAt) {
		return 0, false
	}
	if n := len(q.leases); n > 0 && q.leases[n-1].end().Sub(now) > ahead {
		return 0, false
	}
	return max(1, int(q.rate*leaseWorth.Seconds())), true
}

// add takes in a lease that was asked for at one time and heard of at another.
// Its slots count from when it was heard of, so that none is early; when the
// answer took long, those that would reach into the next lease are lost.
func (q *queue) add(asked, now time.Time, l omniflow.Lease) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.rate = l.Rate
	q.window.set(l.Limit)
	if l.Slots == 0 {
		q.askAt = now.Add(min(max(l.Delay-leaseWorth, time.Millisecond), time.Second))
		return
	}
	q.askAt = time.Time{}
	late := max(0, now.Sub(asked)-tolerance/2)
	left := l.Slots - int(late/max(l.Interval, 1))
	if left > 0 {
		q.leases = append(q.leases, lease{next: now.Add(l.Delay), interval: l.Interval, left: left})
	}
}

// take gives the slots due at now, or how long to wait for some.
func (q *queue) take(now time.Time, most int) (int, time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dropLate(now)
	if len(q.leases) == 0 {
		return 0, max(q.askAt.Sub(now), time.Millisecond)
	}
	l := &q.leases[0]
	group := min(most, l.left, max(1, int(groupWorth/max(l.interval, 1))))
	last := l.next.Add(time.Duration(group-1) * l.interval)
	if wait := last.Sub(now); wait > 0 {
		return 0, wait
	}
	l.next = l.next.Add(time.Duration(group) * l.interval)
	l.left -= group
	l.taken += group
	return group, 0
}

// dropLate forgets slots whose time has passed, and leases that are used up.
func (q *queue) dropLate(now time.Time) {
	oldest := now.Add(-tolerance)
	for len(q.leases) > 0 {
		l := &q.leases[0]
		if late := oldest.Sub(l.next); late > 0 && l.left > 0 {
			interval := max(l.interval, 1)
			n := min(l.left, int((late+interval-1)/interval))
			l.next, l.left, l.taken = l.next.Add(time.Duration(n)*l.interval), l.left-n, 0
		}
		if l.left > 0 {
			return
		}
		q.leases = q.leases[1:]
	}
}
