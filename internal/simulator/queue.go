package simulator

import (
	"container/heap"
	"sync"
	"time"
)

const (
	senders    = 8                // POSTs of one account at a time
	maxPending = 2_000_000        // events of one account; more are dropped
	giveUp     = time.Hour        // after the first attempt
	maxBackoff = 30 * time.Second // between attempts
)

// event is one status, echo, receipt or message, as JSON of its provider.
type event struct {
	inbound bool   // WhatsApp: a message and not a status
	body    []byte // the element of statuses, messages, messaging or events
	contact []byte // WhatsApp: the element of contacts that goes with it
	field   string // WhatsApp: of a group event, whose body is an element of groups
	beside  []byte // WhatsApp: initiated_by, where it stands beside groups
}

// parcel is an event that waits, or a POST that failed and waits.
type parcel struct {
	due   time.Time
	event event
	alone bool  // not to be gathered with others
	post  *post // set for one that is encoded already
	done  chan struct{}
}

// WebhookCounts are in events, but for Posts and Retried.
type WebhookCounts struct {
	Sent       int `json:"sent"`       // answered with 200
	Pending    int `json:"pending"`    // waiting or on their way
	Dropped    int `json:"dropped"`    // by Drop, or given up
	Duplicates int `json:"duplicates"` // queued a second time by Duplicate
	Posts      int `json:"posts"`      // answered with 200
	Retried    int `json:"retried"`    // POSTs sent again
}

// queue holds the webhooks of one account until they are due, and sends them.
type queue struct {
	server *Server
	slots  chan struct{}
	wake   chan struct{}

	mu      sync.Mutex
	to      Account
	cfg     Webhooks
	waiting parcels
	counts  WebhookCounts
}

func newQueue(s *Server) *queue {
	q := &queue{server: s, slots: make(chan struct{}, senders), wake: make(chan struct{}, 1)}
	s.wg.Add(1)
	go q.run()
	return q
}

// aim sets where the webhooks go and how they are signed.
func (q *queue) aim(a Account) {
	q.mu.Lock()
	q.to = a
	q.mu.Unlock()
}

func (q *queue) tune(h Webhooks) {
	q.mu.Lock()
	q.cfg = h
	q.mu.Unlock()
	q.nudge()
}

func (q *queue) nudge() {
	select {
	case q.wake <- struct{}{}:
	default: // it is awake already
	}
}

// add queues an event, to be sent with others of about the same time.
func (q *queue) add(e event, after time.Duration, repeated bool) {
	q.mu.Lock()
	due := time.Now().Add(after)
	if step := time.Duration(q.cfg.BatchMS) * time.Millisecond; step > 0 {
		due = due.Truncate(step).Add(step)
	}
	if repeated {
		q.counts.Duplicates++
	}
	first := q.push(&parcel{due: due, event: e}, 1)
	q.mu.Unlock()
	if first {
		q.nudge()
	}
}

// now queues an event to be sent at once and alone; the channel is closed
// after its first attempt.
func (q *queue) now(e event) <-chan struct{} {
	done := make(chan struct{})
	q.mu.Lock()
	q.push(&parcel{due: time.Now(), event: e, alone: true, done: done}, 1)
	q.mu.Unlock()
	q.nudge()
	return done
}

// push runs under q.mu and says whether the parcel is now the first.
func (q *queue) push(p *parcel, events int) bool {
	if q.counts.Pending+events > maxPending {
		q.counts.Dropped += events
		return false
	}
	q.counts.Pending += events
	heap.Push(&q.waiting, p)
	return q.waiting[0] == p
}

func (q *queue) drop() {
	q.mu.Lock()
	q.counts.Dropped++
	q.mu.Unlock()
}

func (q *queue) figures() WebhookCounts {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.counts
}

// resetFigures starts the counts anew; what waits is still pending.
func (q *queue) resetFigures() {
	q.mu.Lock()
	q.counts = WebhookCounts{Pending: q.counts.Pending}
	q.mu.Unlock()
}

// run hands what is due to a few senders in parallel, until the server closes.
func (q *queue) run() {
	defer q.server.wg.Done()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		p, wait := q.take(time.Now())
		if p != nil {
			select {
			case q.slots <- struct{}{}:
			case <-q.server.ctx.Done():
				return
			}
			q.server.wg.Add(1)
			go q.deliver(p)
			continue
		}
		timer.Reset(wait)
		select {
		case <-q.wake:
		case <-timer.C:
		case <-q.server.ctx.Done():
			return
		}
	}
}

// take returns the next POST that is due, or how long to wait for one.
func (q *queue) take(now time.Time) (*post, time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.cfg.Disabled || len(q.waiting) == 0 {
		return nil, time.Hour
	}
	if wait := q.waiting[0].due.Sub(now); wait > 0 {
		return nil, wait
	}
	first := heap.Pop(&q.waiting).(*parcel)
	if first.post != nil {
		return first.post, 0
	}
	batch := []event{first.event}
	for !first.alone && len(batch) < q.cfg.BatchMax && len(q.waiting) > 0 {
		next := q.waiting[0]
		if next.due.After(now) || next.alone || next.post != nil {
			break
		}
		batch = append(batch, heap.Pop(&q.waiting).(*parcel).event)
	}
	return &post{events: len(batch), batch: batch, since: now, done: first.done}, 0
}

// parcels is a heap by due time.
type parcels []*parcel

func (h parcels) Len() int           { return len(h) }
func (h parcels) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h parcels) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *parcels) Push(x any) { *h = append(*h, x.(*parcel)) }

// Pop implements heap.Interface.
func (h *parcels) Pop() any {
	last := len(*h) - 1
	p := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return p
}
