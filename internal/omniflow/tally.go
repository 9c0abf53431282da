package omniflow

import (
	"strconv"
	"strings"
)

// Tally counts rows of the ledger by state. Every row is in exactly one state,
// so a row that was read is not counted as sent or received.
type Tally struct {
	Planned   int `json:"planned"`
	Queued    int `json:"queued"`
	Sending   int `json:"sending"`
	Sent      int `json:"sent"`
	Received  int `json:"received"`
	Read      int `json:"read"`
	Failed    int `json:"failed"`
	Skipped   int `json:"skipped"`
	Cancelled int `json:"cancelled"`
	Unknown   int `json:"unknown"`
}

// state is the counter of s, or nil for no state.
func (t *Tally) state(s MessageState) *int {
	switch s {
	case Queued:
		return &t.Queued
	case Sending:
		return &t.Sending
	case Sent:
		return &t.Sent
	case Received:
		return &t.Received
	case Read:
		return &t.Read
	case Failed:
		return &t.Failed
	case Skipped:
		return &t.Skipped
	case Cancelled:
		return &t.Cancelled
	case Unknown:
		return &t.Unknown
	}
	return nil
}

// Add counts n more rows in state s. It leaves Planned alone, which is counted
// apart so that Balanced can tell whether a row was lost; an unknown state is
// not counted, and unbalances the tally.
func (t *Tally) Add(s MessageState, n int) {
	if c := t.state(s); c != nil {
		*c += n
	}
}

// AddAll adds every count of o, Planned too.
func (t *Tally) AddAll(o Tally) {
	t.Planned += o.Planned
	t.Queued += o.Queued
	t.Sending += o.Sending
	t.Sent += o.Sent
	t.Received += o.Received
	t.Read += o.Read
	t.Failed += o.Failed
	t.Skipped += o.Skipped
	t.Cancelled += o.Cancelled
	t.Unknown += o.Unknown
}

// Delivered is how many rows the provider took.
func (t Tally) Delivered() int { return t.Sent + t.Received + t.Read }

// Unresolved is how many rows still wait for a step of ours.
func (t Tally) Unresolved() int { return t.Queued + t.Sending + t.Unknown }

// Balanced is the identity that always holds: every planned row is in one
// state (design section 4).
func (t Tally) Balanced() bool {
	return t.Planned == t.Delivered()+t.Unresolved()+t.Failed+t.Skipped+t.Cancelled
}

// Outcome is how a job with these counts ends. A job without rows was
// rejected. A skipped row has a reason and is not a failure of the job
// (section 17); a failed or an unknown one is.
func (t Tally) Outcome(cancelled bool) Outcome {
	switch {
	case cancelled:
		return OutcomeCancelled
	case t.Planned == 0:
		return OutcomeRejected
	case t.Failed > 0 || t.Unresolved() > 0:
		return CompletedWithFailures
	case t.Cancelled > 0:
		return OutcomeCancelled
	}
	return Completed
}

// String is for people: "41,200 of 50,000 sent, 12 failed, 3 skipped". Counts
// of zero are left out, but for the first.
func (t Tally) String() string {
	var b strings.Builder
	b.WriteString(grouped(t.Delivered()) + " of " + grouped(t.Planned) + " sent")
	for _, part := range []struct {
		n    int
		word string
	}{{t.Failed, "failed"}, {t.Skipped, "skipped"}, {t.Cancelled, "cancelled"}, {t.Unknown, "unknown"}} {
		if part.n > 0 {
			b.WriteString(", " + grouped(part.n) + " " + part.word)
		}
	}
	return b.String()
}

// grouped writes n with a comma every three digits.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
