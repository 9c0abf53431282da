package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"omniflow/internal/omniflow"
)

// ear hears that something changed in the database.
type ear struct {
	changed workflow.ReceiveChannel
	nudged  bool // by an update
}

// newEar listens to the signal changed.
func newEar(ctx workflow.Context) *ear {
	return &ear{changed: workflow.GetSignalChannel(ctx, omniflow.SignalChanged)}
}

// look says that the database is about to be read: all that was heard so far
// will be seen.
func (e *ear) look() {
	e.nudged = false
	for e.changed.ReceiveAsync(nil) {
	}
}

// news says that something was heard which the last look may not have seen. A
// run asks before it ends, or what was heard would be lost with it.
func (e *ear) news() bool { return e.nudged || e.changed.Len() > 0 }

// wait sleeps until a moment, or until there is news.
func (e *ear) wait(ctx workflow.Context, why string, until time.Time) error {
	_, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout: max(until.Sub(workflow.Now(ctx)), time.Second), TimerOptions: workflow.TimerOptions{Summary: why},
	}, e.news)
	return err
}

// full says that the history is long enough for a new run, and waits for what
// is being answered.
func (e *ear) full(ctx workflow.Context) bool {
	return workflow.GetInfo(ctx).GetContinueAsNewSuggested() &&
		workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }) == nil
}

// conclude puts the outcome where operators search for it, once nobody waits
// for an answer any more.
func conclude(ctx workflow.Context, outcome string, code omniflow.Code) error {
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return err
	}
	attributes := []temporal.SearchAttributeUpdate{OutcomeKey.ValueSet(outcome)}
	if code != "" {
		attributes = append(attributes, FailureCodeKey.ValueSet(string(code)))
	}
	return workflow.UpsertTypedSearchAttributes(ctx, attributes...)
}
