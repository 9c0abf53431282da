package omniflow

import "time"

// WaitingLevel is how long a customer has waited for a person, as lists show it
// (WTG-01).
type WaitingLevel int16

// The levels, in the order of time.
const (
	WaitingNone WaitingLevel = iota
	WaitingOver30m
	WaitingOver1h
	WaitingOver2h
)

// waitingSteps is how long after the first unanswered message a level begins
// (WTG-01): exactly that long belongs to the level.
var waitingSteps = [...]time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour}

// FirstWaitingStep is after how long a wait first shows.
const FirstWaitingStep = 30 * time.Minute

// String is the identifier of the level.
func (l WaitingLevel) String() string {
	return [...]string{"none", "over_30m", "over_1h", "over_2h"}[min(max(l, WaitingNone), WaitingOver2h)]
}

// WaitingLevelOf is the level shown at now for a conversation in state s whose
// customer waits since then (zero: does not wait), and when the next one begins
// (zero: never). A wait in pending_bot is counted but not shown (WTG-03,
// D-WTG-2); a closed conversation has none.
func WaitingLevelOf(s ConversationState, since, now time.Time) (WaitingLevel, time.Time) {
	if since.IsZero() || s != PendingHuman && s != Handling {
		return WaitingNone, time.Time{}
	}
	for i, step := range waitingSteps {
		if at := since.Add(step); now.Before(at) {
			return WaitingLevel(i), at
		}
	}
	return WaitingOver2h, time.Time{}
}
