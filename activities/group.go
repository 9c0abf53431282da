package activities

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/temporal"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// GroupLedger is what is kept of WhatsApp groups, their members and messages.
// Every method is one transaction, conditional on what it finds, and returns
// what it left.
type GroupLedger interface {
	// LoadGroup loads a group; Refusal not_found.
	LoadGroup(ctx context.Context, teamID, id uuid.UUID) (omniflow.Group, error)
	// BeginGroupCall claims the create call and commits; true: the caller makes it.
	// A claim that is found becomes unknown.
	BeginGroupCall(ctx context.Context, teamID, id uuid.UUID) (omniflow.Group, bool, error)
	// GroupCallAccepted, GroupCallLost and GroupCallAgain are how the call ended.
	GroupCallAccepted(ctx context.Context, teamID, id uuid.UUID, requestID string) (omniflow.Group, error)
	GroupCallLost(ctx context.Context, teamID, id uuid.UUID) (omniflow.Group, error)
	GroupCallAgain(ctx context.Context, teamID, id uuid.UUID, at time.Time, counts bool) (omniflow.Group, error)
	// GroupNotFound notes that the provider lists no such group.
	GroupNotFound(ctx context.Context, teamID, id uuid.UUID, nextAt time.Time) (omniflow.Group, error)
	// DecideGroup ends a review.
	DecideGroup(ctx context.Context, teamID, id uuid.UUID, r omniflow.GroupResult, code omniflow.Code, providerID, link string) (omniflow.Group, error)

	MemberLedger
	ChangeLedger
	MessageLedger
}

// AddGroups gives a what it needs for WhatsApp groups.
func AddGroups(a *Activities, ledger GroupLedger, providers map[omniflow.Channel]channel.Groups) {
	a.groups, a.providers = ledger, providers
}

// GroupStatus is where a creation stands and what is next.
type GroupStatus struct {
	State omniflow.GroupState `json:"state"`
	Code  omniflow.Code       `json:"code,omitempty"`
	Call  omniflow.CreateCall `json:"call"`
	Step  omniflow.GroupStep  `json:"step"`
	Since time.Time           `json:"since,omitzero"` // of the create call
	Until time.Time           `json:"until,omitzero"` // of a wait
	Over  time.Time           `json:"over,omitzero"`  // when the review times out
}

func groupStatus(g omniflow.Group) GroupStatus {
	st := GroupStatus{State: g.State, Code: g.Code, Call: g.Call, Since: g.CalledAt, Over: g.ReviewUntil}
	st.Step, st.Until = g.Next(time.Now())
	return st
}

// LookAtGroup reads where a creation stands.
func (a *Activities) LookAtGroup(ctx context.Context, in omniflow.GroupRef) (GroupStatus, error) {
	g, err := a.groups.LoadGroup(ctx, in.TeamID, in.GroupID)
	return groupStatus(g), asTemporal(err)
}

// AskForGroup makes the one create call of a group. It is claimed before a
// byte leaves: whoever runs this again after a crash, or after an answer was
// lost, makes no second call; the group is looked for instead.
func (a *Activities) AskForGroup(ctx context.Context, in omniflow.GroupRef) (GroupStatus, error) {
	g, mine, err := a.groups.BeginGroupCall(ctx, in.TeamID, in.GroupID)
	if err != nil || !mine {
		return groupStatus(g), asTemporal(err)
	}
	provider, account, err := a.groupProvider(ctx, g.TeamID, g.ChannelAccountID)
	if err != nil {
		// Nothing left: the claim is given back.
		g, again := a.groups.GroupCallAgain(ctx, in.TeamID, in.GroupID, time.Now().Add(omniflow.FirstPause), false)
		if again != nil {
			return GroupStatus{}, asTemporal(again)
		}
		return groupStatus(g), nil
	}
	call, cancel := callContext(ctx, time.Now())
	defer cancel()
	receipt, err := provider.CreateGroup(call, account, channel.GroupSpec{Subject: g.Name,
		Description: omniflow.MarkedDescription(g.Description, omniflow.GroupMarker(g.ID)), ApprovalRequired: g.ApprovalRequired})
	var out omniflow.Group
	err = insist(ctx, func(ctx context.Context) (e error) {
		out, e = a.recordGroupCall(ctx, g, receipt, asFault(err))
		return e
	})
	return groupStatus(out), asTemporal(err)
}

// recordGroupCall writes how a create call ended.
func (a *Activities) recordGroupCall(ctx context.Context, g omniflow.Group, receipt channel.GroupReceipt, fault *channel.Error) (omniflow.Group, error) {
	if fault == nil {
		return a.groups.GroupCallAccepted(ctx, g.TeamID, g.ID, receipt.RequestID)
	}
	a.log.Warn("a create call of a group failed", "team_id", g.TeamID, "group_id", g.ID, "code", fault.Code, "fault", fault.Fault)
	at, counts, again := backoff(fault, g.Tries)
	switch {
	case again:
		return a.groups.GroupCallAgain(ctx, g.TeamID, g.ID, at, counts)
	case fault.Fault == channel.Ambiguous:
		return a.groups.GroupCallLost(ctx, g.TeamID, g.ID)
	}
	return a.groups.DecideGroup(ctx, g.TeamID, g.ID, omniflow.GroupRefused, finalCode(fault), "", "")
}

