package main

import "context"

// throughput compares a broadcast of one worker process, without a limit, with
// the bare loop, in turns. Both rates are from the first arrival at the sink to
// the last; "whole" counts from the request on, with the freezing of the
// audience and the start of the workflows.
func throughput(ctx context.Context, r *rig) error {
	s, err := r.newScene(ctx, "whatsapp", r.n, noLimit)
	if err != nil {
		return err
	}
	if _, err := r.broadcast(ctx, s); err != nil { // caches and connections
		return err
	}
	var ours, whole, bare, ratio []float64
	for round := range r.rounds {
		loop, err := r.bareLoop(ctx, r.n, bareConcurrency)
		if err != nil {
			return err
		}
		run, err := r.broadcast(ctx, s)
		if err != nil {
			return err
		}
		r.say("round %d of %d: ours %s/s, whole %s/s, bare loop %s/s, load %s", round+1, r.rounds,
			number(run.Rate()), number(run.wholeRate()), number(loop.Rate()), load())
		r.say("  processor time a message in µs: ours: %s; bare loop: %s", run.used.per(r.n), loop.used.per(r.n))
		ours, whole, bare = append(ours, run.Rate()), append(whole, run.wholeRate()), append(bare, loop.Rate())
		ratio = append(ratio, run.Rate()/loop.Rate())
	}
	r.report.add("throughput", "ours", median(ours), "messages/s", spread(ours))
	r.report.add("throughput", "ours, from the request on", median(whole), "messages/s", spread(whole))
	r.report.add("throughput", "bare loop", median(bare), "messages/s", spread(bare))
	r.report.atLeast("throughput", "ours ÷ bare loop", median(ratio), 0.7, "ratio", spread(ratio))
	return nil
}
