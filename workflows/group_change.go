package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"omniflow/activities"
	"omniflow/internal/omniflow"
)

// ChangeGroupResult is how a change of a group ended: done, or failed and why.
type ChangeGroupResult struct {
	Outcome string        `json:"outcome"`
	Code    omniflow.Code `json:"code,omitempty"`
}

// ChangeGroup changes a group at its provider: its settings, its invite link,
// or that it is there at all; then it waits for the webhook. Signal: changed.
func ChangeGroup(ctx workflow.Context, in omniflow.ChangeRef) (ChangeGroupResult, error) {
	e := newEar(ctx)
	for {
		var st activities.ChangeStatus
		e.look()
		err := workflow.ExecuteActivity(callStep(ctx, in.TeamID.String(), "change the group"), act.StepGroupChange, in).Get(ctx, &st)
		if err != nil {
			return ChangeGroupResult{}, err
		}
		if st.State != omniflow.ChangePending {
			workflow.SetCurrentDetails(ctx, fmt.Sprintf("%s: %s. %s", st.Kind, st.State, st.Code))
			return ChangeGroupResult{Outcome: st.State, Code: st.Code}, conclude(ctx, st.State, st.Code)
		}
		if e.full(ctx) {
			return ChangeGroupResult{}, workflow.NewContinueAsNewError(ctx, ChangeGroup, in)
		}
		if !st.Wait {
			continue
		}
		workflow.SetCurrentDetails(ctx, fmt.Sprintf("%s: waiting for Meta until %s.", st.Kind, clock(workflow.Now(ctx), st.Until)))
		if err := e.wait(ctx, st.Kind, st.Until); err != nil {
			return ChangeGroupResult{}, err
		}
	}
}
