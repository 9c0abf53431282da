package simulator

import "time"

// slidingWindow counts the requests of one endpoint over any second. It keeps
// two rings of arrival times, both in nanoseconds: those admitted, which
// decide about the next one, and all of them, which is the audit.
type slidingWindow struct {
	limit    int // admitted requests any second may hold; 0 is no limit
	admitted ring
	arrived  ring

	peak      int           // most arrivals in any sliding second
	exceeded  int           // arrivals refused for the limit
	perSecond map[int64]int // arrivals by Unix second
}

func newSlidingWindow(limit int) *slidingWindow {
	return &slidingWindow{limit: limit, perSecond: map[int64]int{}}
}

func (w *slidingWindow) resize(limit int) { w.limit = limit }

// arrive notes a request and says whether the limit lets it in: not when the
// second up to now holds limit admitted ones already.
func (w *slidingWindow) arrive(now time.Time) bool {
	t := now.UnixNano()
	w.arrived.expire(t - int64(time.Second))
	w.arrived.push(t)
	w.peak = max(w.peak, w.arrived.n)
	w.perSecond[now.Unix()]++
	if w.limit == 0 {
		return true
	}
	w.admitted.expire(t - int64(time.Second))
	if w.admitted.n >= w.limit {
		w.exceeded++
		return false
	}
	w.admitted.push(t)
	return true
}

// occupy uses up a place without being a request: an inbound message.
func (w *slidingWindow) occupy(now time.Time) {
	w.admitted.expire(now.Add(-time.Second).UnixNano())
	w.admitted.push(now.UnixNano())
}

// reset forgets the audit and keeps what decides about the next request.
func (w *slidingWindow) reset() {
	w.peak, w.exceeded, w.perSecond = 0, 0, map[int64]int{}
	w.arrived = ring{}
}

// ring is a queue of times that grows as needed.
type ring struct {
	buf     []int64
	head, n int
}

func (r *ring) push(t int64) {
	if r.n == len(r.buf) {
		grown := make([]int64, max(16, 2*r.n))
		for i := range r.n {
			grown[i] = r.buf[(r.head+i)%len(r.buf)]
		}
		r.buf, r.head = grown, 0
	}
	r.buf[(r.head+r.n)%len(r.buf)] = t
	r.n++
}

// expire drops the times at or before limit.
func (r *ring) expire(limit int64) {
	for r.n > 0 && r.buf[r.head] <= limit {
		r.head = (r.head + 1) % len(r.buf)
		r.n--
	}
}

// The pair limit of WhatsApp, strict reading: after n messages inside 6 s
// nothing is taken until n times 6 s from the first of them; 45 at most.
const (
	pairInterval = 6 * time.Second
	pairBurst    = 45
)

// pairWindow is the pair limit of one user; its zero value is unused.
type pairWindow struct {
	start time.Time
	n     int
}

// take says whether one more message may go to the user now, and counts it.
func (p *pairWindow) take(now time.Time) bool {
	since := now.Sub(p.start)
	switch {
	case p.n == 0 || since >= time.Duration(p.n)*pairInterval:
		p.start, p.n = now, 1
		return true
	case since < pairInterval && p.n < pairBurst:
		p.n++
		return true
	}
	return false
}
