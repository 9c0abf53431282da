package main

import (
	"context"
	"fmt"
)

// multicastTimes is how many recipients of LINE there are for each of -n.
const multicastTimes = 5

// multicast sends one text to LINE users, 500 a call, without a limit. Recorded
// means that the ledger has every row's outcome and the run has ended.
func multicast(ctx context.Context, r *rig) error {
	s, err := r.newScene(ctx, "line", multicastTimes*r.n, noLimit)
	if err != nil {
		return err
	}
	var recorded, handed []float64
	for round := range r.rounds {
		run, err := r.broadcast(ctx, s)
		if err != nil {
			return err
		}
		if run.Calls > s.n/500*11/10+1 {
			return fmt.Errorf("%d calls for %d recipients: this was no multicast", run.Calls, s.n)
		}
		span := run.broadcast.FinishedAt.Sub(run.First).Seconds()
		recorded, handed = append(recorded, float64(s.n)/span), append(handed, run.Rate())
		r.say("round %d of %d: recorded %s/s, handed over %s/s; µs a recipient: %s; load %s", round+1, r.rounds,
			number(float64(s.n)/span), number(run.Rate()), run.used.per(s.n), load())
	}
	r.report.atLeast("multicast", "LINE recipients recorded", median(recorded), 50_000, "recipients/s", spread(recorded))
	r.report.add("multicast", "LINE recipients handed over", median(handed), "recipients/s", spread(handed))
	return nil
}
