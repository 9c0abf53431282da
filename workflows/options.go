package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"omniflow/activities"
)

// act names the activities; it is never called through.
var act *activities.Activities

// databaseStep pauses 1, 2, 4, 8, 16, then 30 s between attempts, for as long
// as it takes: the database comes back (SYS-05). One attempt has 30 s.
var databaseStep = workflow.ActivityOptions{
	StartToCloseTimeout: 30 * time.Second,
	RetryPolicy: &temporal.RetryPolicy{
		InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second, MaximumAttempts: 0},
}

// planStep is databaseStep with an hour an attempt, an audience of millions; an
// attempt is found dead 20 s after its last heartbeat.
var planStep = workflow.ActivityOptions{StartToCloseTimeout: time.Hour, HeartbeatTimeout: 20 * time.Second, RetryPolicy: databaseStep.RetryPolicy}

// prepareStep is databaseStep with 5 min an attempt: files of 100 MB.
var prepareStep = workflow.ActivityOptions{StartToCloseTimeout: 5 * time.Minute, RetryPolicy: databaseStep.RetryPolicy}

// sliceStep is found dead 5 s after its last heartbeat, and goes on elsewhere
// after 0.5, 1, 2, 4, then 10 s, for as long as it takes. One attempt works
// for a minute, then waits for what is under way.
var sliceStep = workflow.ActivityOptions{
	StartToCloseTimeout: 5 * time.Minute,
	HeartbeatTimeout:    5 * time.Second,
	RetryPolicy: &temporal.RetryPolicy{
		InitialInterval: 500 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 10 * time.Second, MaximumAttempts: 0},
}

// fullAt is a history's length at which a run goes on in a new one: well under
// the 4,096 events from which the engine asks for it.
const fullAt = 3500

// full says whether the run's history is long enough to begin another.
func full(ctx workflow.Context) bool {
	info := workflow.GetInfo(ctx)
	return info.GetContinueAsNewSuggested() || info.GetCurrentHistoryLength() >= fullAt
}

// step is options with a summary for the UI, and the team as fairness key:
// two teams on one queue are served in turn.
func step(ctx workflow.Context, options workflow.ActivityOptions, team, summary string) workflow.Context {
	options.Summary = summary
	options.Priority = temporal.Priority{FairnessKey: team}
	return workflow.WithActivityOptions(ctx, options)
}

// controlStep is databaseStep on the queue that never waits behind bulk work:
// a pause takes effect within a second however busy the broadcast queue is. One
// attempt has 8 s: if its worker is killed, the lane stands still no longer.
func controlStep(ctx workflow.Context, team, summary string) workflow.Context {
	options := databaseStep
	options.TaskQueue, options.StartToCloseTimeout = InteractiveQueue, 8*time.Second
	return step(ctx, options, team, summary)
}

// cancelStep is controlStep with 30 s an attempt: a lane may have a million rows.
func cancelStep(ctx workflow.Context, team, summary string) workflow.Context {
	return workflow.WithStartToCloseTimeout(controlStep(ctx, team, summary), databaseStep.StartToCloseTimeout)
}

// callStep is a step of interactive work, on its queue: one provider call and
// its record, or a look at the database. An attempt has 30 s: 3 to wait for a
// send slot, 10 for the call, 10 to write down how it ended.
func callStep(ctx workflow.Context, team, summary string) workflow.Context {
	options := databaseStep
	options.TaskQueue = InteractiveQueue
	return step(ctx, options, team, summary)
}
