package progress

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/apiclient"
)

var start = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// lines is a board that writes lines and whose clock the test sets.
func lines() (*Board, *strings.Builder, func(time.Duration)) {
	var out strings.Builder
	b := New(&out, false)
	now := start
	b.now = func() time.Time { return now }
	return b, &out, func(d time.Duration) { now = start.Add(d) }
}

func whatsapp(sent, failed, queued int) apiclient.Lane {
	return apiclient.Lane{ChannelAccountID: "A", Channel: "whatsapp", Control: "running", RateNow: 120, LimitPerSecond: 120,
		Counts: apiclient.Tally{Planned: 2000, Sent: sent, Failed: failed, Skipped: 250, Queued: queued}}
}

func broadcast(lanes ...apiclient.Lane) apiclient.Broadcast {
	return apiclient.Broadcast{ID: "B", Lanes: lanes}
}

func TestLinesAreRare(t *testing.T) {
	t.Parallel()
	b, out, at := lines()
	b.Update(broadcast(whatsapp(0, 0, 1750)))
	at(300 * time.Millisecond)
	b.Update(broadcast(whatsapp(30, 0, 1720))) // too soon
	at(2 * time.Second)
	b.Update(broadcast(whatsapp(100, 3, 1647)))
	b.Update(broadcast(whatsapp(100, 3, 1647))) // nothing new
	b.Note("worker %s", "killed")
	at(2500 * time.Millisecond)
	b.Update(broadcast(whatsapp(1747, 3, 0))) // the end comes at once
	b.Close()
	b.Update(broadcast(whatsapp(1, 1, 1))) // after the end
	require.Equal(t, ""+
		"  whatsapp         250/2,000  12 %     0/s  ETA -  failed 0  skipped 250  running\n"+
		"  whatsapp         353/2,000  17 %    52/s  ETA 32s  failed 3  skipped 250  running\n"+
		"worker killed\n"+
		"  whatsapp       2,000/2,000 100 %  failed 3  skipped 250  done\n", out.String())
}

func TestFacts(t *testing.T) {
	t.Parallel()
	soon := start.Add(12 * time.Second)
	tests := []struct {
		name   string
		change func(l *apiclient.Lane)
		want   string
	}{
		{"slowed", func(l *apiclient.Lane) { l.RateNow, l.Reason = 60, "130429" }, "throttled: 60 of 120/s (130429)  running"},
		{"closed", func(l *apiclient.Lane) { l.ClosedUntil, l.Reason = &soon, "613" }, "throttled: closed for 12s (613)  running"},
		{"closed before", func(l *apiclient.Lane) { l.ClosedUntil = &start }, "skipped 250  running"},
		{"paused", func(l *apiclient.Lane) { l.Control, l.ControlReason = "paused", "lunch" }, "skipped 250  paused: lunch"},
		{"stopped", func(l *apiclient.Lane) { l.Control, l.StopCode = "stopped", "190" }, "skipped 250  stopped: 190"},
		{"unknown", func(l *apiclient.Lane) { l.Counts.Unknown, l.Counts.Queued = 7, 0 }, "skipped 250  unknown 7  proving"},
		{"cancelled", func(l *apiclient.Lane) { l.Counts.Cancelled = 4 }, "skipped 250  cancelled 4  running"},
		{"planning", func(l *apiclient.Lane) { l.Counts = apiclient.Tally{} }, "failed 0  skipped 0  planning"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := whatsapp(10, 0, 1740)
			tt.change(&x)
			l := newLane(x)
			l.take(x, start)
			require.Contains(t, l.line(start), tt.want)
		})
	}
}

func TestMeter(t *testing.T) {
	t.Parallel()
	var m meter
	require.Zero(t, m.rate(start))
	for i := range 20 { // 10 a second, then 100 a second
		n := 10 * i
		if i > 10 {
			n = 100 + 100*(i-10)
		}
		m.add(start.Add(time.Duration(i)*time.Second), n)
	}
	end := start.Add(19 * time.Second)
	require.InDelta(t, 100, m.rate(end), 0.1, "only the last 5 s count")
	require.LessOrEqual(t, len(m.samples), 7)
	require.InDelta(t, 33, m.rate(end.Add(10*time.Second)), 1, "silence slows it down")
}

// The bars fit into 80 columns when nothing wider is known.
func TestBars(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	b := New(&out, true)
	b.Update(broadcast(whatsapp(875, 3, 872), apiclient.Lane{ChannelAccountID: "L", Channel: "line", Counts: apiclient.Tally{Planned: 5, Sent: 5}}))
	b.Note("worker killed")
	b.Close()
	b.Close() // twice is once
	b.Note("after the end")
	text := out.String()
	require.Contains(t, text, "worker killed")
	require.Contains(t, text, "whatsapp       1,128/2,000")
	require.Contains(t, text, strings.Repeat("█", 4)+"░", "the bar is as long as the share")
	require.Contains(t, text, "F3 S250 running", "80 columns take the short form")
	require.Contains(t, text, "done")
	require.True(t, strings.HasSuffix(text, "after the end\n"))
	require.False(t, Terminal(&out))
}
