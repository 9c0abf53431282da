package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"omniflow/internal/truth"
)

// verdict is what the demo concludes.
type verdict struct {
	truth.Comparison
	violations int // requests beyond a channel's limit
	group      groupVerdict
	desk       deskVerdict
	took       time.Duration // the whole demo
}

// fault says why the demo failed, "" if it did not.
func (v verdict) fault() string {
	switch {
	case v.Duplicates > 0:
		return fmt.Sprintf("%d messages were delivered twice", v.Duplicates)
	case v.Lost() > 0:
		return fmt.Sprintf("%d recipients were lost (%d without a final state, %d not in the broadcast, %d claimed as sent but never delivered)",
			v.Lost(), v.Unsettled, v.Missing, v.Claimed)
	case v.Strangers > 0:
		return fmt.Sprintf("%d people outside the audience got a message", v.Strangers)
	case v.violations > 0:
		return fmt.Sprintf("%d requests broke a channel's limit", v.violations)
	case !v.Accounted():
		return fmt.Sprintf("%d recipients, but %d sent + %d failed + %d skipped + %d unknown + %d cancelled",
			v.Recipients, v.Sent, v.Failed, v.Skipped, v.Unknown, v.Cancelled)
	case v.Recipients == 0:
		return "nobody was in the broadcast"
	}
	return cmp.Or(v.group.fault(), v.desk.fault())
}

// lastLine is the demo's last line of output. Programs read it: a change of
// its form breaks them.
func (v verdict) lastLine() string {
	if fault := v.fault(); fault != "" {
		return failed(fault)
	}
	return fmt.Sprintf("demo: ok recipients=%d sent=%d failed=%d skipped=%d unknown=%d duplicates=%d lost=%d seconds=%d",
		v.Recipients, v.Sent, v.Failed, v.Skipped, v.Unknown, v.Duplicates, v.Lost(), int(v.took.Seconds()))
}

// failed is the last line of a demo that failed.
func failed(reason string) string {
	return "demo: FAILED " + strings.Join(strings.Fields(reason), " ")
}
