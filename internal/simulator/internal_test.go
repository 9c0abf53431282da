package simulator

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSlidingWindowAgreesWithCountingByHand(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	w := newSlidingWindow(7)
	var admitted, all []time.Time
	now := time.Unix(1_770_000_000, 0)
	within := func(list []time.Time) (n int) {
		for _, at := range list {
			if now.Sub(at) < time.Second {
				n++
			}
		}
		return n
	}
	peak, refused := 0, 0
	for range 1000 {
		now = now.Add(time.Duration(rng.IntN(int(250 * time.Millisecond))))
		all = append(all, now)
		peak = max(peak, within(all))
		want := within(admitted) < 7
		if want {
			admitted = append(admitted, now)
		} else {
			refused++
		}
		require.Equal(t, want, w.arrive(now))
	}
	require.Positive(t, refused)
	require.Equal(t, refused, w.exceeded)
	require.Equal(t, peak, w.peak)
}

func TestPairWindowStrictReading(t *testing.T) {
	t.Parallel()
	start := time.Unix(1_770_000_000, 0)
	for _, c := range []struct {
		burst int
		after time.Duration // since the first of them
		taken bool
	}{
		{1, 5999 * time.Millisecond, true},
		{1, 6 * time.Second, true},
		{2, 6 * time.Second, false},
		{2, 12*time.Second - 1, false},
		{2, 12 * time.Second, true},
		{20, 120*time.Second - 1, false},
		{20, 120 * time.Second, true},
		{44, 5 * time.Second, true},
		{45, 5 * time.Second, false},
		{45, 270*time.Second - 1, false},
		{45, 270 * time.Second, true},
	} {
		var p pairWindow
		for i := range c.burst {
			require.True(t, p.take(start.Add(time.Duration(i)*time.Millisecond)))
		}
		require.Equal(t, c.taken, p.take(start.Add(c.after)), "%d, %s", c.burst, c.after)
	}
}

func TestMetaEscapeKeepsTheMeaning(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		var b strings.Builder
		for range rng.IntN(30) {
			r := rune(rng.IntN(0x110000))
			if r >= 0xd800 && r < 0xe000 {
				r = '/'
			}
			b.WriteRune(r)
		}
		escaped := escapeMeta(quote(nil, b.String()))
		for i, c := range escaped {
			require.Less(t, c, byte(0x80))
			require.False(t, c == '/' && escaped[i-1] != '\\')
		}
		var back string
		require.NoError(t, json.Unmarshal(escaped, &back))
		require.Equal(t, b.String(), back)
	}
}

func TestBackoffOfWebhooks(t *testing.T) {
	t.Parallel()
	var got []time.Duration
	for attempt := range 9 {
		got = append(got, backoff(attempt))
	}
	s := time.Second
	require.Equal(t, []time.Duration{s / 5, s, 2 * s, 4 * s, 8 * s, 16 * s, 30 * s, 30 * s, 30 * s}, got)
}

func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	t.Cleanup(s.Close)
	q := newQueue(s)
	q.tune(Webhooks{Disabled: true, BatchMax: 1})
	q.counts.Pending = maxPending
	q.add(event{}, 0, false)
	require.Equal(t, 1, q.figures().Dropped)
	require.Equal(t, maxPending, q.figures().Pending)
}

func TestContentHashIgnoresOrderAndSpace(t *testing.T) {
	t.Parallel()
	require.Equal(t, hashJSON(json.RawMessage(`{"a":1,"b":[2]}`)), hashJSON(json.RawMessage(`{ "b":[2], "a":1 }`)))
	require.Equal(t, hashText(`{"a":1e999,"b":"<界>"}`), hashJSON(json.RawMessage(`{"b":"\u003c界>","a":1e999}`)))
	require.NotEqual(t, hashJSON(json.RawMessage(`{"a":1}`)), hashJSON(json.RawMessage(`{"a":2}`)))
}
