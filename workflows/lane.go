package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"omniflow/activities"
	"omniflow/internal/omniflow"
)

// laneWindow is how many slices of one lane are under way at once.
const laneWindow = 4

// SignalOrdered tells a lane that an order about it is in the ledger.
const SignalOrdered = "ordered"

// longestWait is the longest pause between two looks at the ledger.
const longestWait = 5 * time.Minute

// SendLaneInput is all that survives continue-as-new: where the lane stands
// is in the ledger, never here.
type SendLaneInput struct {
	Lane omniflow.Lane `json:"lane"`
}

// SendLaneResult is how a lane ended.
type SendLaneResult struct {
	Tally omniflow.Tally `json:"tally"`
}

// SendLane sends one channel account's part of a broadcast: a sliding window
// of slices, then again what backed off, then the outcomes still unknown,
// until every row is settled. Updates as of SendBroadcast, for this lane only.
func SendLane(ctx workflow.Context, in SendLaneInput) (SendLaneResult, error) {
	l := &lane{Lane: in.Lane, team: in.Lane.TeamID.String(), size: sliceSize(in.Lane.Planned)}
	if err := l.listen(ctx); err != nil {
		return SendLaneResult{}, err
	}
	workflow.Go(ctx, l.obeyCancellation)
	ctx, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	for {
		st, err := l.look(ctx)
		if err != nil {
			return SendLaneResult{}, err
		}
		if st.Tally.Unresolved() == 0 {
			return l.end(ctx, st.Tally)
		}
		if err := l.advance(ctx, st); err != nil {
			return SendLaneResult{}, err
		}
		if full(ctx) {
			if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
				return SendLaneResult{}, err
			}
			return SendLaneResult{}, workflow.NewContinueAsNewError(ctx, SendLane, in)
		}
	}
}

// lane is one run.
type lane struct {
	omniflow.Lane
	team  string
	size  int            // rows of a slice
	tally omniflow.Tally // as last read
	heard int            // orders heard so far
	seen  int            // of these, before the last look: a later one may have changed what it saw
	idle  int            // looks in a row that found nothing to do
	swept bool           // what waits has been cancelled since the last slice
}

// sliceSize makes about two rounds of the window out of a small lane and
// slices of omniflow.LaneBucket rows out of a large one. It is a multiple of 60, so that
// the 1 to 5 messages of one recipient stay in one slice.
func sliceSize(planned int) int {
	size := planned / (2 * laneWindow) / 60 * 60
	return min(max(size, 60), omniflow.LaneBucket)
}

func (l *lane) listen(ctx workflow.Context) error {
	workflow.Go(ctx, func(ctx workflow.Context) {
		ordered := workflow.GetSignalChannel(ctx, SignalOrdered)
		for ordered.Receive(ctx, nil) {
			l.heard++
			l.idle = 0
		}
	})
	if err := workflow.SetQueryHandler(ctx, QueryProgress, func() (omniflow.Tally, error) { return l.tally, nil }); err != nil {
		return err
	}
	return takeOrders(ctx, l)
}

// obeyCancellation makes a cancellation of the run, or the end of its
// broadcast's, an order to cancel: no row is left without anybody who looks
// after it.
func (l *lane) obeyCancellation(ctx workflow.Context) {
	ctx.Done().Receive(ctx, nil)
	ctx, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	if _, err := l.take(ctx, omniflow.OrderCancel, ControlInput{Reason: "the run was cancelled"}); err != nil {
		workflow.GetLogger(ctx).Error("the cancellation is not obeyed; use the update cancel", "error", err)
	}
}

// look reads the ledger: nothing that the run remembers decides anything.
func (l *lane) look(ctx workflow.Context) (omniflow.LaneStatus, error) {
	var st omniflow.LaneStatus
	l.seen = l.heard
	err := workflow.ExecuteActivity(controlStep(ctx, l.team, "look at the ledger"), act.LaneStatus, l.input()).Get(ctx, &st)
	l.tally = st.Tally
	return st, err
}

func (l *lane) input() activities.LaneInput {
	return activities.LaneInput{Lane: l.Lane, SliceSize: l.size}
}

