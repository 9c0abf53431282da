package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"omniflow/activities"
	"omniflow/internal/omniflow"
)

// CreateGroupResult is how a request for a WhatsApp group ended. A group that
// was refused is an outcome, not a failure (SYS-08).
type CreateGroupResult struct {
	Outcome omniflow.GroupState `json:"outcome"`
	Code    omniflow.Code       `json:"code,omitempty"` // why, when failed
}

// CreateGroup asks the provider for a group and waits for its review. Where
// the review stands is in the database: a webhook is applied there before the
// run hears of it, so it may come before, during or after any step. The
// invitations of the first members are runs of their own, which begin with the
// success. Signal: changed; query: state.
func CreateGroup(ctx workflow.Context, in omniflow.GroupRef) (CreateGroupResult, error) {
	g := &groupRun{in: in, ear: newEar(ctx)}
	if err := workflow.SetQueryHandler(ctx, QueryState, func() (activities.GroupStatus, error) { return g.st, nil }); err != nil {
		return CreateGroupResult{}, err
	}
	if err := g.begin(ctx); err != nil {
		return CreateGroupResult{}, err
	}
	for g.st.Step != omniflow.GroupFinish || g.ear.news() {
		if err := g.advance(ctx); err != nil {
			return CreateGroupResult{}, err
		}
		if g.ear.full(ctx) {
			return CreateGroupResult{}, workflow.NewContinueAsNewError(ctx, CreateGroup, in)
		}
	}
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("The group is %s. %s", g.st.State, g.st.Code))
	return CreateGroupResult{Outcome: g.st.State, Code: g.st.Code}, conclude(ctx, string(g.st.State), g.st.Code)
}

// groupRun is one run.
type groupRun struct {
	in  omniflow.GroupRef
	st  activities.GroupStatus
	ear *ear
}

// begin asks for the group at once. Where the call is not due, that is to look
// at the request; runs that began before looked first.
func (g *groupRun) begin(ctx workflow.Context) error {
	if workflow.GetVersion(ctx, "ask at once", workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return g.do(ctx, "look at the request", act.LookAtGroup)
	}
	workflow.SetCurrentDetails(ctx, "Asking the provider for the group.")
	return g.do(ctx, "ask for the group", act.AskForGroup)
}

func (g *groupRun) do(ctx workflow.Context, summary string, activity any) error {
	g.ear.look()
	var st activities.GroupStatus // a new one: what an answer leaves out must not stay
	err := workflow.ExecuteActivity(callStep(ctx, g.in.TeamID.String(), summary), activity, g.in).Get(ctx, &st)
	if err == nil {
		g.st = st
	}
	return err
}

// advance takes the one step that the status calls for.
func (g *groupRun) advance(ctx workflow.Context) error {
	switch g.st.Step {
	case omniflow.GroupAsk:
		workflow.SetCurrentDetails(ctx, "Asking the provider for the group.")
		return g.do(ctx, "ask for the group", act.AskForGroup)
	case omniflow.GroupLook:
		workflow.SetCurrentDetails(ctx, "Looking for the group among those of the provider.")
		return g.do(ctx, "look for the group", act.LookForGroup)
	case omniflow.GroupFinish:
		return g.do(ctx, "look at the request", act.LookAtGroup)
	}
	now := workflow.Now(ctx)
	switch g.st.Call {
	case omniflow.CallAccepted:
		workflow.SetCurrentDetails(ctx, fmt.Sprintf("Waiting for Meta's review since %s, times out %s.", clock(now, g.st.Since), clock(now, g.st.Over)))
	case omniflow.CallUnknown:
		workflow.SetCurrentDetails(ctx, fmt.Sprintf("The answer to the create call of %s was lost: no second call is made. "+
			"Waiting for the webhook, looking again %s, times out %s.", clock(now, g.st.Since), clock(now, g.st.Until), clock(now, g.st.Over)))
	default:
		workflow.SetCurrentDetails(ctx, "The provider did not take the call; the next one is due "+clock(now, g.st.Until)+".")
	}
	if err := g.ear.wait(ctx, "review", g.st.Until); err != nil {
		return err
	}
	return g.do(ctx, "look at the request", act.LookAtGroup)
}

// clock is a moment as a person reads it at now: "14:02", "tomorrow 14:02", or
// with its date; UTC.
func clock(now, t time.Time) string {
	now, t = now.UTC(), t.UTC()
	switch day := 24 * time.Hour; t.Truncate(day).Sub(now.Truncate(day)) {
	case 0:
		return t.Format("15:04")
	case day:
		return t.Format("tomorrow 15:04")
	case -day:
		return t.Format("yesterday 15:04")
	}
	return t.Format("2006-01-02 15:04")
}
