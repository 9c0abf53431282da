package pace

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// start is the time at which every queue of these tests hears of its first lease.
var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// at is start and so many milliseconds.
func at(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }

// leased is a queue that heard at start of n slots, one each interval, the
// first one due after delay.
func leased(n int, delay, interval time.Duration) *queue {
	q := &queue{turn: make(chan struct{}, 1)}
	q.add(start, start, omniflow.Lease{Slots: n, Delay: delay, Interval: interval, Rate: 1 / interval.Seconds()})
	return q
}

// total takes all that is due at now.
func total(q *queue, now time.Time) int {
	sum := 0
	for {
		n, _ := q.take(now, 1000)
		if n == 0 {
			return sum
		}
		sum += n
	}
}

func TestASlotIsDueAtItsTime(t *testing.T) {
	t.Parallel()
	q := leased(3, 50*time.Millisecond, 100*time.Millisecond)
	for _, step := range []struct {
		ms, slots int
		wait      time.Duration
	}{
		{0, 0, 50 * time.Millisecond},
		{49, 0, time.Millisecond},
		{50, 1, 0},
		{50, 0, 100 * time.Millisecond},
		{149, 0, time.Millisecond},
		{150, 1, 0},
		{290, 1, 0}, // the slot of 250 ms is late, not too late
		{300, 0, time.Millisecond},
	} {
		n, wait := q.take(at(step.ms), 10)
		require.Equal(t, step.slots, n, "at %d ms", step.ms)
		require.Equal(t, step.wait, wait, "at %d ms", step.ms)
	}
}

func TestHighRatesAreHandedOutInGroups(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		interval    time.Duration
		left, most  int
		group, wait int // slots, and the milliseconds until the last of them is due
	}{
		{"one at a time at 10/s", 100 * time.Millisecond, 9, 64, 1, 0},
		{"one at a time at 40/s", 25 * time.Millisecond, 9, 64, 1, 0},
		{"5 at 200/s", 5 * time.Millisecond, 40, 64, 5, 20},
		{"25 at 1,000/s", time.Millisecond, 200, 64, 25, 24},
		{"no more than asked for", time.Millisecond, 200, 4, 4, 3},
		{"no more than are left", time.Millisecond, 3, 64, 3, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			q := leased(c.left, 0, c.interval)
			n, wait := q.take(start, c.most)
			if c.wait > 0 {
				require.Zero(t, n, "the last slot of a group is not due before its time")
				require.Equal(t, time.Duration(c.wait)*time.Millisecond, wait)
				n, _ = q.take(at(c.wait), c.most)
			}
			require.Equal(t, c.group, n)
		})
	}
}

func TestLateSlotsAreLostAndNeverSavedUp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		after  int // ms after the lease
		usable int
	}{
		{"at once", 0, 1},
		{"a slot that is exactly 40 ms late is usable", 40, 5},
		{"one that is 41 ms late is not", 41, 4},
		{"later, too, the tolerance keeps four besides the one that is due", 100, 5},
		{"the end", 199, 4},
		{"after a pause of a minute nothing is left", 60_000, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			q := leased(20, 0, 10*time.Millisecond)
			usable := 0
			for { // singly, or a group would wait for its last slot
				n, _ := q.take(at(c.after), 1)
				if n == 0 {
					break
				}
				usable++
			}
			require.Equal(t, c.usable, usable)
		})
	}
}

func TestALeaseIsRenewedBeforeItsEnd(t *testing.T) {
	t.Parallel()
	q := &queue{}
	n, ask := q.wants(start)
	require.True(t, ask)
	require.Equal(t, 1, n, "the rate is not known yet")

	q = leased(20, 0, 10*time.Millisecond) // until 200 ms
	_, ask = q.wants(at(99))
	require.False(t, ask)
	n, ask = q.wants(at(100))
	require.True(t, ask, "100 ms are left")
	require.Equal(t, 20, n, "200 ms' worth at 100/s")

	q.add(at(100), at(100), omniflow.Lease{Slots: 20, Delay: 100 * time.Millisecond, Interval: 10 * time.Millisecond, Rate: 50})
	_, ask = q.wants(at(120))
	require.False(t, ask, "the second lease ends at 400 ms")
	n, ask = q.wants(at(300))
	require.True(t, ask)
	require.Equal(t, 10, n, "by the rate as last heard")
}

func TestTwoLeasesFollowEachOther(t *testing.T) {
	t.Parallel()
	q := leased(2, 0, 30*time.Millisecond)
	q.add(start, start, omniflow.Lease{Slots: 2, Delay: 60 * time.Millisecond, Interval: 30 * time.Millisecond, Rate: 33})
	for _, ms := range []int{0, 30, 60, 90} {
		require.Equal(t, 1, total(q, at(ms)), "at %d ms", ms)
	}
	require.Zero(t, total(q, at(120)))
}

func TestARefusedLeaseIsAskedForAgainLater(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		delay, wait time.Duration
	}{
		{"when a lease's worth is left", 700 * time.Millisecond, 500 * time.Millisecond},
		{"soon", 150 * time.Millisecond, time.Millisecond},
		{"never later than in a second", time.Hour, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			q := &queue{}
			q.add(start, start, omniflow.Lease{Delay: c.delay, Rate: 40})
			_, ask := q.wants(start.Add(c.wait - 1))
			require.False(t, ask)
			n, wait := q.take(start, 1)
			require.Zero(t, n)
			require.Equal(t, c.wait, wait)
			n, ask = q.wants(start.Add(c.wait))
			require.True(t, ask)
			require.Equal(t, 8, n)
		})
	}
}

func TestAnEmptyQueueNeverSpins(t *testing.T) {
	t.Parallel()
	n, wait := (&queue{}).take(start, 1)
	require.Zero(t, n)
	require.Equal(t, time.Millisecond, wait)
}

func TestALeaseHeardOfLateLosesWhatReachesIntoTheNext(t *testing.T) {
	t.Parallel()
	q := &queue{}
	asked := time.Unix(1_800_000_000, 0)
	heard := asked.Add(120 * time.Millisecond) // the database stalled
	q.add(asked, heard, omniflow.Lease{Slots: 16, Interval: 12500 * time.Microsecond, Rate: 80})
	require.Len(t, q.leases, 1)
	require.Equal(t, 8, q.leases[0].left)
	require.Equal(t, heard, q.leases[0].next, "none is early")
}
