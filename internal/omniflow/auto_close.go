package omniflow

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// The limits and defaults of automatic ending (section 18, D-CLS-1, D-CLS-2).
const (
	MaxAutoClose     = 30 * 24 * time.Hour
	DefaultAutoClose = 24 * time.Hour
	DefaultGrace     = 2 * time.Minute
	MaxGrace         = time.Hour
	// ReminderPatience is how long an ending waits for a reminder that could
	// not be sent yet: its failure does not stop the closing.
	ReminderPatience = 5 * time.Minute
)

// The refusals of a setting of automatic ending.
const (
	AutoCloseDurationInvalid     Code = "auto_close_duration_invalid"
	AutoCloseReminderUnsupported Code = "auto_close_reminder_unsupported"
	AutoCloseChannelTaken        Code = "auto_close_channel_taken" // D-CLS-1: a channel is in one group at most
)

// AutoCloseChannels are the channels whose conversations end by themselves
// (D-CLS-1).
var AutoCloseChannels = [...]Channel{Facebook, Instagram, LINE, WhatsApp, WeChat}

// reminderChannels are those on which a reminder exists (CLS-03).
var reminderChannels = []Channel{LINE, Facebook, WhatsApp, Instagram}

// AutoCloseRule is the automatic ending of one group of channels (D-CLS-1).
type AutoCloseRule struct {
	ID            uuid.UUID
	Name          string
	Channels      []Channel
	Enabled       bool
	Duration      time.Duration // of the customer's silence after the last human reply
	Grace         time.Duration // between the reminder and the ending
	Reminder      string        // "": none
	ExcludePinned bool
	Quiet         *QuietHours // nil: none
	Version       int64
}

// QuietHours are the hours of a day, in the team's zone, in which nothing is
// reminded of and nothing ended. From is in, Until is not; Until before From
// spans midnight.
type QuietHours struct{ From, Until time.Duration } // since midnight

// Check says whether r may be stored: input_invalid, auto_close_duration_invalid,
// auto_close_reminder_unsupported, and what CheckText refuses.
func (r AutoCloseRule) Check() *Refusal {
	switch {
	case strings.TrimSpace(r.Name) == "" || checkUnicode(r.Name) != nil:
		return Refuse(InvalidInput, "D-CLS-1", "a group of channels needs a name")
	case len(r.Channels) == 0:
		return Refuse(InvalidInput, "D-CLS-1", "the group names no channel")
	case r.Duration <= 0 || r.Duration > MaxAutoClose:
		return Refuse(AutoCloseDurationInvalid, "CLS-01", "the duration must be over 0 and at most 30 days")
	case r.Grace <= 0 || r.Grace > MaxGrace:
		return Refuse(AutoCloseDurationInvalid, "D-CLS-2", "the time between reminder and ending must be over 0 and at most an hour")
	}
	for _, ch := range r.Channels {
		if !slices.Contains(AutoCloseChannels[:], ch) {
			return Refuse(InvalidInput, "D-CLS-1", "conversations on %q do not end by themselves", ch)
		}
	}
	if no := r.checkReminder(); no != nil {
		return no
	}
	return r.Quiet.check()
}

func (r AutoCloseRule) checkReminder() *Refusal {
	if r.Reminder == "" {
		return nil
	}
	for _, ch := range r.Channels {
		if !slices.Contains(reminderChannels, ch) {
			no := Refuse(AutoCloseReminderUnsupported, "CLS-03", "there is no reminder on %s", ch)
			no.Channels = []Channel{ch}
			return no
		}
		if no := CheckText(ch, r.Reminder); no != nil {
			return no
		}
	}
	return nil
}

func (q *QuietHours) check() *Refusal {
	const day = 24 * time.Hour
	if q == nil || q.From != q.Until && q.From >= 0 && q.From < day && q.Until >= 0 && q.Until < day {
		return nil
	}
	return Refuse(InvalidInput, "D-CLS-1", "quiet hours are two different times of day, such as 22:00 and 08:00")
}

// After is at, or the end of the quiet hours in which it lies in zone (D-CLS-3).
func (q *QuietHours) After(at time.Time, zone *time.Location) time.Time {
	if q == nil || at.IsZero() {
		return at
	}
	local := at.In(zone)
	y, m, d := local.Date()
	clock := time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute +
		time.Duration(local.Second())*time.Second + time.Duration(local.Nanosecond())
	switch {
	case q.From < q.Until && (clock < q.From || clock >= q.Until), q.From > q.Until && clock < q.From && clock >= q.Until:
		return at
	case q.From > q.Until && clock >= q.From:
		d++ // the end is tomorrow
	}
	return time.Date(y, m, d, 0, int(q.Until/time.Minute), int(q.Until%time.Minute/time.Second), 0, zone)
}

// Conflict refuses with auto_close_channel_taken a rule with a channel that
// another rule of the team has.
func (r AutoCloseRule) Conflict(others []AutoCloseRule) *Refusal {
	for _, o := range others {
		for _, ch := range r.Channels {
			if o.ID != r.ID && slices.Contains(o.Channels, ch) {
				no := Refuse(AutoCloseChannelTaken, "D-CLS-1", "%s is in the rule %q (%s) already: take it out of that one first", ch, o.Name, o.ID)
				no.Channels = []Channel{ch}
				return no
			}
		}
	}
	return nil
}
