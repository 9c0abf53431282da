package activities

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// notes is a ledger that notes what is recorded, and is away at first.
type notes struct {
	Ledger
	mu     sync.Mutex
	away   int // so many calls fail
	calls  int
	groups [][]omniflow.Record
}

func (n *notes) RecordMessages(ctx context.Context, _ uuid.UUID, records []omniflow.Record) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.calls++
	if n.away > 0 {
		n.away--
		return 0, errors.New("the database is away")
	}
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	n.groups = append(n.groups, append([]omniflow.Record(nil), records...))
	return len(records), nil
}

// written counts how often each attempt number was written.
func (n *notes) written() map[int]int {
	out := map[int]int{}
	for _, g := range n.groups {
		for _, r := range g {
			out[r.Attempt]++
		}
	}
	return out
}

func (n *notes) sizes() []int {
	var out []int
	for _, g := range n.groups {
		out = append(out, len(g))
	}
	return out
}

// chunk is n records numbered from first.
func chunk(first, n int) []omniflow.Record {
	out := make([]omniflow.Record, n)
	for i := range out {
		out[i].Attempt = first + i
	}
	return out
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestARecorderLosesNothingWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ledger := &notes{away: 3}
		r := newRecorder(t.Context(), ledger, uuid.Nil, quiet(), recordGrace)
		var wg sync.WaitGroup
		for i := range 300 {
			wg.Go(func() { r.add(chunk(i, 1)...) })
		}
		wg.Wait()
		r.close()
		written := ledger.written()
		require.Len(t, written, 300)
		for attempt, times := range written {
			require.Equal(t, 1, times, "outcome %d", attempt)
		}
		require.Equal(t, 3+len(ledger.groups), ledger.calls)
	})
}

func TestAnActivityThatEndedStillRecords(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ledger := &notes{away: 3}
		ctx, cancel := context.WithCancel(t.Context())
		r := newRecorder(ctx, ledger, uuid.Nil, quiet(), recordGrace)
		cancel()
		r.add(chunk(1, 2)...)
		r.close()
		require.Equal(t, map[int]int{1: 1, 2: 1}, ledger.written())
	})
}

func TestClosingEndsWithTheGrace(t *testing.T) {
	t.Parallel()
	for _, cancelled := range []string{"before", "after"} {
		synctest.Test(t, func(t *testing.T) {
			ledger := &notes{away: 1 << 30}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r := newRecorder(ctx, ledger, uuid.Nil, quiet(), time.Minute)
			if cancelled == "before" {
				cancel()
			}
			for i := range 40 { // more than one group: they share the grace
				r.add(chunk(10*i, 10)...)
			}
			began := time.Now()
			cancel()
			r.close()
			require.InDelta(t, time.Minute.Seconds(), time.Since(began).Seconds(), 3)
			require.Empty(t, ledger.groups)
			require.Greater(t, ledger.calls, 20, "tried all the time")
			require.Less(t, ledger.calls, 80, "with pauses of up to 2 s")
		})
	}
}

func TestWhileTheActivityRunsTheDatabaseIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ledger := &notes{away: 100} // more than three minutes
		r := newRecorder(t.Context(), ledger, uuid.Nil, quiet(), time.Second)
		r.add(chunk(1, 1)...)
		r.close()
		require.Equal(t, map[int]int{1: 1}, ledger.written())
	})
}

func TestOutcomesAreWrittenInGroups(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		chunks []int
		want   []int
	}{
		{"nothing", nil, nil},
		{"one", []int{1}, []int{1}},
		{"neighbours go together", []int{1, 1, 1}, []int{3}},
		{"64 at most", []int{60, 4, 1}, []int{64, 1}},
		{"a chunk is never cut", []int{40, 40, 10}, []int{40, 50}},
		{"a multicast call is written whole", []int{1, 500, 3}, []int{1, 500, 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ledger := &notes{}
				r := newRecorder(t.Context(), ledger, uuid.Nil, quiet(), recordGrace)
				first := 0
				for _, n := range c.chunks {
					r.add(chunk(first, n)...)
					first += n
				}
				r.close()
				require.Equal(t, c.want, ledger.sizes())
				require.Len(t, ledger.written(), first)
			})
		})
	}
}

func TestAnOutcomeWaitsTenMillisecondsForCompany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ledger := &notes{}
		r := newRecorder(t.Context(), ledger, uuid.Nil, quiet(), recordGrace)
		r.add(chunk(1, 1)...)
		<-time.After(recordWithin - time.Millisecond)
		r.add(chunk(2, 1)...)
		<-time.After(2 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, []int{2}, ledger.sizes())
		r.add(chunk(3, 1)...)
		r.close()
		require.Equal(t, []int{2, 1}, ledger.sizes())
	})
}
