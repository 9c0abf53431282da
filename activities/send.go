package activities

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// sendWithin bounds a provider call, counted from the claim. It is shorter
// than every reconcile_after: when a row may be sent again, no call of an
// earlier attempt is still under way.
const sendWithin = 10 * time.Second

// sendOne hands one row to the provider, within its group's deadline, and its
// outcome to the recorder.
func (r *sliceRun) sendOne(ctx context.Context, m omniflow.ClaimedMessage, at time.Time) {
	t := attempt{message: m, reconcileAfter: r.job.ReconcileAfter}
	err := forgotten(m)
	if err == nil {
		err = r.pass(ctx, at)
	}
	t.started = time.Now()
	if err == nil {
		t.receipt, err = r.sender.Send(r.paced(ctx), r.account, channel.Message{Key: channel.Key{MessageID: m.ID, Attempt: m.Attempt},
			RetryKey: m.RetryKey, Recipient: m.Recipient, Contents: omniflow.FillContents(r.contents[m.ContentID], m.Name)})
	}
	t.ended, t.fault = time.Now(), asFault(err)
	r.meter.Attempt(r.slice.Channel, result(t.fault), t.ended.Sub(t.started), 1)
	r.react(ctx, t.fault)
	r.recorder.add(t.record())
}

// sendChunk hands one multicast chunk to the provider. All of its rows share
// the outcome, but for recipients that the provider names.
func (r *sliceRun) sendChunk(ctx context.Context, messages []omniflow.ClaimedMessage, at time.Time) {
	started := time.Now()
	ctx, cancel := callContext(ctx, at)
	defer cancel()
	recipients := make([]string, len(messages))
	for i, m := range messages {
		recipients[i] = m.Recipient
	}
	var receipt channel.Receipt
	err := forgotten(messages[0])
	if err == nil {
		if err = r.pass(ctx, at); err == nil {
			receipt, err = r.sender.(channel.Multicaster).Multicast(r.paced(ctx), r.account, messages[0].RetryKey, recipients, r.contents[messages[0].ContentID])
		}
	}
	ended, fault := time.Now(), asFault(err)
	r.meter.Attempt(r.slice.Channel, result(fault), ended.Sub(started), len(messages))
	r.react(ctx, fault)
	refused := map[int]bool{}
	if fault != nil {
		for _, i := range fault.Recipients {
			refused[i] = true
		}
	}
	records := make([]omniflow.Record, len(messages))
	for i, m := range messages {
		t := attempt{message: m, receipt: receipt, fault: fault, started: started, ended: ended, reconcileAfter: r.job.ReconcileAfter}
		records[i] = t.record()
		if fault != nil && fault.Fault == channel.Rejected && len(messages) > 1 && !refused[i] {
			// Nobody was sent to: the others go again, in a chunk without the
			// refused, or one by one where the provider named nobody.
			records[i].State, records[i].Code, records[i].DueAt = omniflow.Queued, "", time.Time{}
		}
	}
	if fault != nil && fault.Fault == channel.Rejected && len(refused) == 0 && len(messages) > 1 {
		r.singly.Add(int64(len(messages)))
	}
	r.recorder.add(records...)
}

// forgotten is the error of a row whose earlier call may have been taken, and
// whose retry key LINE may not remember any more: asking again could deliver
// twice.
func forgotten(m omniflow.ClaimedMessage) error {
	if m.RetryKey == uuid.Nil || !m.Again || !expired(m.RetryKey, time.Now()) {
		return nil
	}
	return &channel.Error{Fault: channel.Ambiguous, Scope: channel.ScopeMessage, Code: "retry_key_expired", Reason: omniflow.OutcomeUnknown}
}

// paced lets what a sender repeats by itself wait for its turn too.
func (r *sliceRun) paced(ctx context.Context) context.Context {
	return channel.BeforeRepeat(ctx, func(ctx context.Context) error { return r.pacer.Pass(ctx, r.account.ID, r.limiter) })
}

// staleSlot is how long after its slot a send may begin without a new one: a
// claim that the database held up must not go out beside those of other
// processes that have the slots of now.
const staleSlot = 100 * time.Millisecond

// pass is the last check before the wire: no more sends in a second than the
// account may make, however late this one is. at is when its slot was. Nothing
// is written after a refusal.
func (r *sliceRun) pass(ctx context.Context, at time.Time) error {
	var err error
	if time.Since(at) > staleSlot {
		_, err = r.pacer.Take(ctx, r.account.ID, r.limiter, 1)
	}
	if err == nil {
		err = r.pacer.Pass(ctx, r.account.ID, r.limiter)
	}
	if err == nil {
		return nil
	}
	return &channel.Error{Fault: channel.Unavailable, Scope: channel.ScopeMessage, Code: "too_late", Reason: omniflow.ProviderDown, Err: err}
}

// callContext bounds one call of rows claimed at the given time. The call
// outlives the activity: what has been claimed is finished, so that its
// outcome is known. A claim that is too old by now is not sent at all.
func callContext(ctx context.Context, at time.Time) (context.Context, context.CancelFunc) {
	return context.WithDeadline(context.WithoutCancel(ctx), at.Add(sendWithin))
}

// react tells the limiter, the lane or the account what a fault is about.
func (r *sliceRun) react(ctx context.Context, fault *channel.Error) {
	if fault == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendWithin)
	defer cancel()
	var err error
	stopped := false
	switch {
	case fault.Fault == channel.Throttled && fault.Scope == channel.ScopeAccount:
		r.meter.Slowed(r.slice.Channel, fault.Code)
		err = r.ledger.Throttled(ctx, r.account.ID, r.limiter, fault.Code, fault.RetryAfter)
		r.pacer.Slow(r.account.ID, r.limiter)
	case fault.Fault == channel.Misconfigured && fault.Scope == channel.ScopeTemplate:
		stopped, err = r.ledger.StopLane(ctx, r.slice.Lane, fault.Reason)
	case fault.Fault == channel.Misconfigured:
		stopped, err = r.ledger.StopAccount(ctx, r.slice.TeamID, r.account.ID, fault.Code)
	}
	if stopped {
		r.meter.Stopped(r.slice.Channel, fault.Code)
		r.log.Error("a stop code: nothing more is sent until an operator acts", "team_id", r.slice.TeamID,
			"channel", r.slice.Channel, "broadcast_id", r.slice.BroadcastID, "code", fault.Code)
	}
	if err != nil {
		r.log.Warn("the provider's answer is not noted", "channel", r.slice.Channel, "code", fault.Code, "error", err)
	}
}

// asFault makes any error a fault: one that no sender classified is a bug,
// and whatever it was, the message may have left.
func asFault(err error) *channel.Error {
	if err == nil {
		return nil
	}
	var fault *channel.Error
	if errors.As(err, &fault) {
		return fault
	}
	return &channel.Error{Fault: channel.Ambiguous, Scope: channel.ScopeMessage, Code: "unclassified", Reason: omniflow.OutcomeUnknown, Err: err}
}

// result is the label under which an attempt is counted.
func result(fault *channel.Error) string {
	if fault == nil {
		return "accepted"
	}
	return string(fault.Fault)
}