// backoff says when a call that surely was not taken is due again after so
// many tries before: five in all, and after a throttle answer 20 (SYS-05).
func backoff(fault *channel.Error, tries int) (at time.Time, counts, again bool) {
	pause := omniflow.Backoff(tries+1, rand.Float64())
	switch {
	case fault.Fault == channel.Throttled && tries < maxThrottles:
		return time.Now().Add(max(fault.RetryAfter, pause)), true, true
	case fault.Fault == channel.Unavailable && tries+1 < omniflow.MaxAttempts:
		return time.Now().Add(max(fault.RetryAfter, pause)), true, true
	}
	return time.Time{}, false, false
}

// finalCode is the reason of what will not be tried again.
func finalCode(fault *channel.Error) omniflow.Code {
	switch {
	case fault.Fault == channel.Unavailable:
		return omniflow.RetriesExhausted
	case fault.Reason == "":
		return omniflow.ProviderRejected
	}
	return fault.Reason
}

// LookForGroup looks for a group among those that the provider lists: because
// the answer to the create call was lost, or because the review took too long.
// Running it again only looks again.
func (a *Activities) LookForGroup(ctx context.Context, in omniflow.GroupRef) (GroupStatus, error) {
	g, err := a.groups.LoadGroup(ctx, in.TeamID, in.GroupID)
	if err != nil || g.State != omniflow.GroupReviewing {
		return groupStatus(g), asTemporal(err)
	}
	provider, account, err := a.groupProvider(ctx, g.TeamID, g.ChannelAccountID)
	if err != nil {
		return GroupStatus{}, asTemporal(err)
	}
	found, err := findGroup(ctx, provider, account, g)
	if fault := asFault(err); fault != nil && fault.Fault != channel.Rejected {
		return GroupStatus{}, temporal.NewApplicationErrorWithOptions("list groups", fault.Code, temporal.ApplicationErrorOptions{NextRetryDelay: fault.RetryAfter})
	}
	switch now := time.Now(); {
	case found != "":
		link := ""
		if got, err := provider.InviteLink(ctx, account, found, false); err == nil {
			link = got // without it the link is read when somebody wants it
		}
		g, err = a.groups.DecideGroup(ctx, g.TeamID, g.ID, omniflow.GroupSucceeded, "", found, link)
	case !g.ReviewUntil.After(now):
		g, err = a.groups.DecideGroup(ctx, g.TeamID, g.ID, omniflow.GroupTimedOut, omniflow.ReviewTimeout, "", "")
	default:
		g, err = a.groups.GroupNotFound(ctx, g.TeamID, g.ID, now.Add(lookPause(g.Tries)))
	}
	return groupStatus(g), asTemporal(err)
}

// lookPause is 10, 20, 40 s … between two looks, an hour at most.
func lookPause(looks int) time.Duration { return min(10*time.Second<<min(looks, 10), time.Hour) }

// madeBefore is how much older than its create call the provider may say that
// a group is: clocks differ.
const madeBefore = 5 * time.Minute

// findGroup gives the provider's id of the group that carries g's marker, or "".
func findGroup(ctx context.Context, provider channel.Groups, account channel.Account, g omniflow.Group) (string, error) {
	marked := omniflow.MarkedDescription(g.Description, omniflow.GroupMarker(g.ID))
	for after := ""; ; {
		page, next, err := provider.ListGroups(ctx, account, after)
		if err != nil {
			return "", err
		}
		for _, candidate := range page {
			if candidate.Subject != g.Name || !candidate.CreatedAt.IsZero() && candidate.CreatedAt.Before(g.CalledAt.Add(-madeBefore)) {
				continue
			}
			whole, err := provider.ReadGroup(ctx, account, candidate.ID)
			if err != nil {
				return "", err
			}
			if whole.Description == marked {
				return candidate.ID, nil
			}
		}
		if next == "" || next == after {
			return "", nil
		}
		after = next
	}
}

// groupProvider gives who runs the groups of an account.
func (a *Activities) groupProvider(ctx context.Context, teamID, accountID uuid.UUID) (channel.Groups, channel.Account, error) {
	account, err := a.accounts.Account(ctx, teamID, accountID)
	if err != nil {
		return nil, account, err
	}
	provider, ok := a.providers[omniflow.WhatsApp]
	if !ok {
		return nil, account, omniflow.Refuse(omniflow.ChannelAccountInvalid, "D-GRP-1", "no provider of groups")
	}
	return provider, account, nil
}

// insistFor is how long an outcome that is known is tried to be written: it
// must not become ambiguous.
const insistFor = 10 * time.Second

// insist tries f until it succeeds or insistFor is over, whatever becomes of ctx.
func insist(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), insistFor)
	defer cancel()
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		err := f(ctx)
		if err == nil || wait(ctx, pause) != nil {
			return err
		}
	}
}
