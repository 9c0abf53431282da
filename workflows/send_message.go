package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"omniflow/internal/omniflow"
)

// SendMessageResult is how a message left us: sent or failed. What its
// provider tells later is merged into the ledger without the run.
type SendMessageResult struct {
	Outcome omniflow.MessageState `json:"outcome"`
	Code    omniflow.Code         `json:"code,omitempty"`
}

// SendMessage sends one message of the ledger: again with backoff while it
// surely was not taken, and never twice. One whose outcome is unknown waits
// for its webhook, then for the team's policy. Signal: changed; query: state.
func SendMessage(ctx workflow.Context, in omniflow.MessageRef) (SendMessageResult, error) {
	e := newEar(ctx)
	var st omniflow.MessageStatus
	if err := workflow.SetQueryHandler(ctx, QueryState, func() (omniflow.MessageStatus, error) { return st, nil }); err != nil {
		return SendMessageResult{}, err
	}
	activity, summary := any(act.SendMessage), "send"
	for {
		e.look()
		if err := workflow.ExecuteActivity(callStep(ctx, in.TeamID.String(), summary), activity, in).Get(ctx, &st); err != nil {
			return SendMessageResult{}, err
		}
		if st.State.Settled() {
			workflow.SetCurrentDetails(ctx, fmt.Sprintf("The message is %s. %s", st.State, st.Code))
			return SendMessageResult{Outcome: st.State, Code: st.Code}, conclude(ctx, string(st.State), st.Code)
		}
		if e.full(ctx) {
			return SendMessageResult{}, workflow.NewContinueAsNewError(ctx, SendMessage, in)
		}
		activity, summary = act.SendMessage, "send"
		if st.State == omniflow.Unknown {
			activity, summary = act.ReconcileMessage, "decide the unknown outcome"
		}
		workflow.SetCurrentDetails(ctx, fmt.Sprintf("The message is %s (%s); next step %s.", st.State, st.Code, clock(workflow.Now(ctx), st.DueAt)))
		if err := e.wait(ctx, string(st.State), st.DueAt); err != nil {
			return SendMessageResult{}, err
		}
	}
}
