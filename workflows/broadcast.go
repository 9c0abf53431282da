package workflows

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"omniflow/activities"
	"omniflow/internal/omniflow"
)

// SendBroadcastResult is how a broadcast ended. Its counts are of ledger rows.
type SendBroadcastResult struct {
	Outcome omniflow.Outcome `json:"outcome"`
	Code    omniflow.Code    `json:"code,omitempty"` // why, when rejected
	Tally   omniflow.Tally   `json:"tally"`
}

// SendBroadcast freezes the audience, runs one lane a channel account, and
// reports. Recipients are rows of the ledger: none has a workflow or an
// activity of its own. Updates: pause, resume, cancel, set_rate; query:
// progress.
func SendBroadcast(ctx workflow.Context, in SendBroadcastInput) (SendBroadcastResult, error) {
	b := &broadcast{in: in, team: in.TeamID.String(), tallies: map[uuid.UUID]omniflow.Tally{}, waits: map[uuid.UUID]string{}}
	if err := b.listen(ctx); err != nil {
		return SendBroadcastResult{}, err
	}
	if off, err := b.awaitStart(ctx); off || err != nil {
		return b.finish(ctx, omniflow.OutcomeCancelled, "", err)
	}
	if rejected, err := b.plan(ctx); rejected != "" || err != nil {
		return b.finish(ctx, omniflow.OutcomeRejected, rejected, err)
	}
	results, err := b.runLanes(ctx)
	if err != nil {
		return SendBroadcastResult{}, err
	}
	return b.finish(ctx, b.outcome(results), "", nil)
}

// broadcast is one run.
type broadcast struct {
	in      SendBroadcastInput
	team    string
	lanes   []omniflow.Lane
	planned bool
	start   start
	tallies map[uuid.UUID]omniflow.Tally // as last read
	waits   map[uuid.UUID]string         // why a lane was not moving then
	ended   int                          // lanes
}

func (b *broadcast) input() activities.BroadcastInput {
	return activities.BroadcastInput{TeamID: b.in.TeamID, BroadcastID: b.in.BroadcastID}
}

// listen registers what may be asked of the run from outside.
func (b *broadcast) listen(ctx workflow.Context) error {
	workflow.SetCurrentDetails(ctx, "Freezing the audience.")
	if err := workflow.SetQueryHandler(ctx, QueryProgress, func() (omniflow.Tally, error) { return b.tally(), nil }); err != nil {
		return err
	}
	if err := b.listenForApproval(ctx); err != nil {
		return err
	}
	return takeOrders(ctx, b)
}

// plan freezes the audience; a refusal is an outcome, not an error.
func (b *broadcast) plan(ctx workflow.Context) (omniflow.Code, error) {
	var plan activities.PlanBroadcastResult
	// Also when the run is cancelled meanwhile: rows that were planned must have
	// somebody who cancels them.
	ctx, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	err := workflow.ExecuteActivity(step(ctx, planStep, b.team, "freeze the audience"), act.PlanBroadcast,
		b.input()).Get(ctx, &plan)
	var refusal *temporal.ApplicationError
	if errors.As(err, &refusal) && refusal.NonRetryable() {
		return omniflow.Code(refusal.Type()), nil
	}
	if err != nil {
		return "", err
	}
	b.lanes, b.planned = plan.Lanes, true
	b.count(nil)
	if len(b.lanes) == 0 {
		return omniflow.BroadcastEmpty, nil
	}
	b.describe(ctx)
	return "", nil
}

// runLanes starts every lane and waits for all of them, also when the run is
// cancelled: the lanes then cancel the rest.
func (b *broadcast) runLanes(ctx workflow.Context) ([]SendLaneResult, error) {
	detached, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	workflow.Go(ctx, b.obeyCancellation)
	workflow.Go(detached, b.watch)
	futures := make([]workflow.ChildWorkflowFuture, len(b.lanes))
	for i, lane := range b.lanes {
		futures[i] = workflow.ExecuteChildWorkflow(b.laneOptions(detached, lane), SendLane, SendLaneInput{Lane: lane})
	}
	results := make([]SendLaneResult, len(b.lanes))
	var failed error
	for i, f := range futures {
		err := f.Get(detached, &results[i])
		b.ended++
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("lane %s: %w", b.lanes[i].ChannelAccountID, err))
			continue
		}
		b.tallies[b.lanes[i].ChannelAccountID] = results[i].Tally
		delete(b.waits, b.lanes[i].ChannelAccountID)
		b.describe(ctx)
	}
	return results, failed
}

// obeyCancellation makes a cancellation of the run an order to cancel.
func (b *broadcast) obeyCancellation(ctx workflow.Context) {
	ctx.Done().Receive(ctx, nil)
	ctx, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	if _, err := b.take(ctx, omniflow.OrderCancel, ControlInput{Reason: "the run was cancelled"}); err != nil {
		workflow.GetLogger(ctx).Error("the cancellation is not obeyed; use the update cancel", "error", err)
	}
}

// watch brings the current details up to date while lanes run: after 5, 10,
// 20 s … then every 5 min, and from the 3,500th event every 6 h: a broadcast
// that is paused for weeks must not fill its history.
func (b *broadcast) watch(ctx workflow.Context) {
	for pause := 5 * time.Second; b.ended < len(b.lanes); pause = min(2*pause, longestWait) {
		if full(ctx) {
			pause = 6 * time.Hour
		}
		_, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
			Timeout: pause, TimerOptions: workflow.TimerOptions{Summary: "until the next look at the counts"},
		}, func() bool { return b.ended == len(b.lanes) })
		if err != nil || b.ended == len(b.lanes) {
			return
		}
		var counts activities.BroadcastTallyResult
		err = workflow.ExecuteActivity(controlStep(ctx, b.team, "count"), act.BroadcastTally, b.input()).Get(ctx, &counts)
		if err != nil {
			return
		}
		b.count(counts.Lanes)
		b.describe(ctx)
	}
}

