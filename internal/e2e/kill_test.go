package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/simulator"
)

// TestKills kills every process that holds something, once, in the middle of a
// broadcast on a bad day of the providers. Order and moments are the seed's.
func TestKills(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	m := w.newTeam("prove", 2*reconcileAfter,
		// A throttle answer halves the rate: with one in a hundred, a limit of L
		// a second yields about √(10 L), so that each lane lasts some 20 s.
		crowd{channel: "whatsapp", customers: 800, rate: 250}, crowd{channel: "line", customers: 600, multicast: 1},
		crowd{channel: "facebook", customers: 350, rate: 100}, crowd{channel: "instagram", customers: 350, rate: 100})
	for _, a := range m.accounts {
		f := simulator.Faults{Seed: w.seed, Throttle: 0.01, Unavailable: 0.01, Lost500: 0.01, LostReset: 0.01}
		if a.Channel == "line" { // few calls of many people each: chance would hardly hit one
			f.Next = []simulator.NextFault{{Recipient: recipient("line", 70), Fault: simulator.Lost500},
				{Recipient: recipient("line", 250), Fault: simulator.LostReset}, {Recipient: recipient("line", 430), Fault: simulator.Unavailable}}
		}
		m.fault(a, f)
		m.webhooks(a, func(h *simulator.Webhooks) { h.Duplicate, h.Reorder, h.BeforeResponse = 0.05, 0.1, 0.02 })
	}
	began := time.Now()
	r := m.broadcast("kills")
	parts := []part{w.worker(), w.api(), w.temporal(), w.postgres()}
	w.rng.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	for i, p := range parts {
		share := 0.08 + 0.2*float64(i) + 0.12*w.rng.Float64()
		r.watchUntilTaken(int(share * float64(len(m.people))))
		outage := time.Duration(300+w.rng.IntN(1200)) * time.Millisecond
		t.Logf("%5.1f s: %s dies at %.0f %%, for %s and its start", time.Since(began).Seconds(), p.name, 100*share, outage)
		w.kill(p)
		w.pass(outage)
		w.start(p)
		b := r.waitFor(time.Minute, "an answer after "+p.name+" is back", anyState)
		require.False(t, b.Finished(), "the broadcast was over before %s died", p.name)
	}
	last := r.wait(2 * time.Minute)
	t.Logf("%5.1f s: finished, %+v", time.Since(began).Seconds(), last.Counts)
	c := r.judge()
	t.Logf("%5.1f s: judged, %+v", time.Since(began).Seconds(), c)
	require.Zero(t, c.Unknown+c.Skipped+c.Cancelled, "webhooks or the policy settle every row")
	for _, row := range r.recipients() { // the only reason not to be reached on such a day
		if row.State == "failed" {
			require.Equal(t, "outcome_unknown", row.Code, row.CustomerID)
		}
	}
	m.limitsKept()
	for channel, s := range m.summaries() {
		require.Positive(t, s.LostResponses, channel)
		t.Logf("%s: faults %v, %d answers lost, webhooks %+v", channel, s.Faults, s.LostResponses, s.Webhooks)
	}
}
