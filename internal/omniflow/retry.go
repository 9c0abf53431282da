package omniflow

import "time"

// MaxAttempts is how often a message is handed to its provider at most
// (SYS-05, D-MSG-1). A throttle answer costs no attempt.
const MaxAttempts = 5

// The pauses of SYS-05, and WhatsApp's for one recipient.
const (
	FirstPause   = time.Second
	LongestPause = time.Minute
	// LongestPairPause is WhatsApp's pause after a fifth refusal for one recipient.
	LongestPairPause = 256 * time.Second
)

// Backoff is the pause after attempt (1 is the first) has failed for the time
// being: 1, 2, 4, 8, 16, 32 s, then 60 s each time (SYS-05), give or take a
// fifth. jitter in [0, 1) chooses the place within that: 0 gives 0.8 of the
// pause, 0.5 the pause itself, just under 1 nearly 1.2. So the first pause is
// 0.8 to 1.2 s and none is over 72 s.
func Backoff(attempt int, jitter float64) time.Duration {
	pause := LongestPause
	if attempt < 1 {
		attempt = 1
	}
	if attempt <= 6 { // 2^5 s is the last one under a minute
		pause = FirstPause << (attempt - 1)
	}
	return time.Duration(float64(pause) * (0.8 + 0.4*jitter))
}

// PairBackoff is the pause before the next message to the same recipient
// after refusal number refused (1 is the first) by WhatsApp's pair limit:
// 1, 4, 16, 64 s, then 256 s each time (channels/whatsapp.md 5.2, error 131056).
func PairBackoff(refused int) time.Duration {
	if refused > 5 {
		return LongestPairPause
	}
	if refused < 1 {
		refused = 1
	}
	return time.Second << (2 * (refused - 1))
}
