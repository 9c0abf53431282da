package progress

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/rivo/uniseg"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"omniflow/internal/apiclient"
)

// lane is what the board knows of one channel account.
type lane struct {
	id, name string
	bar      *mpb.Bar // nil: lines

	printed   string // the last line
	printedAt time.Time

	mu    sync.Mutex // the bars are drawn by another goroutine
	now   apiclient.Lane
	speed meter
}

func newLane(l apiclient.Lane) *lane {
	return &lane{id: l.ChannelAccountID, name: l.Channel}
}

// take notes the lane as it is at a time.
func (l *lane) take(x apiclient.Lane, at time.Time) {
	l.mu.Lock()
	l.now = x
	l.speed.add(at, x.Counts.Delivered()+x.Counts.Failed)
	l.mu.Unlock()
	if l.bar != nil {
		l.bar.SetTotal(int64(max(1, x.Counts.Planned)), false)
		l.bar.SetCurrent(int64(x.Counts.Settled()))
	}
}

func (l *lane) done() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return finished(l.now.Counts)
}

func finished(t apiclient.Tally) bool { return t.Planned > 0 && t.Settled() >= t.Planned }

// sending says whether messages wait to be sent, and not only for proof.
func sending(t apiclient.Tally) bool { return t.Planned == 0 || t.Queued+t.Sending > 0 }

// line is the lane as one line of text.
func (l *lane) line(at time.Time) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.now.Counts
	share := 0
	if t.Planned > 0 {
		share = 100 * t.Settled() / t.Planned
	}
	return fmt.Sprintf("  %-10s %15s %3d %%  %s", l.name, count(t), share, strings.Join(l.facts(at), "  "))
}

// facts are the figures after the bar, in words.
func (l *lane) facts(at time.Time) []string {
	t, facts := l.now.Counts, []string{}
	if sending(t) {
		facts = append(facts, fmt.Sprintf("%4.0f/s", l.speed.rate(at)), "ETA "+l.eta(at))
	}
	facts = append(facts, "failed "+number(t.Failed), "skipped "+number(t.Skipped))
	if t.Unknown > 0 {
		facts = append(facts, "unknown "+number(t.Unknown))
	}
	if t.Cancelled > 0 {
		facts = append(facts, "cancelled "+number(t.Cancelled))
	}
	if throttle := throttle(l.now, at); throttle != "" && sending(t) {
		facts = append(facts, throttle)
	}
	facts = append(facts, state(l.now))
	// What a state says already is not said again.
	if w := l.now.Waiting; w.Kind != "" && w.Kind != "paused" && w.Kind != "stopped" && w.Kind != "throttled" && !finished(t) {
		facts = append(facts, w.String())
	}
	return facts
}

// brief is facts for a narrow terminal.
func (l *lane) brief(at time.Time) string {
	t := l.now.Counts
	text := fmt.Sprintf("F%d S%d", t.Failed, t.Skipped)
	if sending(t) {
		text = fmt.Sprintf("%.0f/s %s ", l.speed.rate(at), l.eta(at)) + text
	}
	if t.Unknown > 0 {
		text += fmt.Sprintf(" U%d", t.Unknown)
	}
	return text + " " + state(l.now)
}

func (l *lane) eta(at time.Time) string {
	left, rate := l.now.Counts.Queued+l.now.Counts.Sending, l.speed.rate(at)
	if rate < 0.05 {
		return "-"
	}
	return time.Duration(float64(left) / rate * float64(time.Second)).Round(time.Second).String()
}

// throttle says how the account is slowed down, "" if it is not.
func throttle(l apiclient.Lane, at time.Time) string {
	why := ""
	if l.Reason != "" {
		why = " (" + l.Reason + ")"
	}
	switch {
	case l.ClosedUntil != nil && l.ClosedUntil.After(at):
		return "throttled: closed for " + max(time.Second, l.ClosedUntil.Sub(at).Round(time.Second)).String() + why
	case l.RateNow > 0 && l.RateNow < 0.95*l.LimitPerSecond:
		return fmt.Sprintf("throttled: %.0f of %.0f/s%s", l.RateNow, l.LimitPerSecond, why)
	}
	return ""
}

// state is one word for what the lane does, with the reason if it stands still.
func state(l apiclient.Lane) string {
	switch {
	case finished(l.Counts):
		return "done"
	case l.StopCode != "":
		return "stopped: " + l.StopCode
	case l.Control != "" && l.Control != "running":
		if l.ControlReason != "" {
			return l.Control + ": " + l.ControlReason
		}
		return l.Control
	case l.Counts.Planned == 0:
		return "planning"
	case !sending(l.Counts):
		return "proving"
	}
	return "running"
}

// draw adds the lane's bar.
func (l *lane) draw(bars *mpb.Progress) {
	head := decor.Any(func(decor.Statistics) string {
		l.mu.Lock()
		defer l.mu.Unlock()
		return fmt.Sprintf("  %-10s %15s", l.name, count(l.now.Counts))
	})
	tail := decor.Any(func(s decor.Statistics) string {
		l.mu.Lock()
		defer l.mu.Unlock()
		at := time.Now()
		return " " + fit(strings.Join(l.facts(at), "  "), l.brief(at), s.AvailableWidth-barWidth-3)
	})
	// Total 0 keeps the bar open: its total is known and grows later.
	l.bar = bars.New(0, mpb.BarStyle().Lbound("").Rbound("").Filler("█").Tip("█").Padding("░"),
		mpb.BarWidth(barWidth), mpb.PrependDecorators(head), mpb.AppendDecorators(tail))
}

// barWidth is the length of a bar in columns.
const barWidth = 24

// fit gives the long text if it takes at most so many columns, else the short one.
func fit(long, short string, columns int) string {
	if uniseg.StringWidth(long) <= columns {
		return long
	}
	return short
}

// count is "1,234/2,200".
func count(t apiclient.Tally) string { return number(t.Settled()) + "/" + number(t.Planned) }

// number writes n with commas.
func number(n int) string { return message.NewPrinter(language.English).Sprintf("%d", n) }
