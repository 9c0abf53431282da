package activities

import (
	"context"
	"time"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// ChangeLedger is what is kept of the changes of groups.
type ChangeLedger interface {
	// LoadGroupChange loads a change; Refusal not_found.
	LoadGroupChange(ctx context.Context, ref omniflow.ChangeRef) (omniflow.GroupChange, error)
	// GroupChangeAccepted and GroupChangeAgain are how its call ended.
	GroupChangeAccepted(ctx context.Context, ref omniflow.ChangeRef, requestID string) (omniflow.GroupChange, error)
	GroupChangeAgain(ctx context.Context, ref omniflow.ChangeRef, at time.Time, counts bool) (omniflow.GroupChange, error)
	// EndGroupChange ends it; link is a new invite link.
	EndGroupChange(ctx context.Context, ref omniflow.ChangeRef, state string, code omniflow.Code, link string) (omniflow.GroupChange, error)
}

// ChangeStatus is where a change of a group stands.
type ChangeStatus struct {
	Kind  string        `json:"kind"`
	State string        `json:"state"`
	Code  omniflow.Code `json:"code,omitempty"`
	Wait  bool          `json:"wait,omitempty"`
	Until time.Time     `json:"until,omitzero"`
}

func changeStatus(c omniflow.GroupChange) ChangeStatus {
	st := ChangeStatus{Kind: c.Kind, State: c.State, Code: c.Code}
	switch now := time.Now(); {
	case c.State != omniflow.ChangePending:
	case c.NextAt.After(now):
		st.Wait, st.Until = true, c.NextAt
	case c.Called && c.Deadline.After(now):
		st.Wait, st.Until = true, c.Deadline
	}
	return st
}

// StepGroupChange does what is due about a change: the provider's call, which
// may be made twice without harm, or its end when no webhook told of it in
// time.
func (a *Activities) StepGroupChange(ctx context.Context, in omniflow.ChangeRef) (ChangeStatus, error) {
	c, err := a.groups.LoadGroupChange(ctx, in)
	if err != nil {
		return ChangeStatus{}, asTemporal(err)
	}
	if st := changeStatus(c); st.Wait || c.State != omniflow.ChangePending {
		return st, nil
	}
	if c.Called {
		c, err = a.groups.EndGroupChange(ctx, in, omniflow.ChangeFailed, omniflow.ChangeTimeout, "")
		return changeStatus(c), asTemporal(err)
	}
	c, err = a.callGroupChange(ctx, in, c)
	return changeStatus(c), asTemporal(err)
}

func (a *Activities) callGroupChange(ctx context.Context, in omniflow.ChangeRef, c omniflow.GroupChange) (omniflow.GroupChange, error) {
	provider, account, err := a.groupProvider(ctx, c.TeamID, c.ChannelAccountID)
	if err != nil {
		return c, err
	}
	call, cancel := callContext(ctx, time.Now())
	defer cancel()
	var receipt channel.GroupReceipt
	link := ""
	switch c.Kind {
	case omniflow.ChangeResetLink:
		link, err = provider.InviteLink(call, account, c.ProviderID, true)
	case omniflow.ChangeDelete:
		receipt, err = provider.DeleteGroup(call, account, c.ProviderID)
	default:
		description := c.Description
		if description != "" {
			description = omniflow.MarkedDescription(description, c.Marker)
		}
		receipt, err = provider.UpdateGroup(call, account, c.ProviderID, c.Name, description)
	}
	fault := asFault(err)
	if fault != nil && fault.Fault == channel.Ambiguous {
		fault = &channel.Error{Fault: channel.Unavailable, Code: fault.Code, Reason: fault.Reason} // doing it again is safe
	}
	if fault == nil && c.Kind == omniflow.ChangeResetLink {
		return a.groups.EndGroupChange(ctx, in, omniflow.ChangeDone, "", link)
	}
	if fault == nil {
		return a.groups.GroupChangeAccepted(ctx, in, receipt.RequestID)
	}
	if at, counts, again := backoff(fault, c.Tries); again {
		return a.groups.GroupChangeAgain(ctx, in, at, counts)
	}
	return a.groups.EndGroupChange(ctx, in, omniflow.ChangeFailed, finalCode(fault), "")
}
