package pace

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAWindowNeverLetsMoreThanTheLimitBeginInASecond(t *testing.T) {
	t.Parallel()
	for _, limit := range []float64{1, 2.5, 40, 80, 1000} {
		w := &window{}
		w.set(limit)
		now := time.Unix(1_800_000_000, 0)
		var began []time.Time
		for i := range 5000 { // bursts after stalls of every length up to 2 s
			if i%97 == 0 {
				now = now.Add(time.Duration(i%2000) * time.Millisecond)
			}
			began = append(began, now.Add(w.reserve(now)))
		}
		n := int(math.Ceil(limit))
		for i := n; i < len(began); i++ {
			require.False(t, began[i].Before(began[i-1]), "in order")
			require.GreaterOrEqual(t, began[i].Sub(began[i-n]), time.Second, "limit %v: %d sends within a second", limit, n+1)
		}
	}
}

func TestAWindowWithoutLimitLetsEverythingPass(t *testing.T) {
	t.Parallel()
	w := &window{}
	for range 100 {
		require.Zero(t, w.reserve(time.Unix(1, 0)))
	}
}