// advance takes the one step that the status calls for.
func (l *lane) advance(ctx workflow.Context, st omniflow.LaneStatus) error {
	switch {
	case st.Control == omniflow.ControlCancelled && st.Tally.Queued > 0 && !l.swept:
		l.swept = true
		return workflow.ExecuteActivity(cancelStep(ctx, l.team, "cancel the rest"), act.CancelLane, l.input()).Get(ctx, nil)
	case len(st.Slices) > 0 && st.StopCode != "":
		return l.rest(ctx, fmt.Sprintf("Stopped: the provider answers %s for this account. Next: %s.", st.StopCode, omniflow.Advice(l.Channel, string(st.StopCode))), true)
	case len(st.Slices) > 0 && st.Control == omniflow.Stopped:
		return l.rest(ctx, fmt.Sprintf("stopped: %s. Next: %s.", st.Reason, omniflow.Advice(l.Channel, st.Reason)), false)
	case len(st.Slices) > 0 && st.Control == omniflow.Paused:
		return l.rest(ctx, fmt.Sprintf("paused: %s.", st.Reason), false)
	case len(st.Slices) > 0 && st.Control == omniflow.Running && st.Media > 0:
		return workflow.ExecuteActivity(step(ctx, prepareStep, l.team, "hand the files to the provider"), act.PrepareLane, l.input()).Get(ctx, nil)
	case len(st.Slices) > 0 && st.Waiting.Kind == omniflow.WaitHours && st.Waiting.Until != nil:
		return l.sleep(ctx, st)
	case len(st.Slices) > 0:
		return l.send(ctx, st)
	}
	return l.settle(ctx, st)
}

// sleep waits for the hours of the broadcast. Outcomes that are unknown are
// decided when they are due, at any hour.
func (l *lane) sleep(ctx workflow.Context, st omniflow.LaneStatus) error {
	now, until := workflow.Now(ctx), *st.Waiting.Until
	if st.Tally.Unknown > 0 {
		if !st.Reconcile.After(now) {
			_, err := l.reconcile(ctx)
			return err
		}
		if st.Reconcile.Before(until) {
			until = st.Reconcile
		}
	}
	l.describe(ctx, "Waiting:"+why(st.Waiting))
	return l.wait(ctx, "until the hours of the broadcast begin", until.Sub(now))
}

// send decides what is due of the unknown outcomes, because the next messages
// of their recipients wait for it, and then runs the slices, at most laneWindow
// at once, each once. A slice that comes back undone is found again by the
// next look.
func (l *lane) send(ctx workflow.Context, st omniflow.LaneStatus) error {
	l.swept = false
	if st.Tally.Unknown > 0 && !st.Reconcile.After(workflow.Now(ctx)) {
		r, err := l.reconcile(ctx)
		if err != nil || r.Requeued+r.GivenUp > 0 {
			return err // the ledger has changed: look again
		}
	}
	slices := st.Slices
	selector := workflow.NewSelector(ctx)
	next, open, done, held, more := 0, 0, 0, false, false
	var due time.Time
	var failed error
	launch := func(from int) {
		sl := omniflow.Slice{Lane: l.Lane, From: from, To: min(from+l.size, l.Planned)}
		summary := fmt.Sprintf("rows %d to %d of %d", sl.From+1, sl.To, l.Planned)
		open++
		selector.AddFuture(workflow.ExecuteActivity(step(ctx, sliceStep, l.team, summary), act.SendSlice, sl), func(f workflow.Future) {
			var r activities.SendSliceResult
			open--
			if failed == nil {
				failed = f.Get(ctx, &r)
			}
			held, more = held || r.Held != "", more || r.More
			if r.Done {
				done++
			}
			if due.IsZero() || !r.NextDue.IsZero() && r.NextDue.Before(due) {
				due = r.NextDue
			}
		})
	}
	for open > 0 || next < len(slices) && !held && failed == nil {
		for ; open < laneWindow && next < len(slices) && !held && failed == nil && !full(ctx); next++ {
			launch(slices[next])
		}
		if open == 0 {
			break
		}
		l.describe(ctx, fmt.Sprintf("Sending: %d of %d slices done, %d under way.%s", done, len(slices), open, why(st.Waiting)))
		selector.Select(ctx)
	}
	switch {
	case failed != nil || done > 0 || more || next < len(slices) || held && due.IsZero():
		l.idle = 0
		return failed
	case !due.IsZero():
		return l.wait(ctx, "messages back off after a fault", due.Sub(workflow.Now(ctx)))
	}
	return l.settle(ctx, st) // what is left waits behind a message whose outcome is unknown
}

