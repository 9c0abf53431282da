package activities

import (
	"context"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// MessageLedger is the outbound ledger for messages outside every broadcast.
type MessageLedger interface {
	// MessageStatus reads where a message stands; Refusal not_found.
	MessageStatus(ctx context.Context, ref omniflow.MessageRef) (omniflow.MessageStatus, error)
	// ClaimMessage takes a message for sending and commits; nil: not now. One
	// that is found in sending becomes unknown.
	ClaimMessage(ctx context.Context, ref omniflow.MessageRef) (*omniflow.OutgoingMessage, omniflow.MessageStatus, error)
	// PostponeMessage lets a queued message wait.
	PostponeMessage(ctx context.Context, ref omniflow.MessageRef, at time.Time, code omniflow.Code) error
	// ReconcileMessage decides a message whose outcome is unknown and due.
	ReconcileMessage(ctx context.Context, ref omniflow.MessageRef) (omniflow.MessageStatus, error)
	// MessageFiles lists the files that a message carries, and where it goes.
	MessageFiles(ctx context.Context, ref omniflow.MessageRef) (omniflow.MessageFiles, error)
	// MessageTried lets a queued message wait, at the cost of one of its tries.
	MessageTried(ctx context.Context, ref omniflow.MessageRef, at time.Time, code omniflow.Code) error
	// FailMessage ends a queued message that can never be sent.
	FailMessage(ctx context.Context, ref omniflow.MessageRef, code omniflow.Code) error
	// LeaseInteractive takes one send slot in front of all bulk traffic, if it comes within the patience.
	LeaseInteractive(ctx context.Context, accountID uuid.UUID, name omniflow.LimiterName, patience time.Duration) (omniflow.Lease, error)
}

// slotPatience is how long a message waits for its send slot inside an attempt.
const slotPatience = 3 * time.Second

// sendMessage hands one message over if it is due: claimed, sent, recorded; its
// files have been prepared. Running it again sends nothing twice: a claim that
// an earlier attempt left is unknown, and sent again only when the team's policy
// has decided so.
func (a *Activities) sendMessage(ctx context.Context, ref omniflow.MessageRef, files preparedFiles) (omniflow.MessageStatus, error) {
	st, err := a.groups.MessageStatus(ctx, ref)
	if err != nil || st.State != omniflow.Queued && st.State != omniflow.Sending || st.DueAt.After(time.Now()) {
		return st, err
	}
	if st.State == omniflow.Queued {
		ready, err := a.takeSlot(ctx, ref, st.ChannelAccountID)
		if err != nil || !ready {
			return st, err
		}
	}
	m, st, err := a.groups.ClaimMessage(ctx, ref)
	if err != nil || m == nil {
		return st, err
	}
	at := time.Now()
	account, err := a.accounts.Account(ctx, ref.TeamID, m.ChannelAccountID)
	var t attempt
	if err != nil {
		// Nothing left: as after an answer that says so.
		t = attempt{message: m.ClaimedMessage, started: at, ended: at, reconcileAfter: m.ReconcileAfter,
			fault: &channel.Error{Fault: channel.Unavailable, Scope: channel.ScopeMessage, Code: "account", Reason: omniflow.ProviderDown}}
	} else {
		files.fill(m.Contents)
		t = a.deliver(ctx, *m, account, at)
	}
	r := t.record()
	if t.fault != nil && t.fault.Fault == channel.Misconfigured {
		r.State, r.DueAt = omniflow.Queued, t.ended.Add(time.Second) // the next claim finds the account stopped
		if t.fault.Scope == channel.ScopeTemplate {
			r.State, r.DueAt = omniflow.Failed, time.Time{} // one message: who sent it decides
		}
	}
	err = insist(ctx, func(ctx context.Context) error {
		_, err := a.ledger.RecordMessages(ctx, ref.TeamID, []omniflow.Record{r})
		return err
	})
	if err != nil {
		return st, err
	}
	return a.groups.MessageStatus(ctx, ref)
}

// takeSlot waits for a send slot of an account; false: there is none soon, and
// the message waits in the ledger.
func (a *Activities) takeSlot(ctx context.Context, ref omniflow.MessageRef, accountID uuid.UUID) (bool, error) {
	lease, err := a.groups.LeaseInteractive(ctx, accountID, omniflow.MessagesLimiter, slotPatience)
	if err != nil {
		return false, err
	}
	if lease.Slots == 0 {
		return false, a.groups.PostponeMessage(ctx, ref, time.Now().Add(max(lease.Delay, time.Second)), omniflow.ProviderThrottled)
	}
	return true, wait(ctx, lease.Delay)
}

// deliver makes the provider's call for a claimed message.
func (a *Activities) deliver(ctx context.Context, m omniflow.OutgoingMessage, account channel.Account, at time.Time) attempt {
	call, cancel := callContext(ctx, at)
	defer cancel()
	message := channel.Message{Key: channel.Key{MessageID: m.ID, Attempt: m.Attempt}, RetryKey: m.RetryKey, Recipient: m.Recipient,
		Contents: m.Contents, QuotedID: m.QuotedID, HumanAgent: m.ToGroup || m.Origin == omniflow.OriginAgent}
	t := attempt{message: m.ClaimedMessage, started: time.Now(), reconcileAfter: m.ReconcileAfter}
	err := forgotten(m.ClaimedMessage)
	switch sender := a.senders[m.Channel]; {
	case err != nil:
	case m.ToGroup && a.providers[m.Channel] != nil:
		t.receipt, err = a.providers[m.Channel].SendToGroup(call, account, message)
	case !m.ToGroup && sender != nil:
		t.receipt, err = sender.Send(call, account, message)
	default:
		err = channel.Refused(omniflow.Refuse(omniflow.ContentUnsupported, "MSG-01", "nothing sends to %s", m.Channel))
	}
	t.ended, t.fault = time.Now(), asFault(err)
	a.meter.Attempt(m.Channel, result(t.fault), t.ended.Sub(t.started), 1)
	a.heed(ctx, m, t.fault)
	return t
}

// heed tells the limiter or the account what a fault is about.
func (a *Activities) heed(ctx context.Context, m omniflow.OutgoingMessage, fault *channel.Error) {
	if fault == nil || fault.Scope != channel.ScopeAccount {
		return
	}
	var err error
	switch fault.Fault {
	case channel.Throttled:
		a.meter.Slowed(m.Channel, fault.Code)
		err = a.ledger.Throttled(ctx, m.ChannelAccountID, omniflow.MessagesLimiter, fault.Code, fault.RetryAfter)
	case channel.Misconfigured:
		a.meter.Stopped(m.Channel, fault.Code)
		_, err = a.ledger.StopAccount(ctx, m.TeamID, m.ChannelAccountID, fault.Code)
	}
	if err != nil {
		a.log.Warn("the provider's answer is not noted", "channel", m.Channel, "code", fault.Code, "error", err)
	}
}
