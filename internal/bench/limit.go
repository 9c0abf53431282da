package main

import (
	"context"
	"time"

	"omniflow/internal/bench/sink"
)

const (
	limitRate  = 80.0 // messages per second: a WhatsApp number's default
	limitBurst = limitRate / 10
	limitFor   = 30 * time.Second
)

// limit sends at 80 a second through three worker processes, and looks at every
// second of 30 as the receiver saw them. The reserve for people's own messages,
// 1 % of the rate, is part of what is allowed.
func limit(ctx context.Context, r *rig) error {
	for n := 1; n < workers; n++ {
		if err := r.stack.StartWorker(ctx, n); err != nil {
			return err
		}
	}
	s, err := r.newScene(ctx, "whatsapp", int(limitRate*(limitFor.Seconds()+6)), limitRate)
	if err != nil {
		return err
	}
	r.say("  %d messages at %.0f a second", s.n, limitRate)
	before := r.usage()
	if _, err := r.broadcast(ctx, s); err != nil {
		return err
	}
	used := r.usage().since(before)
	at, err := r.sink.Arrivals(ctx)
	if err != nil {
		return err
	}
	share := shareUsed(at, limitRate, limitFor)
	r.report.atLeast("limit", "sent ÷ allowed in 30 s, 3 workers", share, 0.97, "ratio", "")
	r.report.atMost("limit", "sent ÷ allowed in 30 s, 3 workers", share, 1, "ratio", "")
	r.report.atMost("limit", "most in any second", float64(sink.MostWithin(at, time.Second)), limitRate+limitBurst, "messages", "")
	r.say("  processor time a message in µs: %s", used.per(s.n))
	for n := 1; n < workers; n++ {
		if err := r.stopWorker(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// shareUsed is the arrivals within d, from the second second on, by what the
// rate allows.
func shareUsed(arrivals []time.Time, rate float64, d time.Duration) float64 {
	if len(arrivals) == 0 {
		return 0
	}
	from := arrivals[0].Add(time.Second)
	n := 0
	for _, t := range arrivals {
		if !t.Before(from) && t.Before(from.Add(d)) {
			n++
		}
	}
	return float64(n) / (rate * d.Seconds())
}
