package omniflow

import (
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
)

// WaitKind says why a lane, or a broadcast without lanes yet, is not moving.
type WaitKind string

// The kinds of waiting. The zero Waiting moves, or has nothing left to do.
const (
	WaitLimit    WaitKind = "limited"       // by our own limiter, until the rest has gone at the rate in force
	WaitThrottle WaitKind = "throttled"     // the provider wants nothing until then
	WaitPaused   WaitKind = "paused"        // by an operator, until resumed
	WaitStart    WaitKind = "scheduled"     // until its start
	WaitApproval WaitKind = "approval"      // too late for its start: until approved or cancelled
	WaitStopped  WaitKind = "stopped"       // by a stop code, until resumed
	WaitHours    WaitKind = "outside_hours" // of the broadcast, until they begin
	WaitWebhooks WaitKind = "webhooks"      // rows with unknown outcome, until webhooks tell or they are decided
	WaitBackoff  WaitKind = "backing_off"   // everything left failed for the time being
	WaitWorker   WaitKind = "no_worker"     // nobody works on it
)

// BeatWithin is how old the last sign of life of a running lane may be before
// it counts as without worker; a slice gives one a second.
const BeatWithin = 15 * time.Second

// Waiting is why something is not moving.
type Waiting struct {
	Kind    WaitKind    `json:"kind" doc:"limited, throttled, paused, scheduled, approval, stopped, outside_hours, webhooks, backing_off, no_worker; empty: it moves, or has nothing left to do."`
	Until   *time.Time  `json:"until,omitempty" doc:"When that ends by itself, as far as is known."`
	Since   *time.Time  `json:"since,omitempty"`
	By      *uuid.UUID  `json:"by,omitempty" doc:"Member id; none: the system."`
	ByName  string      `json:"by_name,omitempty"` // filled in by the api only: names stay out of payloads (SYS-12)
	Code    string      `json:"code,omitempty" doc:"Stop code, the provider's throttle code, or the operator's reason."`
	Limiter LimiterName `json:"limiter,omitempty"`
	Rows    int         `json:"rows,omitempty" doc:"Ledger rows that wait."`
}

// LaneFacts is what decides why a lane is not moving. Times that are not known
// are nil.
type LaneFacts struct {
	Tally         Tally
	Control       Control
	ControlReason string
	ControlBy     *uuid.UUID
	ControlAt     *time.Time
	StopCode      string // of the account, "" while it is active
	StoppedAt     *time.Time
	ClosedUntil   *time.Time // the provider wants nothing before
	ThrottleCode  string
	Limiter       LimiterName
	RateNow       float64       // calls per second for broadcasts
	Booked        time.Duration // how far ahead calls are leased: over 0 the limiter is what holds the lane up
	BackingOff    int           // queued rows that are not due yet
	NextDue       *time.Time    // the first of them
	NextProof     *time.Time    // when the first unknown row is decided
	OpensAt       *time.Time    // outside the broadcast's hours: until then
	BeatAt        *time.Time    // last sign of life
	PlannedAt     *time.Time
}

// Waiting says why the lane is not moving at now: the first cause that has to
// end before any other matters.
func (f LaneFacts) Waiting(now time.Time) Waiting {
	left := f.Tally.Queued + f.Tally.Sending
	switch {
	case left == 0 && f.Tally.Unknown == 0:
		return Waiting{}
	case left == 0:
		return Waiting{Kind: WaitWebhooks, Until: f.NextProof, Rows: f.Tally.Unknown}
	case f.StopCode != "":
		return Waiting{Kind: WaitStopped, Code: f.StopCode, Since: f.StoppedAt, Rows: left}
	case f.Control == Stopped:
		return Waiting{Kind: WaitStopped, Code: f.ControlReason, Since: f.ControlAt, Rows: left}
	case f.Control == Paused:
		return Waiting{Kind: WaitPaused, Code: f.ControlReason, By: f.ControlBy, Since: f.ControlAt, Rows: left}
	case f.OpensAt != nil && f.Control == Running: // a cancelled lane finishes what is under way at any hour
		return Waiting{Kind: WaitHours, Until: f.OpensAt, Rows: left}
	case f.Tally.Sending == 0 && f.BackingOff >= f.Tally.Queued:
		return Waiting{Kind: WaitBackoff, Until: f.NextDue, Rows: f.BackingOff}
	}
	return f.moving(left, now)
}

