package omniflow

import "time"

// Silence is what automatic ending looks at: the time since the last human
// reply in which the customer has written nothing.
type Silence struct {
	Rule       *AutoCloseRule // of the conversation's channel; nil: none
	Zone       *time.Location // of the team
	State      ConversationState
	Waiting    bool      // the customer waits for a person
	RepliedAt  time.Time // last human reply that the channel accepted; zero: none since it was opened
	From       time.Time // counts from here if later: it was unpinned (D-CLS-3)
	Pinned     bool      // by any participant
	Busy       bool      // a human reply is on its way
	Remindable bool      // the channel's window lets a reminder through now
	RemindedAt time.Time // a reminder was queued then

	// Of that reminder.
	ReminderSettled bool
	ReminderSentAt  time.Time // zero: it was not sent
}

// CloseStep is what automatic ending does next.
type CloseStep string

// The steps of automatic ending.
const (
	CloseNever CloseStep = ""
	CloseWait  CloseStep = "wait"
	CloseWarn  CloseStep = "remind"
	CloseNow   CloseStep = "close"
)

// Next says what to do at now, and of a wait until when (section 18). A
// customer message cancels: the next human reply starts anew. Transfer and
// take-over change nothing (D-CLS-4).
func (s Silence) Next(now time.Time) (CloseStep, time.Time) {
	if !s.runs() {
		return CloseNever, time.Time{}
	}
	step, due := CloseNow, s.endAt()
	if !s.reminded() {
		due = s.silentUntil()
		if s.Rule.Reminder != "" && s.Remindable {
			step = CloseWarn
		}
	}
	switch due = s.Rule.Quiet.After(due, s.Zone); {
	case now.Before(due):
		return CloseWait, due
	case s.Busy:
		return CloseNever, time.Time{} // its outcome comes first (D-CLS-4)
	}
	return step, due
}

// ClosesAt is when the conversation ends if nothing happens; zero: it does not.
func (s Silence) ClosesAt() time.Time {
	if !s.runs() {
		return time.Time{}
	}
	if s.reminded() {
		return s.Rule.Quiet.After(s.endAt(), s.Zone)
	}
	due := s.Rule.Quiet.After(s.silentUntil(), s.Zone)
	if s.Rule.Reminder != "" && s.Remindable {
		due = s.Rule.Quiet.After(due.Add(s.Rule.Grace), s.Zone)
	}
	return due
}

func (s Silence) runs() bool {
	return s.Rule != nil && s.Rule.Enabled && s.State == Handling && !s.Waiting && !s.RepliedAt.IsZero() &&
		!(s.Rule.ExcludePinned && s.Pinned)
}

// begin is from when the silence counts.
func (s Silence) begin() time.Time { return later(s.RepliedAt, s.From) }

func (s Silence) silentUntil() time.Time { return s.begin().Add(s.Rule.Duration) }

// reminded says that the reminder was for this silence and no earlier one.
func (s Silence) reminded() bool { return s.RemindedAt.After(s.begin()) }

// endAt is a grace after the reminder (D-CLS-2), or after it should have been
// sent.
func (s Silence) endAt() time.Time {
	from := later(s.RemindedAt, s.ReminderSentAt)
	if !s.ReminderSettled {
		from = from.Add(ReminderPatience)
	}
	return from.Add(s.Rule.Grace)
}
