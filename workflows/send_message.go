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
	st := omniflow.MessageStatus{State: omniflow.Queued}
	if err := workflow.SetQueryHandler(ctx, QueryState, func() (omniflow.MessageStatus, error) { return st, nil }); err != nil {
		return SendMessageResult{}, err
	}
	for {
		e.look()
		var err error
		if st, err = stepMessage(ctx, in, st); err != nil {
			return SendMessageResult{}, err
		}
		if st.State.Settled() && e.news() {
			st.State = omniflow.Queued // somebody sends it again
			continue
		}
		if st.State.Settled() {
			workflow.SetCurrentDetails(ctx, fmt.Sprintf("The message is %s. %s", st.State, st.Code))
			return SendMessageResult{Outcome: st.State, Code: st.Code}, conclude(ctx, string(st.State), st.Code)
		}
		if e.full(ctx) {
			return SendMessageResult{}, workflow.NewContinueAsNewError(ctx, SendMessage, in)
		}
		workflow.SetCurrentDetails(ctx, fmt.Sprintf("The message is %s (%s); next step %s.", st.State, st.Code, clock(workflow.Now(ctx), st.DueAt)))
		if err := e.wait(ctx, string(st.State), st.DueAt); err != nil {
			return SendMessageResult{}, err
		}
	}
}

// stepMessage does what is due about a message that stands at st: its files,
// the message itself, or the decision about an unknown outcome.
func stepMessage(ctx workflow.Context, in omniflow.MessageRef, st omniflow.MessageStatus) (out omniflow.MessageStatus, err error) {
	team := in.TeamID.String()
	if st.State == omniflow.Unknown {
		err = workflow.ExecuteActivity(callStep(ctx, team, "decide the unknown outcome"), act.ReconcileMessage, in).Get(ctx, &out)
		return out, err
	}
	if in.Files {
		err = workflow.ExecuteActivity(uploadStep(ctx, team, "hand over the files and send"), act.SendFiles, in).Get(ctx, &out)
		return out, err
	}
	err = workflow.ExecuteActivity(callStep(ctx, team, "send"), act.SendMessage, in).Get(ctx, &out)
	return out, err
}
