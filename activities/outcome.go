package activities

import (
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

const (
	// maxThrottles is how often one message is sent again after a throttle
	// answer (SYS-05); each waits, none costs an attempt.
	maxThrottles = 20
	// retryKeyLife ends an hour before LINE forgets a retry key: after that
	// the same key would deliver again (channels/line.md section 5).
	retryKeyLife = 23 * time.Hour
)

// attempt is one provider call for one row, as it ended.
type attempt struct {
	message        omniflow.ClaimedMessage
	receipt        channel.Receipt
	fault          *channel.Error // nil: accepted
	started, ended time.Time
	reconcileAfter time.Duration
}

// record turns an attempt into what the ledger is told (design section 4).
func (t attempt) record() omniflow.Record {
	r := omniflow.Record{MessageID: t.message.ID, Attempt: t.message.Attempt, Tries: t.message.Tries,
		At: t.ended, Latency: t.ended.Sub(t.started)}
	if t.fault == nil {
		r.State, r.ProviderID, r.HTTPStatus, r.Trace = omniflow.Sent, t.receipt.ProviderID, t.receipt.HTTPStatus, t.receipt.Trace
		r.Tries++
		return r
	}
	r.Code, r.FaultCode, r.HTTPStatus, r.Trace = t.fault.Reason, t.fault.Code, t.fault.HTTPStatus, t.fault.Trace
	switch t.fault.Fault {
	case channel.Throttled:
		t.throttled(&r)
	case channel.Unavailable:
		t.unavailable(&r)
	case channel.Ambiguous:
		t.ambiguous(&r)
	case channel.Misconfigured:
		r.State, r.KeepKey = omniflow.Queued, t.doubtful() // waits until an operator acts
	default:
		r.State = omniflow.Failed
		r.Tries++
	}
	return r
}

// doubtful says that a call under the row's retry key may have been taken,
// before this one or by one of its own tries: the key must not be dropped.
func (t attempt) doubtful() bool {
	return t.message.RetryKey != uuid.Nil && (t.message.Again || t.fault.Doubtful)
}

// giveUp ends a row that was tried often enough: failed; or, where a call may
// have been taken, the same key goes again for as long as the provider knows
// it, and then the outcome is unknown.
func (t attempt) giveUp(r *omniflow.Record, code omniflow.Code) {
	if t.doubtful() {
		t.ambiguous(r)
		return
	}
	r.State, r.Code = omniflow.Failed, code
}

// throttled: not taken, again after what the provider asks, at no cost.
func (t attempt) throttled(r *omniflow.Record) {
	throttles := t.message.Attempt - t.message.Tries
	if throttles > maxThrottles {
		t.giveUp(r, omniflow.ProviderThrottled)
		return
	}
	wait := max(t.fault.RetryAfter, omniflow.Backoff(1, rand.Float64()))
	if t.fault.Scope == channel.ScopeMessage {
		wait = max(t.fault.RetryAfter, omniflow.PairBackoff(throttles))
	}
	r.State, r.DueAt, r.KeepKey = omniflow.Queued, t.ended.Add(wait), t.doubtful()
}

// unavailable: not taken, again with backoff, five attempts in all. Where
// nothing was handed over, because no connection was made or it was too late,
// it costs no attempt: an outage fails nobody, however long it lasts.
func (t attempt) unavailable(r *omniflow.Record) {
	backoff := t.message.Attempt
	if !notHandedOver[t.fault.Code] {
		r.Tries++
		backoff = r.Tries
		if r.Tries >= omniflow.MaxAttempts {
			t.giveUp(r, omniflow.RetriesExhausted)
			return
		}
	}
	r.State, r.KeepKey = omniflow.Queued, t.doubtful()
	r.DueAt = t.ended.Add(max(t.fault.RetryAfter, omniflow.Backoff(backoff, rand.Float64())))
}

// notHandedOver are the codes of calls that never began.
var notHandedOver = map[string]bool{"dial": true, "cancelled": true, "too_late": true}

// ambiguous: perhaps taken. With a retry key it goes again under that key as
// long as the provider remembers it; without one it waits for the proof.
func (t attempt) ambiguous(r *omniflow.Record) {
	r.Code = omniflow.OutcomeUnknown
	if t.message.RetryKey != uuid.Nil && !expired(t.message.RetryKey, t.ended) {
		r.State, r.KeepKey = omniflow.Queued, true
		r.DueAt = t.ended.Add(omniflow.Backoff(t.message.Attempt, rand.Float64()))
		return
	}
	r.State, r.DueAt = omniflow.Unknown, t.started.Add(t.reconcileAfter)
}

// expired says that the provider may have forgotten a retry key: the same call
// could deliver again.
func expired(key uuid.UUID, now time.Time) bool { return now.Sub(madeAt(key)) >= retryKeyLife }

// madeAt is the time in a UUIDv7, in milliseconds.
func madeAt(id uuid.UUID) time.Time {
	var ms int64
	for _, b := range id[:6] {
		ms = ms<<8 | int64(b)
	}
	return time.UnixMilli(ms)
}