// why says in a sentence what a lane waited for when it was looked at.
func why(w omniflow.Waiting) string {
	if w.Kind == "" {
		return ""
	}
	return " " + w.String() + "."
}

// settle waits for the outcomes that are still unknown, and decides those
// that are due. Webhooks may settle them at any time, so it looks often at
// first.
func (l *lane) settle(ctx workflow.Context, st omniflow.LaneStatus) error {
	l.describe(ctx, fmt.Sprintf("%d messages were handed over without an answer: waiting for webhooks to tell.", st.Tally.Unknown))
	if pause := st.Reconcile.Sub(workflow.Now(ctx)); pause > 0 {
		l.idle++
		return l.wait(ctx, "webhooks may tell the outcome", min(pause, backoff(l.idle)))
	}
	r, err := l.reconcile(ctx)
	if err != nil || r.Requeued+r.GivenUp > 0 {
		l.idle = 0
		return err
	}
	l.idle++
	return l.wait(ctx, "no proof yet", backoff(l.idle))
}

// reconcile decides the unknown outcomes that are due.
func (l *lane) reconcile(ctx workflow.Context) (omniflow.Reconciled, error) {
	var r omniflow.Reconciled
	err := workflow.ExecuteActivity(step(ctx, databaseStep, l.team, "decide unknown outcomes"), act.ReconcileLane, l.input()).Get(ctx, &r)
	return r, err
}

// rest waits for an order; where looking may help, it also looks now and then.
func (l *lane) rest(ctx workflow.Context, why string, look bool) error {
	l.describe(ctx, why)
	if !look {
		return workflow.Await(ctx, func() bool { return l.heard > l.seen })
	}
	l.idle++
	return l.wait(ctx, why, backoff(l.idle+3))
}

// wait sleeps for d, or until an order comes that the last look may not have seen.
func (l *lane) wait(ctx workflow.Context, why string, d time.Duration) error {
	_, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout: max(d, time.Second), TimerOptions: workflow.TimerOptions{Summary: why},
	}, func() bool { return l.heard > l.seen })
	return err
}

// backoff is 1, 2, 4 … s, at most 5 min.
func backoff(n int) time.Duration {
	return min(time.Second<<min(n-1, 10), longestWait)
}

func (l *lane) describe(ctx workflow.Context, what string) {
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("%s\n\n%s at %s.", what, l.tally, workflow.Now(ctx).UTC().Format("2006-01-02 15:04:05 MST")))
}

func (l *lane) check(o omniflow.Order, in ControlInput) error { return checkRate(o, l.Lane, in) }

// take applies an order to this lane alone.
func (l *lane) take(ctx workflow.Context, o omniflow.Order, in ControlInput) (ControlResult, error) {
	var done activities.ControlBroadcastResult
	err := workflow.ExecuteActivity(controlStep(ctx, l.team, string(o)), act.ControlBroadcast, omniflow.ControlOrder{
		TeamID: l.TeamID, BroadcastID: l.BroadcastID, ChannelAccountID: l.ChannelAccountID, Channel: l.Channel,
		ActorID: in.ActorID, Order: o, Reason: in.Reason, RatePerSecond: in.RatePerSecond}).Get(ctx, &done)
	l.heard++
	l.idle = 0
	return ControlResult{Changed: done.Changed}, err
}

// end reports the lane's counts.
func (l *lane) end(ctx workflow.Context, t omniflow.Tally) (SendLaneResult, error) {
	workflow.SetCurrentDetails(ctx, "Ended: "+t.String())
	err := workflow.UpsertTypedSearchAttributes(ctx, OutcomeKey.ValueSet(string(t.Outcome(t.Cancelled > 0))))
	if err != nil {
		return SendLaneResult{}, err
	}
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return SendLaneResult{}, err
	}
	return SendLaneResult{Tally: t}, nil
}
