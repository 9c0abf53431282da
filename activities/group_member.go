package activities

import (
	"context"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// MemberLedger is what is kept of the members of groups.
type MemberLedger interface {
	// LoadGroupMember loads a member; Refusal member_not_found.
	LoadGroupMember(ctx context.Context, ref omniflow.MemberRef) (omniflow.GroupMember, error)
	// PrepareInvitation writes the ledger row of an invitation, once.
	PrepareInvitation(ctx context.Context, ref omniflow.MemberRef) (omniflow.GroupMember, error)
	// FailMember ends a wait with the reason.
	FailMember(ctx context.Context, ref omniflow.MemberRef, code omniflow.Code) (omniflow.GroupMember, error)
	// MemberStepAgain gives back a call that surely was not taken.
	MemberStepAgain(ctx context.Context, ref omniflow.MemberRef, at time.Time, counts bool) (omniflow.GroupMember, error)
	// RemovalAccepted notes that the provider was asked to remove a member.
	RemovalAccepted(ctx context.Context, ref omniflow.MemberRef, requestID string) (omniflow.GroupMember, error)
	// MemberIsGone and MemberIsIn end a wait by what the provider lists.
	MemberIsGone(ctx context.Context, ref omniflow.MemberRef) (omniflow.GroupMember, error)
	MemberIsIn(ctx context.Context, ref omniflow.MemberRef) (omniflow.GroupMember, error)
	// JoinDecided notes that the provider took a decision about a join request.
	JoinDecided(ctx context.Context, ref omniflow.MemberRef, decision string) (omniflow.GroupMember, error)
	// HastenMember makes what backs off due; Refusal member_not_retryable.
	HastenMember(ctx context.Context, ref omniflow.MemberRef) (omniflow.GroupMember, error)
}

// MemberStatus is where a member stands and what is next. Nothing in it is
// the person's.
type MemberStatus struct {
	State   omniflow.GroupMemberState `json:"state"`
	Code    omniflow.Code             `json:"code,omitempty"`
	Message omniflow.MessageState     `json:"message,omitempty"` // the invitation's
	Asks    bool                      `json:"asks,omitempty"`    // to be let in
	Step    omniflow.MemberStep       `json:"step"`
	Since   time.Time                 `json:"since,omitzero"`
	Until   time.Time                 `json:"until,omitzero"` // of a wait
	Over    time.Time                 `json:"over,omitzero"`  // when what is waited for times out
}

func memberStatus(m omniflow.GroupMember) MemberStatus {
	st := MemberStatus{State: m.State, Code: m.Code, Message: m.Message, Asks: m.JoinRequestID != "" && !m.Called, Since: m.Since, Over: m.Deadline}
	st.Step, st.Until = m.Next(time.Now())
	return st
}

// LookAtMember reads where a member stands.
func (a *Activities) LookAtMember(ctx context.Context, in omniflow.MemberRef) (MemberStatus, error) {
	m, err := a.groups.LoadGroupMember(ctx, in)
	return memberStatus(m), asTemporal(err)
}

// InviteMember hands a member's invitation over, through the ledger: claimed,
// sent, recorded. Running it again sends nothing twice.
func (a *Activities) InviteMember(ctx context.Context, in omniflow.MemberRef) (MemberStatus, error) {
	m, err := a.groups.PrepareInvitation(ctx, in)
	if err != nil {
		return MemberStatus{}, asTemporal(err)
	}
	if step, _ := m.Next(time.Now()); step != omniflow.StepInvite {
		return memberStatus(m), nil
	}
	if _, err := a.sendMessage(ctx, omniflow.MessageRef{TeamID: in.TeamID, MessageID: m.MessageID}, nil); err != nil {
		return MemberStatus{}, asTemporal(err)
	}
	return a.LookAtMember(ctx, in)
}

// ReconcileInvitation decides an invitation whose outcome was never learned,
// by the team's policy.
func (a *Activities) ReconcileInvitation(ctx context.Context, in omniflow.MemberRef) (MemberStatus, error) {
	m, err := a.groups.LoadGroupMember(ctx, in)
	if err != nil {
		return MemberStatus{}, asTemporal(err)
	}
	if _, err := a.groups.ReconcileMessage(ctx, omniflow.MessageRef{TeamID: in.TeamID, MessageID: m.MessageID}); err != nil {
		return MemberStatus{}, asTemporal(err)
	}
	return a.LookAtMember(ctx, in)
}

// FailInvitation ends an invitation that will never be delivered, with the
// reason of its message.
func (a *Activities) FailInvitation(ctx context.Context, in omniflow.MemberRef) (MemberStatus, error) {
	m, err := a.groups.LoadGroupMember(ctx, in)
	if err != nil {
		return MemberStatus{}, asTemporal(err)
	}
	if step, _ := m.Next(time.Now()); step != omniflow.StepFail {
		return memberStatus(m), nil
	}
	code := m.MessageCode
	if code == "" {
		code = omniflow.ProviderRejected
	}
	m, err = a.groups.FailMember(ctx, in, code)
	return memberStatus(m), asTemporal(err)
}

// RemoveMember asks the provider to remove a member. Asking twice is asking
// once: who is not in the group counts as removed. Who never was, as a number
// that did not answer its invitation, is found so at once.
func (a *Activities) RemoveMember(ctx context.Context, in omniflow.MemberRef) (MemberStatus, error) {
	m, g, err := a.memberOfGroup(ctx, in)
	if err != nil {
		return MemberStatus{}, asTemporal(err)
	}
	if step, _ := m.Next(time.Now()); step != omniflow.StepRemove {
		return memberStatus(m), nil
	}
	provider, account, err := a.groupProvider(ctx, g.TeamID, g.ChannelAccountID)
	if err != nil {
		return MemberStatus{}, asTemporal(err)
	}
	call, cancel := callContext(ctx, time.Now())
	defer cancel()
	receipt, err := provider.RemoveMember(call, account, g.ProviderID, m.Phone)
	fault := asFault(err)
	if fault == nil {
		if _, err := a.groups.RemovalAccepted(ctx, in, receipt.RequestID); err != nil {
			return MemberStatus{}, asTemporal(err)
		}
		return a.endIfGone(ctx, in, provider, account, g.ProviderID, m.Phone)
	}
	a.log.Warn("a removal failed", "team_id", g.TeamID, "group_id", g.ID, "member_id", m.ID, "code", fault.Code, "fault", fault.Fault)
	if fault.Fault == channel.Ambiguous {
		fault = &channel.Error{Fault: channel.Unavailable, Code: fault.Code, Reason: fault.Reason} // asking again is safe
	}
	if at, counts, again := backoff(fault, m.Tries); again {
		m, err = a.groups.MemberStepAgain(ctx, in, at, counts)
	} else {
		m, err = a.groups.FailMember(ctx, in, finalCode(fault))
	}
	return memberStatus(m), asTemporal(err)
}

// endIfGone ends a removal whose number the provider does not list any more.
func (a *Activities) endIfGone(ctx context.Context, in omniflow.MemberRef, provider channel.Groups, account channel.Account, groupID, phone string) (MemberStatus, error) {
	isIn, err := listed(ctx, provider, account, groupID, phone)
	if err == nil && !isIn {
		m, err := a.groups.MemberIsGone(ctx, in)
		return memberStatus(m), asTemporal(err)
	}
	return a.LookAtMember(ctx, in) // the webhook tells
}

// listed says whether the provider lists a number as member of a group. A
// group that is gone has no members.
func listed(ctx context.Context, provider channel.Groups, account channel.Account, groupID, phone string) (bool, error) {
	g, err := provider.ReadGroup(ctx, account, groupID)
	if fault := asFault(err); fault != nil {
		if fault.Fault == channel.Rejected && fault.Reason == omniflow.NotFound {
			return false, nil
		}
		return false, err
	}
	return slices.Contains(g.Members, phone), nil
}

// ExpireMember ends a wait whose time is over, after one look at the
// provider: a webhook may have been lost.
func (a *Activities) ExpireMember(ctx context.Context, in omniflow.MemberRef) (MemberStatus, error) {
	m, g, err := a.memberOfGroup(ctx, in)
	if err != nil {
		return MemberStatus{}, asTemporal(err)
	}
	if step, _ := m.Next(time.Now()); step != omniflow.StepExpire {
		return memberStatus(m), nil
	}
	provider, account, err := a.groupProvider(ctx, g.TeamID, g.ChannelAccountID)
	if err != nil {
		return MemberStatus{}, asTemporal(err)
	}
	isIn, err := listed(ctx, provider, account, g.ProviderID, m.Phone)
	if fault := asFault(err); fault != nil && fault.Fault != channel.Rejected {
		return MemberStatus{}, temporal.NewApplicationErrorWithOptions("read group", fault.Code, temporal.ApplicationErrorOptions{NextRetryDelay: fault.RetryAfter})
	}
	switch invited := m.State == omniflow.MemberInviting; {
	case invited && isIn:
		m, err = a.groups.MemberIsIn(ctx, in)
	case invited:
		m, err = a.groups.FailMember(ctx, in, omniflow.InviteExpired)
	case isIn || err != nil:
		m, err = a.groups.FailMember(ctx, in, omniflow.RemoveTimeout)
	default:
		m, err = a.groups.MemberIsGone(ctx, in)
	}
	return memberStatus(m), asTemporal(err)
}

// DecideJoinRequest tells the provider whether somebody is let in. A request
// that it does not know any more was decided or taken back: the members tell.
func (a *Activities) DecideJoinRequest(ctx context.Context, in omniflow.MemberRef) (MemberStatus, error) {
	m, g, err := a.memberOfGroup(ctx, in)
	if err != nil {
		return MemberStatus{}, asTemporal(err)
	}
	if step, _ := m.Next(time.Now()); step != omniflow.StepDecide {
		return memberStatus(m), nil
	}
	provider, account, err := a.groupProvider(ctx, g.TeamID, g.ChannelAccountID)
	if err != nil {
		return MemberStatus{}, asTemporal(err)
	}
	call, cancel := callContext(ctx, time.Now())
	defer cancel()
	failed, err := provider.DecideJoinRequests(call, account, g.ProviderID, []string{m.JoinRequestID}, m.JoinDecision == omniflow.JoinApprove)
	fault := asFault(err)
	if fault == nil {
		fault = failed[m.JoinRequestID]
	}
	switch {
	case fault == nil:
		m, err = a.groups.JoinDecided(ctx, in, m.JoinDecision)
		return memberStatus(m), asTemporal(err)
	case fault.Reason == omniflow.GroupJoinRequestGone:
		return a.afterLostRequest(ctx, in, provider, account, g.ProviderID, m)
	case fault.Fault == channel.Ambiguous:
		fault = &channel.Error{Fault: channel.Unavailable, Code: fault.Code, Reason: fault.Reason} // deciding again is safe
	}
	if at, counts, again := backoff(fault, m.Tries); again {
		m, err = a.groups.MemberStepAgain(ctx, in, at, counts)
	} else {
		m, err = a.groups.FailMember(ctx, in, finalCode(fault))
	}
	return memberStatus(m), asTemporal(err)
}

// afterLostRequest ends a join request that the provider does not know.
func (a *Activities) afterLostRequest(ctx context.Context, in omniflow.MemberRef, provider channel.Groups, account channel.Account, groupID string, m omniflow.GroupMember) (MemberStatus, error) {
	isIn, err := listed(ctx, provider, account, groupID, m.Phone)
	switch {
	case err != nil:
		m, err = a.groups.MemberStepAgain(ctx, in, time.Now().Add(time.Minute), true)
	case isIn:
		m, err = a.groups.MemberIsIn(ctx, in)
	default:
		m, err = a.groups.FailMember(ctx, in, omniflow.JoinRevoked)
	}
	return memberStatus(m), asTemporal(err)
}

// HastenMember makes a call that backs off due now, because somebody asked.
func (a *Activities) HastenMember(ctx context.Context, in omniflow.MemberRef) (MemberStatus, error) {
	m, err := a.groups.HastenMember(ctx, in)
	return memberStatus(m), asTemporal(err)
}

func (a *Activities) memberOfGroup(ctx context.Context, in omniflow.MemberRef) (omniflow.GroupMember, omniflow.Group, error) {
	m, err := a.groups.LoadGroupMember(ctx, in)
	if err != nil {
		return m, omniflow.Group{}, err
	}
	g, err := a.groups.LoadGroup(ctx, in.TeamID, in.GroupID)
	return m, g, err
}
