package main

import (
	"context"
	"time"
)

const (
	growthSmall = 10_000
	growthLarge = 1_000_000
)

// growth compares a large broadcast with a small one: the time a recipient from
// the first arrival to the last, and the memory of the worker.
func growth(ctx context.Context, r *rig) error {
	small, err := r.newScene(ctx, "whatsapp", growthSmall, noLimit)
	if err != nil {
		return err
	}
	r.say("importing %s customers", number(growthLarge))
	large, err := r.newScene(ctx, "whatsapp", growthLarge, noLimit)
	if err != nil {
		return err
	}
	var before []float64
	for range 2 * r.rounds {
		run, err := r.broadcast(ctx, small)
		if err != nil {
			return err
		}
		before = append(before, run.Span().Seconds()/growthSmall*1e6)
	}
	r.say("sending to %s", number(growthLarge))
	watch, stop := context.WithCancel(ctx)
	peak := make(chan int64)
	go func() { peak <- r.peakMemory(watch) }()
	run, err := r.broadcast(ctx, large)
	stop()
	rss := float64(<-peak) / (1 << 20)
	if err != nil {
		return err
	}
	cost := run.Span().Seconds() / growthLarge * 1e6
	r.report.add("growth", "a recipient of 10,000", median(before), "µs", spread(before))
	r.report.add("growth", "a recipient of 1,000,000", cost, "µs", run.used.per(growthLarge))
	r.report.atMost("growth", "1,000,000 ÷ 10,000", cost/median(before), 1.15, "ratio", "")
	r.report.atMost("growth", "the start of 1,000,000 is answered after", float64(run.answered)/float64(time.Millisecond), 50, "ms", "")
	r.report.atMost("growth", "the worker's memory at most", rss, 256, "MiB", "")
	return nil
}

// peakMemory looks at worker 0 five times a second until ctx ends.
func (r *rig) peakMemory(ctx context.Context) int64 {
	var most int64
	for pause(ctx, 200*time.Millisecond) == nil {
		if all, err := readProcesses(); err == nil {
			most = max(most, all[r.stack.Process("worker").PID()].rssBytes)
		}
	}
	return most
}
