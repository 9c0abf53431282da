package main

import (
	"context"
	"fmt"
	"time"

	"omniflow/internal/apiclient"
	"omniflow/internal/bench/sink"
)

// patience is how long nothing may arrive before a run counts as stuck.
const patience = 30 * time.Second

// outcome is one run, as the sink saw it.
type outcome struct {
	sink.Stats
	asked     time.Time           // when it was asked for
	answered  time.Duration       // from then to the API's answer
	whole     time.Duration       // from then to the last arrival: planning included
	broadcast apiclient.Broadcast // of ours, at its end
	used      usage
}

// wholeRate is messages per second from the request on.
func (o outcome) wholeRate() float64 { return float64(o.Messages) / o.whole.Seconds() }

// broadcast sends to everybody of the scene and waits until the run has ended.
func (r *rig) broadcast(ctx context.Context, s *scene) (outcome, error) {
	if err := r.sink.Reset(ctx); err != nil {
		return outcome{}, err
	}
	before, asked := r.usage(), time.Now()
	accepted, err := s.member.StartBroadcast(ctx, request(), "")
	if err != nil {
		return outcome{}, fmt.Errorf("start broadcast: %w", err)
	}
	answered := time.Since(asked)
	if _, err := r.sink.Wait(ctx, s.n, patience); err != nil {
		return outcome{}, err
	}
	b, err := finished(ctx, s.member, accepted.ID)
	if err != nil {
		return outcome{}, err
	}
	used := r.usage().since(before)
	stats, err := r.sink.Stats(ctx)
	if err != nil {
		return outcome{}, err
	}
	o := outcome{Stats: stats, asked: asked, answered: answered, whole: stats.Last.Sub(asked), broadcast: b, used: used}
	if b.Counts.Sent != s.n || stats.Messages != s.n {
		return o, fmt.Errorf("the ledger has %d sent, the sink %d messages, of %d", b.Counts.Sent, stats.Messages, s.n)
	}
	return o, nil
}

// finished waits for the end of a broadcast.
func finished(ctx context.Context, member *apiclient.Client, id string) (apiclient.Broadcast, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	for {
		b, err := member.Broadcast(ctx, id)
		if err != nil || b.Finished() {
			return b, err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return b, fmt.Errorf("broadcast %s has not ended: %w", id, ctx.Err())
		}
	}
}