// moving is about a lane that may send and has rows that are due.
func (f LaneFacts) moving(left int, now time.Time) Waiting {
	last := latest(f.BeatAt, f.PlannedAt, f.ControlAt)
	switch {
	case last == nil || now.Sub(*last) > BeatWithin:
		return Waiting{Kind: WaitWorker, Since: f.BeatAt, Rows: left}
	case f.ClosedUntil != nil && f.ClosedUntil.After(now):
		return Waiting{Kind: WaitThrottle, Until: f.ClosedUntil, Code: f.ThrottleCode, Limiter: f.Limiter, Rows: left}
	case f.Booked > 0:
		return Waiting{Kind: WaitLimit, Until: FinishAt(left, f.RateNow, f.Limiter, nil, now), Code: f.ThrottleCode, Limiter: f.Limiter, Rows: left}
	}
	return Waiting{}
}

func latest(times ...*time.Time) *time.Time {
	var out *time.Time
	for _, t := range times {
		if t != nil && (out == nil || t.After(*out)) {
			out = t
		}
	}
	return out
}

// StartFacts is what decides why a broadcast without lanes is not moving.
type StartFacts struct {
	State     BroadcastState
	Control   Control
	Reason    string
	By        *uuid.UUID
	At        *time.Time // of the control
	StartAt   *time.Time
	CreatedAt time.Time
}

// Waiting says why the broadcast has no lanes at now.
func (f StartFacts) Waiting(now time.Time) Waiting {
	from := f.CreatedAt
	if f.StartAt != nil && f.StartAt.After(from) {
		from = *f.StartAt
	}
	switch {
	case f.State == BroadcastDone || f.State == BroadcastRunning || f.State == BroadcastSettling || f.Control == ControlCancelled:
		return Waiting{}
	case f.Control == Paused:
		return Waiting{Kind: WaitPaused, Code: f.Reason, By: f.By, Since: f.At}
	case f.State == BroadcastApproval:
		return Waiting{Kind: WaitApproval, Since: f.StartAt}
	case f.StartAt != nil && f.StartAt.After(now):
		return Waiting{Kind: WaitStart, Until: f.StartAt}
	case f.State != BroadcastPlanning && now.Sub(from) > BeatWithin:
		return Waiting{Kind: WaitWorker, Since: &from}
	}
	return Waiting{}
}

// FinishAt is when so many rows have gone at a rate of calls per second that
// begins when the provider wants calls again; nil when the rate is 0. A
// multicast call carries 500 rows.
func FinishAt(rows int, perSecond float64, limiter LimiterName, closedUntil *time.Time, now time.Time) *time.Time {
	if perSecond <= 0 {
		return nil
	}
	from := now
	if closedUntil != nil && closedUntil.After(now) {
		from = *closedUntil
	}
	calls := float64(rows)
	if limiter == MulticastLimiter {
		calls = math.Ceil(calls / MulticastRows)
	}
	at := from.Add(time.Duration(calls / perSecond * float64(time.Second)))
	return &at
}

// MulticastRows is how many rows one multicast call of LINE carries.
const MulticastRows = 500

// String is for people: "paused since 09:30:00 (wrong picture)"; times are UTC.
func (w Waiting) String() string {
	text := ""
	switch w.Kind {
	case "":
		return ""
	case WaitLimit:
		text = "limited by " + string(w.Limiter)
	case WaitStart:
		text = "scheduled"
	case WaitHours:
		text = "outside its hours"
	case WaitApproval:
		text = "too late for its start: approve or cancel it"
	case WaitWebhooks:
		text = fmt.Sprintf("waiting for webhooks about %s", grouped(w.Rows))
	case WaitBackoff:
		text = fmt.Sprintf("%s backing off", grouped(w.Rows))
	case WaitWorker:
		text = "no worker"
	default:
		text = string(w.Kind)
	}
	if w.Since != nil {
		text += " since " + w.Since.UTC().Format(time.TimeOnly)
	}
	if w.Until != nil {
		text += " until " + w.Until.UTC().Format(time.TimeOnly)
	}
	if w.Code != "" {
		text += " (" + w.Code + ")"
	}
	return text
}
