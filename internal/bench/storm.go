package main

import (
	"context"
	"fmt"
	"time"
)

const (
	stormRate   = 500.0 // messages per second
	stormBefore = 5 * time.Second
	stormFor    = 3 * time.Second
	stormAfter  = 25 * time.Second // in which the rate comes back: 5 % of the limit a second
)

// storm refuses every call for three seconds in the middle of a broadcast, and
// looks how much is asked in vain meanwhile, how soon the rate is back, and
// whether everybody gets the message once.
func storm(ctx context.Context, r *rig) error {
	s, err := r.newScene(ctx, "whatsapp", int(stormRate*(stormBefore+stormAfter).Seconds()*0.8), stormRate)
	if err != nil {
		return err
	}
	began := make(chan time.Time, 1)
	go func() {
		if _, err := r.sink.Wait(ctx, int(stormRate*stormBefore.Seconds()), patience); err == nil {
			at := time.Now()
			if r.sink.Storm(ctx, stormFor) == nil {
				began <- at
			}
		}
		close(began)
	}()
	run, err := r.broadcast(ctx, s)
	if err != nil {
		return err
	}
	from, ok := <-began
	if !ok {
		return fmt.Errorf("the storm did not come")
	}
	at, err := r.sink.Arrivals(ctx)
	if err != nil {
		return err
	}
	back := backAt(at, from.Add(stormFor), 0.9*stormRate)
	r.report.add("storm", "calls refused in 3 s at 500/s", float64(run.Refused), "calls", fmt.Sprintf("%.0f if nobody had slowed down", stormRate*stormFor.Seconds()))
	if back > 0 {
		r.report.add("storm", "90 % of the rate again after", back.Seconds(), "s", "from the last refusal on; 5 % of the limit a second")
	}
	r.report.atMost("storm", "delivered twice", float64(run.Duplicates()), 0, "messages", fmt.Sprintf("%d of %d sent", run.broadcast.Counts.Sent, s.n))
	return nil
}

// backAt is how long after a moment the arrivals of one second first reach
// perSecond; 0 if they never do.
func backAt(arrivals []time.Time, since time.Time, perSecond float64) time.Duration {
	from := 0
	for i, t := range arrivals {
		if t.Before(since) {
			from = i + 1
			continue
		}
		for t.Sub(arrivals[from]) >= time.Second {
			from++
		}
		if float64(i-from+1) >= perSecond {
			return t.Sub(since)
		}
	}
	return 0
}
