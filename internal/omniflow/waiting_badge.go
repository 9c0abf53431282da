package omniflow

import "time"

// badgeSteps are how long a customer has waited for a person at each level of
// the waiting badge: over_30m, over_1h, over_2h (WTG-01).
var badgeSteps = [...]time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour}

// BadgeLevel is the level that is shown at now of a wait that began at since,
// nil for none: 0 to 3. In pending_bot and closed it is 0 (WTG-03, D-WTG-2).
func BadgeLevel(s ConversationState, since *time.Time, now time.Time) int {
	level := 0
	if since == nil || s != PendingHuman && s != Handling {
		return level
	}
	for _, step := range badgeSteps {
		if now.Sub(*since) >= step {
			level++
		}
	}
	return level
}

// NextBadge is when the level of that wait rises next, zero for never.
func NextBadge(s ConversationState, since *time.Time, now time.Time) time.Time {
	level := BadgeLevel(s, since, now)
	if since == nil || level == len(badgeSteps) || s != PendingHuman && s != Handling {
		return time.Time{}
	}
	return since.Add(badgeSteps[level])
}
