package e2e_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/simulator"
)

// TestLimitHoldsAcrossThreeWorkers sends through one account from three
// processes at once, for some 15 s.
func TestLimitHoldsAcrossThreeWorkers(t *testing.T) {
	t.Parallel()
	const rate = 80.0
	w := newWorld(t, 3)
	m := w.newTeam("prove", 2*reconcileAfter, crowd{channel: "whatsapp", customers: 1200, rate: rate})
	r := m.broadcast("limit")
	r.wait(time.Minute)
	c := r.judge()
	require.Equal(t, 1200, c.Sent)
	m.limitsKept()
	require.Zero(t, m.summaries()["whatsapp"].RefusedThrottle)
	for n := range 3 {
		require.Contains(t, w.metrics(n), "omniflow_attempts_total{", "worker %d has sent", n)
	}
	at := times(r.deliveries())
	most, after := busiest(at)
	require.LessOrEqual(t, most, int(rate+rate/10), "in the second after %s", after)
	took := at[len(at)-1].Sub(at[0])
	t.Logf("%d messages in %.2f s: %.3f of what the limit allows; %d in the busiest second",
		len(at), took.Seconds(), float64(len(at))/(rate*took.Seconds()), most)
}

// metrics are those of worker n.
func (w *world) metrics(n int) string {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.stack.WorkerMetricsURL(n)+"/metrics", nil)
	require.NoError(w.t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(w.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(w.t, err)
	lines := strings.Split(string(body), "\n")
	return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return strings.HasSuffix(l, " 0") }), "\n")
}

// times are when the messages were taken, in order.
func times(deliveries []simulator.Delivery) []time.Time {
	at := make([]time.Time, len(deliveries))
	for i, d := range deliveries {
		at[i] = d.At
	}
	slices.SortFunc(at, time.Time.Compare)
	return at
}

// busiest is the most of the ordered moments that lie in any sliding second,
// and how long after the first of all that second began.
func busiest(at []time.Time) (most int, after time.Duration) {
	first := 0
	for i := range at {
		for at[i].Sub(at[first]) >= time.Second {
			first++
		}
		if n := i - first + 1; n > most {
			most, after = n, at[first].Sub(at[0])
		}
	}
	return most, after
}
