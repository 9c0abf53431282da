package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/apiclient"
)

// TestFairness: a team with a hundred times the audience, on the same worker,
// costs a small one little of its time. Each sends through an account of its own.
func TestFairness(t *testing.T) {
	t.Parallel()
	const rate, few = 200, 60
	w := newWorld(t, 1)
	small := w.newTeam("prove", 2*reconcileAfter, crowd{channel: "whatsapp", customers: few, rate: rate})
	large := w.newTeam("prove", 2*reconcileAfter, crowd{channel: "whatsapp", customers: 100 * few, rate: rate})

	alone := small.broadcast("alone").lasts()
	big := large.broadcast("large")
	big.takenAtLeast(5*few, 30*time.Second) // in full flow
	beside := small.broadcast("beside a large one").lasts()
	during := big.state()
	t.Logf("alone %s, beside the large one %s, which has sent %d of %d", alone, beside, during.Counts.Delivered(), 100*few)
	require.False(t, during.Finished(), "the large one did not last: nothing was tested")
	require.Less(t, during.Counts.Settled(), 90*few)
	require.LessOrEqual(t, beside, 2*alone+2*time.Second)

	before := big.taken()
	big.takenAtLeast(before+rate, 30*time.Second) // and the small one did not stop it
	big.order(apiclient.Cancel, "it has done its part")
	big.wait(time.Minute)
	c := big.judge()
	require.Equal(t, 100*few, c.Sent+c.Cancelled, "%+v", c)
	small.limitsKept()
	large.limitsKept()
}

// lasts is how long the broadcast took, from its acceptance until the last of
// its messages was sent, which were all of them.
func (r *run) lasts() time.Duration {
	r.t.Helper()
	last := r.wait(time.Minute)
	require.Equal(r.t, "completed", last.Outcome)
	require.Equal(r.t, len(r.people), r.judge().Sent)
	return last.FinishedAt.Sub(last.CreatedAt)
}
