package activities

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

const (
	reconcileAfter = 10 * time.Minute
	awayCode       = omniflow.Code("provider_unavailable")
)

// keyMadeAt is a retry key of the given age at now.
func keyMadeAt(now time.Time, age time.Duration) uuid.UUID {
	ms := now.Add(-age).UnixMilli()
	id := uuid.Must(uuid.NewV7())
	for i := range 6 {
		id[i] = byte(ms >> (8 * (5 - i)))
	}
	return id
}

// ended is when every attempt of these tests ended; it was claimed 3 s before.
var ended = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// kind is what an attempt was like besides its fault.
type kind struct {
	line, again, doubtful bool
	keyAge                time.Duration
	attempt, tries        int
}

func (k kind) with(f *channel.Error) attempt {
	if k.attempt == 0 {
		k.attempt = 1
	}
	m := omniflow.ClaimedMessage{ID: uuid.Must(uuid.NewV7()), Attempt: k.attempt, Tries: k.tries, AttemptedAt: ended.Add(-3 * time.Second), Again: k.again}
	if k.line {
		m.RetryKey = keyMadeAt(ended, k.keyAge)
	}
	if f != nil {
		f.Doubtful = k.doubtful
	}
	return attempt{message: m, fault: f, started: ended.Add(-2 * time.Second), ended: ended, reconcileAfter: reconcileAfter}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	throttled := channel.Error{Fault: channel.Throttled, Scope: channel.ScopeAccount, Reason: omniflow.ProviderThrottled}
	pair := channel.Error{Fault: channel.Throttled, Scope: channel.ScopeMessage, Reason: omniflow.ProviderThrottled}
	asked := channel.Error{Fault: channel.Throttled, Scope: channel.ScopeMessage, Reason: omniflow.ProviderThrottled, RetryAfter: 30 * time.Second}
	away := channel.Error{Fault: channel.Unavailable, Scope: channel.ScopeAccount, Reason: awayCode}
	awayFor := channel.Error{Fault: channel.Unavailable, Scope: channel.ScopeAccount, Reason: awayCode, RetryAfter: 90 * time.Second}
	lost := channel.Error{Fault: channel.Ambiguous, Scope: channel.ScopeMessage}
	refused := channel.Error{Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.WindowClosed}
	stop := channel.Error{Fault: channel.Misconfigured, Scope: channel.ScopeAccount, Reason: omniflow.AccountStopped}
	unknownFault := channel.Error{Fault: "new", Reason: omniflow.WindowClosed}
	line := kind{line: true}
	again := kind{line: true, again: true}
	doubtful := kind{line: true, doubtful: true}
	nth := func(k kind, attempt, tries int) kind { k.attempt, k.tries = attempt, tries; return k }
	old := func(k kind, age time.Duration) kind { k.keyAge = age; return k }
	const s = time.Second
	for _, c := range []struct {
		name     string
		kind     kind
		fault    channel.Error
		state    omniflow.MessageState
		tries    int
		keep     bool
		from, to time.Duration // DueAt after the end; both 0: none
		code     omniflow.Code
	}{
		{"a throttle costs no attempt", kind{}, throttled, omniflow.Queued, 0, false, 800 * time.Millisecond, 1200 * time.Millisecond, omniflow.ProviderThrottled},
		{"nor at LINE, and a fresh key goes", line, throttled, omniflow.Queued, 0, false, 800 * time.Millisecond, 1200 * time.Millisecond, omniflow.ProviderThrottled},
		{"a throttle never drops a key sent before", again, throttled, omniflow.Queued, 0, true, 800 * time.Millisecond, 1200 * time.Millisecond, omniflow.ProviderThrottled},
		{"nor one whose own earlier try is doubtful", doubtful, throttled, omniflow.Queued, 0, true, 800 * time.Millisecond, 1200 * time.Millisecond, omniflow.ProviderThrottled},
		{"doubt without a key keeps nothing", kind{doubtful: true}, throttled, omniflow.Queued, 0, false, 800 * time.Millisecond, 1200 * time.Millisecond, omniflow.ProviderThrottled},
		{"the provider's wait is obeyed", kind{}, asked, omniflow.Queued, 0, false, 30 * s, 30 * s, omniflow.ProviderThrottled},
		{"pair limit, first", kind{}, pair, omniflow.Queued, 0, false, s, s, omniflow.ProviderThrottled},
		{"pair limit, second", nth(kind{}, 2, 0), pair, omniflow.Queued, 0, false, 4 * s, 4 * s, omniflow.ProviderThrottled},
		{"pair limit, third", nth(kind{}, 4, 1), pair, omniflow.Queued, 1, false, 16 * s, 16 * s, omniflow.ProviderThrottled},
		{"pair limit, fourth", nth(kind{}, 4, 0), pair, omniflow.Queued, 0, false, 64 * s, 64 * s, omniflow.ProviderThrottled},
		{"pair limit, fifth", nth(kind{}, 5, 0), pair, omniflow.Queued, 0, false, 256 * s, 256 * s, omniflow.ProviderThrottled},
		{"pair limit, last", nth(kind{}, 20, 0), pair, omniflow.Queued, 0, false, 256 * s, 256 * s, omniflow.ProviderThrottled},
		{"after 20 throttles the next one ends it", nth(kind{}, 21, 0), throttled, omniflow.Failed, 0, false, 0, 0, omniflow.ProviderThrottled},
		{"attempts that counted are no throttles", nth(kind{}, 24, 4), throttled, omniflow.Queued, 4, false, 800 * time.Millisecond, 1200 * time.Millisecond, omniflow.ProviderThrottled},
		{"a doubtful one goes on under its key", nth(again, 21, 0), throttled, omniflow.Queued, 0, true, 48 * s, 72 * s, omniflow.OutcomeUnknown},

		{"unavailable, first", kind{}, away, omniflow.Queued, 1, false, 800 * time.Millisecond, 1200 * time.Millisecond, awayCode},
		{"unavailable, second", nth(kind{}, 2, 1), away, omniflow.Queued, 2, false, 1600 * time.Millisecond, 2400 * time.Millisecond, awayCode},
		{"unavailable, fourth", nth(kind{}, 4, 3), away, omniflow.Queued, 4, false, 6400 * time.Millisecond, 9600 * time.Millisecond, awayCode},
		{"the fifth is the last", nth(kind{}, 5, 4), away, omniflow.Failed, 5, false, 0, 0, omniflow.RetriesExhausted},
		{"the provider's pause is obeyed", kind{}, awayFor, omniflow.Queued, 1, false, 90 * s, 90 * s, awayCode},
		{"LINE, a fresh key goes", line, away, omniflow.Queued, 1, false, 800 * time.Millisecond, 1200 * time.Millisecond, awayCode},
		{"LINE, a key sent before stays", again, away, omniflow.Queued, 1, true, 800 * time.Millisecond, 1200 * time.Millisecond, awayCode},
		{"LINE, a doubtful key stays", doubtful, away, omniflow.Queued, 1, true, 800 * time.Millisecond, 1200 * time.Millisecond, awayCode},
		{"LINE, the fifth without doubt fails", nth(line, 5, 4), away, omniflow.Failed, 5, false, 0, 0, omniflow.RetriesExhausted},
		{"LINE, the fifth with doubt goes on under its key", nth(again, 5, 4), away, omniflow.Queued, 5, true, 12800 * time.Millisecond, 19200 * time.Millisecond, omniflow.OutcomeUnknown},
		{"LINE, the fifth, doubtful itself, goes on under its key", nth(doubtful, 5, 4), away, omniflow.Queued, 5, true, 12800 * time.Millisecond, 19200 * time.Millisecond, omniflow.OutcomeUnknown},
		{"LINE, with doubt and an old key it is unknown", nth(old(again, 23*time.Hour), 5, 4), away, omniflow.Unknown, 5, false, reconcileAfter - 2*s, reconcileAfter - 2*s, omniflow.OutcomeUnknown},

		{"ambiguous without a key waits for proof", kind{}, lost, omniflow.Unknown, 0, false, reconcileAfter - 2*s, reconcileAfter - 2*s, omniflow.OutcomeUnknown},
		{"also when it was the fifth", nth(kind{}, 5, 4), lost, omniflow.Unknown, 4, false, reconcileAfter - 2*s, reconcileAfter - 2*s, omniflow.OutcomeUnknown},
		{"LINE goes again under its key", line, lost, omniflow.Queued, 0, true, 800 * time.Millisecond, 1200 * time.Millisecond, omniflow.OutcomeUnknown},
		{"and again", nth(again, 3, 0), lost, omniflow.Queued, 0, true, 3200 * time.Millisecond, 4800 * time.Millisecond, omniflow.OutcomeUnknown},
		{"a minute at most between", nth(again, 30, 0), lost, omniflow.Queued, 0, true, 48 * s, 72 * s, omniflow.OutcomeUnknown},
		{"just before the key's end", nth(old(again, 23*time.Hour-time.Minute), 30, 0), lost, omniflow.Queued, 0, true, 48 * s, 72 * s, omniflow.OutcomeUnknown},
		{"after 23 h the key is no proof", nth(old(again, 23*time.Hour), 30, 0), lost, omniflow.Unknown, 0, false, reconcileAfter - 2*s, reconcileAfter - 2*s, omniflow.OutcomeUnknown},

		{"refused", kind{}, refused, omniflow.Failed, 1, false, 0, 0, omniflow.WindowClosed},
		{"refused at LINE", line, refused, omniflow.Failed, 1, false, 0, 0, omniflow.WindowClosed},
		{"a fault of no kind fails", kind{}, unknownFault, omniflow.Failed, 1, false, 0, 0, omniflow.WindowClosed},

		{"a stop keeps the message", kind{}, stop, omniflow.Queued, 0, false, 0, 0, omniflow.AccountStopped},
		{"a stop lets a fresh key go", line, stop, omniflow.Queued, 0, false, 0, 0, omniflow.AccountStopped},
		{"a stop never drops a key sent before", again, stop, omniflow.Queued, 0, true, 0, 0, omniflow.AccountStopped},
		{"nor a doubtful one", doubtful, stop, omniflow.Queued, 0, true, 0, 0, omniflow.AccountStopped},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := c.fault
			f.Code, f.HTTPStatus, f.Trace = "c", 400, "trace"
			a := c.kind.with(&f)
			r := a.record()
			require.Equal(t, c.state, r.State)
			require.Equal(t, c.tries, r.Tries)
			require.Equal(t, c.keep, r.KeepKey)
			require.Equal(t, c.code, r.Code)
			if c.to == 0 {
				require.Zero(t, r.DueAt)
			} else {
				require.GreaterOrEqual(t, r.DueAt.Sub(ended), c.from)
				require.LessOrEqual(t, r.DueAt.Sub(ended), c.to)
			}
			require.Equal(t, a.message.ID, r.MessageID)
			require.Equal(t, a.message.Attempt, r.Attempt)
			require.Equal(t, ended, r.At)
			require.Equal(t, 2*s, r.Latency)
			require.Equal(t, []any{"c", 400, "trace"}, []any{r.FaultCode, r.HTTPStatus, r.Trace})
		})
	}
}

