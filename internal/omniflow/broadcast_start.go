package omniflow

import (
	"time"
)

// The states of a broadcast that starts at a given time.
const (
	BroadcastScheduled BroadcastState = "scheduled"         // until start_at
	BroadcastApproval  BroadcastState = "awaiting_approval" // it is too late for start_at: an operator decides
)

// OrderApprove lets a broadcast go that is too late for its start.
const OrderApprove Order = "approve_start"

// StartTimePast refuses a start in the past.
const StartTimePast Code = "start_time_past"

// How late a start may be, and how far ahead.
const (
	DefaultLateAfter = 15 * time.Minute
	MaxStartAhead    = 366 * 24 * time.Hour
)

// LateAfter is how late after StartAt the broadcast may still start by itself.
func (r BroadcastRequest) LateAfter() time.Duration {
	if r.LateAfterSeconds == 0 {
		return DefaultLateAfter
	}
	return time.Duration(r.LateAfterSeconds) * time.Second
}

// FirstState is the state of an accepted request.
func (r BroadcastRequest) FirstState() BroadcastState {
	if r.StartAt != nil {
		return BroadcastScheduled
	}
	return BroadcastAccepted
}

// CheckStart refuses a start that cannot be meant: in the past
// (start_time_past), over a year ahead, late by less than nothing or within no
// hours (input_invalid).
func (r BroadcastRequest) CheckStart(now time.Time) *Refusal {
	switch {
	case r.LateAfterSeconds < 0 || r.StopFailurePercent < 0 || r.StopFailurePercent > 100:
		return Refuse(InvalidInput, "SYS-02", "late_after_seconds must not be negative, stop_failure_percent is 1 to 100")
	case r.Hours.Check() != nil:
		return r.Hours.Check()
	case r.StartAt == nil:
		return nil
	case !r.StartAt.After(now):
		return Refuse(StartTimePast, "SYS-02", "start_at is in the past; leave it out to start at once")
	case r.StartAt.Sub(now) > MaxStartAhead:
		return Refuse(InvalidInput, "SYS-02", "start_at is more than a year ahead")
	}
	return nil
}

// Outcomes counts the last outcomes of a lane.
type Outcomes struct{ Taken, Failed int }

// The window of the failure rate, in ledger rows.
const (
	OutcomeWindow             = 500
	OutcomesAtLeast           = 100
	DefaultStopFailurePercent = 50
)

// FailureRate is the reason of a lane that was stopped because too much failed.
const FailureRate Code = "failure_rate"

// TooManyFailed says whether more than percent of the last outcomes failed. It
// needs OutcomesAtLeast of them; at 100 % it never says so.
func (o Outcomes) TooManyFailed(percent int) bool {
	n := o.Taken + o.Failed
	return n >= OutcomesAtLeast && o.Failed*100 > percent*n
}
