package omniflow

import "time"

// Hours are when a broadcast may send, the same every day. Outside of them its
// lanes wait, and nothing else of the account does.
type Hours struct {
	From     string `json:"from" doc:"Such as 09:00, itself within."`
	To       string `json:"to" doc:"Such as 21:00, itself outside; earlier than from: over midnight."`
	Timezone string `json:"timezone,omitempty" doc:"IANA name; the team's without it."`
}

// HeldHours says that nothing may be claimed because it is outside the hours
// of the broadcast.
const HeldHours Code = "outside_hours"

// clockTime is the form of From and To.
const clockTime = "15:04"

// Check refuses with input_invalid what are no hours.
func (h *Hours) Check() *Refusal {
	if h == nil {
		return nil
	}
	from, errFrom := time.Parse(clockTime, h.From)
	to, errTo := time.Parse(clockTime, h.To)
	if errFrom != nil || errTo != nil || from.Equal(to) {
		return Refuse(InvalidInput, "SYS-02", "hours are from and to, such as 09:00 and 21:00, and not the same")
	}
	if _, err := time.LoadLocation(h.Timezone); err != nil || h.Timezone == "Local" {
		return Refuse(InvalidInput, "SYS-02", "the timezone of hours must be an IANA name such as Asia/Taipei")
	}
	return nil
}

// around is the span of hours that now is in, or the next one. On a day on
// which the clock is put forward over From it begins that much later, and on one
// on which From comes twice, the second time.
func (h *Hours) around(now time.Time) (opens, closes time.Time) {
	zone, err := time.LoadLocation(h.Timezone)
	if err != nil { // refused by Check: only of a row that somebody wrote by hand
		zone = time.UTC
	}
	from, _ := time.Parse(clockTime, h.From)
	to, _ := time.Parse(clockTime, h.To)
	local := now.In(zone)
	for day := -1; ; day++ {
		at := func(clock time.Time, later int) time.Time {
			return time.Date(local.Year(), local.Month(), local.Day()+day+later, clock.Hour(), clock.Minute(), 0, 0, zone)
		}
		opens, closes = at(from, 0), at(to, 0)
		if !to.After(from) {
			closes = at(to, 1)
		}
		if now.Before(closes) && opens.Before(closes) {
			return opens.UTC(), closes.UTC()
		}
	}
}

// OpensAt is when sending may go on, or nil if it may at now. Nil hours are
// always open.
func (h *Hours) OpensAt(now time.Time) *time.Time {
	if h == nil {
		return nil
	}
	if opens, _ := h.around(now); now.Before(opens) {
		return &opens
	}
	return nil
}

// Left is how long sending may go on at now, at most most: 0 outside the hours.
func (h *Hours) Left(now time.Time, most time.Duration) time.Duration {
	if h == nil {
		return most
	}
	opens, closes := h.around(now)
	if now.Before(opens) {
		return 0
	}
	return min(most, closes.Sub(now))
}

// longestEstimate bounds how many days After looks ahead.
const longestEstimate = 3660

// After is when work that takes d within the hours is done, if it begins at
// from.
func (h *Hours) After(from time.Time, d time.Duration) time.Time {
	if h == nil {
		return from.Add(d)
	}
	for range longestEstimate {
		opens, closes := h.around(from)
		if from.Before(opens) {
			from = opens
		}
		if left := closes.Sub(from); d > left {
			from, d = closes, d-left
			continue
		}
		break
	}
	return from.Add(d)
}
