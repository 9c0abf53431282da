package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"omniflow/activities"
	"omniflow/internal/omniflow"
)

// ChangeGroupMemberResult is how an attempt chain of one number ended.
type ChangeGroupMemberResult struct {
	Outcome omniflow.GroupMemberState `json:"outcome"`
	Code    omniflow.Code             `json:"code,omitempty"`
}

// ChangeGroupMember invites one number to a group or removes it: it sends the
// invitation through the ledger, then waits for the join; lets in who asks;
// or asks for the removal, then waits for it. What was ordered and heard is in
// the database, so a removal interrupts the wait of an invitation, and a late
// webhook starts a new run of the same id. Signal: changed; update: retry;
// query: state.
func ChangeGroupMember(ctx workflow.Context, in omniflow.MemberRef) (ChangeGroupMemberResult, error) {
	m := &memberRun{in: in, ear: newEar(ctx)}
	if err := m.listen(ctx); err != nil {
		return ChangeGroupMemberResult{}, err
	}
	if err := m.begin(ctx); err != nil {
		return ChangeGroupMemberResult{}, err
	}
	for m.st.Step != omniflow.StepEnd || m.ear.news() {
		if err := m.advance(ctx); err != nil {
			return ChangeGroupMemberResult{}, err
		}
		if m.ear.full(ctx) {
			return ChangeGroupMemberResult{}, workflow.NewContinueAsNewError(ctx, ChangeGroupMember, in)
		}
	}
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("The member is %s. %s", m.st.State, m.st.Code))
	return ChangeGroupMemberResult{Outcome: m.st.State, Code: m.st.Code}, conclude(ctx, string(m.st.State), m.st.Code)
}

// memberRun is one run.
type memberRun struct {
	in  omniflow.MemberRef
	st  activities.MemberStatus
	ear *ear
}

func (m *memberRun) listen(ctx workflow.Context) error {
	if err := workflow.SetQueryHandler(ctx, QueryState, func() (activities.MemberStatus, error) { return m.st, nil }); err != nil {
		return err
	}
	return workflow.SetUpdateHandlerWithOptions(ctx, UpdateRetry, func(ctx workflow.Context) error {
		err := workflow.ExecuteActivity(callStep(ctx, m.in.TeamID.String(), "retry now"), act.HastenMember, m.in).Get(ctx, nil)
		m.ear.nudged = true
		return err
	}, workflow.UpdateHandlerOptions{Description: "make a call that backs off now"})
}

// begin sends the invitation at once. Where none is due, that is to look at the
// member; runs that began before looked first.
func (m *memberRun) begin(ctx workflow.Context) error {
	if workflow.GetVersion(ctx, "invite at once", workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return m.do(ctx, "look at the member", act.LookAtMember)
	}
	return m.do(ctx, "look at the member, and invite it if that is due", act.InviteMember)
}

func (m *memberRun) do(ctx workflow.Context, summary string, activity any) error {
	m.ear.look()
	var st activities.MemberStatus // a new one: what an answer leaves out must not stay
	err := workflow.ExecuteActivity(callStep(ctx, m.in.TeamID.String(), summary), activity, m.in).Get(ctx, &st)
	if err == nil {
		m.st = st
	}
	return err
}

// advance takes the one step that the status calls for.
func (m *memberRun) advance(ctx workflow.Context) error {
	switch m.st.Step {
	case omniflow.StepInvite:
		return m.do(ctx, "send the invitation", act.InviteMember)
	case omniflow.StepReconcile:
		return m.do(ctx, "decide the unknown outcome of the invitation", act.ReconcileInvitation)
	case omniflow.StepDecide:
		return m.do(ctx, "answer the join request", act.DecideJoinRequest)
	case omniflow.StepRemove:
		return m.do(ctx, "ask for the removal", act.RemoveMember)
	case omniflow.StepExpire:
		return m.do(ctx, "the time is over: look at the group once more", act.ExpireMember)
	case omniflow.StepFail:
		return m.do(ctx, "the invitation cannot be delivered", act.FailInvitation)
	case omniflow.StepEnd:
		return m.do(ctx, "look at the member", act.LookAtMember)
	}
	now := workflow.Now(ctx)
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("%s since %s, times out %s.", m.waiting(), clock(now, m.st.Since), clock(now, m.st.Over)))
	if err := m.ear.wait(ctx, m.waiting(), m.st.Until); err != nil {
		return err
	}
	return m.do(ctx, "look at the member", act.LookAtMember)
}

// waiting says what the member waits for.
func (m *memberRun) waiting() string {
	switch {
	case m.st.State == omniflow.MemberRemovePending && m.st.Until.Before(m.st.Over):
		return "Backing off before the removal is asked for again"
	case m.st.State == omniflow.MemberRemovePending:
		return "Waiting for Meta to remove the member"
	case m.st.Asks:
		return "Waiting for somebody to approve or reject the join request"
	case m.st.Message == omniflow.Queued:
		return "Waiting to send the invitation"
	case m.st.Message == omniflow.Unknown:
		return "Waiting to learn whether the invitation left"
	}
	return "Waiting for the member to join"
}