func TestAnAcceptedMessageIsSent(t *testing.T) {
	t.Parallel()
	for _, k := range []kind{{}, {line: true}, {line: true, again: true, attempt: 3}} {
		a := k.with(nil)
		a.receipt = channel.Receipt{ProviderID: "p", HTTPStatus: 200, Trace: "trace"}
		require.Equal(t, omniflow.Record{MessageID: a.message.ID, Attempt: a.message.Attempt, State: omniflow.Sent, Tries: 1, ProviderID: "p",
			At: ended, HTTPStatus: 200, Latency: 2 * time.Second, Trace: "trace"}, a.record())
	}
}

// Five attempts, then failed (SYS-05): the row as the ledger keeps it goes
// round until it is settled.
func TestSYS05FiveAttemptsAndTwentyThrottles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault channel.Fault
		calls int
		code  omniflow.Code
	}{
		{channel.Unavailable, 5, omniflow.RetriesExhausted},
		{channel.Throttled, 21, omniflow.ProviderThrottled},
	} {
		k := kind{}
		for call := 1; ; call++ {
			k.attempt = call
			r := k.with(&channel.Error{Fault: c.fault, Reason: "reason"}).record()
			k.tries = r.Tries
			if r.State == omniflow.Failed {
				require.Equal(t, c.calls, call)
				require.Equal(t, c.code, r.Code)
				break
			}
			require.Equal(t, omniflow.Queued, r.State)
			require.Less(t, call, c.calls, "it never ends")
		}
	}
}

func TestTheTimeInARetryKey(t *testing.T) {
	t.Parallel()
	before := time.Now().Truncate(time.Millisecond)
	made := madeAt(uuid.Must(uuid.NewV7()))
	require.False(t, made.Before(before))
	require.False(t, made.After(time.Now()))
	require.True(t, madeAt(keyMadeAt(ended, 5*time.Hour)).Equal(ended.Add(-5*time.Hour)))
	require.False(t, expired(keyMadeAt(ended, 23*time.Hour-time.Millisecond), ended))
	require.True(t, expired(keyMadeAt(ended, 23*time.Hour), ended))
}

func TestAnOutageFailsNobody(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"dial", "cancelled", "too_late"} {
		f := channel.Error{Fault: channel.Unavailable, Scope: channel.ScopeMessage, Code: code, Reason: omniflow.ProviderDown}
		k := kind{attempt: 300, tries: 4}
		r := k.with(&f).record()
		require.Equal(t, omniflow.Queued, r.State, code)
		require.Equal(t, 4, r.Tries, "nothing was handed over")
		require.GreaterOrEqual(t, r.DueAt.Sub(r.At), 48*time.Second)
	}
}