func (b *broadcast) laneOptions(ctx workflow.Context, lane omniflow.Lane) workflow.Context {
	return workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:        SendLaneID(b.in.TeamID, b.in.BroadcastID, lane.ChannelAccountID),
		ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
		StaticSummary:     fmt.Sprintf("%s: %d messages", lane.Channel, lane.Planned),
		TypedSearchAttributes: temporal.NewSearchAttributes(TeamIDKey.ValueSet(b.team),
			ChannelKindKey.ValueSet(string(lane.Channel)), JobKindKey.ValueSet("broadcast_lane")),
	})
}

// check refuses orders that can never be right: a rate without its account,
// or an account that the broadcast does not send through.
func (b *broadcast) check(o omniflow.Order, in ControlInput) error {
	if in.ChannelAccountID == uuid.Nil {
		if o == omniflow.OrderSetRate {
			return omniflow.Refuse(omniflow.RateInvalid, "D-BRD-2", "a rate belongs to one channel account: give channel_account_id")
		}
		return nil
	}
	if !b.planned {
		return nil
	}
	lane, ok := laneAmong(b.lanes, in.ChannelAccountID)
	if !ok {
		return omniflow.Refuse(omniflow.NotFound, "SYS-13", "the broadcast has no lane for this channel account")
	}
	return checkRate(o, lane, in)
}

// take applies an order, then wakes the lanes; those that do not exist yet
// begin with it.
func (b *broadcast) take(ctx workflow.Context, o omniflow.Order, in ControlInput) (ControlResult, error) {
	order := omniflow.ControlOrder{TeamID: b.in.TeamID, BroadcastID: b.in.BroadcastID, ChannelAccountID: in.ChannelAccountID,
		ActorID: in.ActorID, Order: o, Reason: in.Reason, RatePerSecond: in.RatePerSecond}
	if lane, ok := laneAmong(b.lanes, in.ChannelAccountID); ok {
		order.Channel = lane.Channel
	}
	var done activities.ControlBroadcastResult
	err := workflow.ExecuteActivity(controlStep(ctx, b.team, string(o)), act.ControlBroadcast, order).Get(ctx, &done)
	if err != nil {
		return ControlResult{}, err
	}
	b.obeyed(o)
	for _, lane := range b.lanes {
		if in.ChannelAccountID == uuid.Nil || in.ChannelAccountID == lane.ChannelAccountID {
			// A lane that has ended cannot be woken and need not be.
			_ = workflow.SignalExternalWorkflow(ctx, SendLaneID(b.in.TeamID, b.in.BroadcastID, lane.ChannelAccountID), "",
				SignalOrdered, nil).Get(ctx, nil)
		}
	}
	return ControlResult{Changed: done.Changed}, nil
}

// count takes in counts read from the ledger.
func (b *broadcast) count(counts map[uuid.UUID]omniflow.LaneCount) {
	for _, lane := range b.lanes {
		c := counts[lane.ChannelAccountID]
		c.Planned = lane.Planned
		b.tallies[lane.ChannelAccountID], b.waits[lane.ChannelAccountID] = c.Tally, c.Waiting.String()
	}
}

// tally adds up the lanes.
func (b *broadcast) tally() omniflow.Tally {
	var t omniflow.Tally
	for _, lane := range b.lanes {
		t.AddAll(b.tallies[lane.ChannelAccountID])
	}
	return t
}

// describe writes the current details: one line in all, one a lane.
func (b *broadcast) describe(ctx workflow.Context) {
	var text strings.Builder
	text.WriteString(fmt.Sprintf("%s at %s.\n\n", b.tally(), workflow.Now(ctx).UTC().Format("2006-01-02 15:04:05 MST")))
	for _, lane := range b.lanes {
		text.WriteString(fmt.Sprintf("- %s: %s", lane.Channel, b.tallies[lane.ChannelAccountID]))
		if why := b.waits[lane.ChannelAccountID]; why != "" {
			text.WriteString("; " + why)
		}
		text.WriteString("\n")
	}
	workflow.SetCurrentDetails(ctx, text.String())
}

func (b *broadcast) outcome(results []SendLaneResult) omniflow.Outcome {
	cancelled := false
	for _, r := range results {
		cancelled = cancelled || r.Tally.Cancelled > 0
	}
	return b.tally().Outcome(cancelled)
}

// finish writes the end of the run where the console and the UI look for it.
func (b *broadcast) finish(ctx workflow.Context, outcome omniflow.Outcome, code omniflow.Code, err error) (SendBroadcastResult, error) {
	if err != nil {
		return SendBroadcastResult{}, err
	}
	ctx, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	err = workflow.ExecuteActivity(controlStep(ctx, b.team, "report the end"), act.FinishBroadcast, activities.FinishBroadcastInput{
		BroadcastInput: b.input(), Outcome: outcome}).Get(ctx, nil)
	if err != nil {
		return SendBroadcastResult{}, err
	}
	attributes := []temporal.SearchAttributeUpdate{OutcomeKey.ValueSet(string(outcome))}
	if code != "" {
		attributes = append(attributes, FailureCodeKey.ValueSet(string(code)))
	}
	if err := workflow.UpsertTypedSearchAttributes(ctx, attributes...); err != nil {
		return SendBroadcastResult{}, err
	}
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return SendBroadcastResult{}, err
	}
	return SendBroadcastResult{Outcome: outcome, Code: code, Tally: b.tally()}, nil
}
