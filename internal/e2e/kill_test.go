package e2e_test

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
	"omniflow/internal/simulator"
)

// TestKills kills every process that holds something, again and again, in the
// middle of a broadcast of two messages on a bad day of the providers. Order
// and moments are the seed's. E2E_RECIPIENTS and E2E_KILLS make it longer:
// `make chaos`.
func TestKills(t *testing.T) {
	t.Parallel()
	d := badDay{recipients: fromEnv(t, "E2E_RECIPIENTS", 2100), kills: fromEnv(t, "E2E_KILLS", 4)}
	w := newWorld(t, 1)
	m := w.newTeam("prove", d.giveUpAfter(), d.crowds()...)
	d.begin(m)
	r := m.broadcastParts("kills", 2)
	p := r.reportProgress(d.kills)
	defer p.stop()
	inHand := 0
	for i, part := range w.victims(d.kills) {
		share := 0.05 + 0.8*(float64(i)+0.6*w.rng.Float64())/float64(d.kills)
		r.watchUntilAccepted(int(share*float64(r.rows())), d.takes())
		inHand += r.killed(part, time.Duration(300+w.rng.IntN(1200))*time.Millisecond, p)
	}
	p.phase.Store("waiting for the rest")
	r.wait(d.takes() + 2*time.Minute)
	p.phase.Store("judging")
	c := r.judge()
	t.Logf("%d kills, %d recipients, seed %d: %+v", d.kills, len(m.people), w.seed, c)
	require.Zero(t, c.Unknown+c.Cancelled, "webhooks or the policy settle every row")
	r.explained(inHand)
	m.limitsKept()
	for channel, s := range m.summaries() {
		require.Positive(t, s.LostResponses, channel)
		require.Positive(t, s.Faults[simulator.Permanent], channel)
		t.Logf("%s: faults %v, %d answers lost, webhooks %+v", channel, s.Faults, s.LostResponses, s.Webhooks)
	}
}

// fromEnv is a whole number above 0 from the environment.
func fromEnv(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, name)
	require.Positive(t, n, name)
	return n
}

// victims are so many parts to kill: each of the four as often as the others,
// in an order that the seed draws anew for each round.
func (w *world) victims(n int) []part {
	var list []part
	for len(list) < n {
		round := []part{w.worker(), w.api(), w.temporal(), w.postgres()}
		w.rng.Shuffle(len(round), func(i, j int) { round[i], round[j] = round[j], round[i] })
		list = append(list, round...)
	}
	return list[:n]
}

// claimAtMost is how many rows a claim takes.
const claimAtMost = 64

// killed kills a part and starts it again after the outage. It returns how many
// rows, at most, that left without an outcome before anything was sent.
func (r *run) killed(dead part, outage time.Duration, p *progress) (inHand int) {
	r.t.Helper()
	r.t.Logf("%5.1f s: %s dies, for %s and its start", time.Since(p.began).Seconds(), dead.name, outage)
	p.phase.Store(dead.name + " is dead")
	before := r.seen.Load().Counts
	r.kill(dead)
	if dead.name == "worker" {
		inHand = r.state().Counts.Sending
	}
	r.pass(outage)
	r.start(dead)
	p.kills.Add(1)
	p.phase.Store("sending")
	b := r.waitFor(time.Minute, "an answer after "+dead.name+" is back", anyState)
	require.False(r.t, b.Finished(), "the broadcast was over before %s died", dead.name)
	if dead.name == "PostgreSQL" { // it may have kept the answer to a claim for itself
		inHand = b.Counts.Sending + max(0, b.Counts.Unknown-before.Unknown) + claimAtMost
	}
	return inHand
}

// explained fails unless the faults explain every row that reached nobody: a
// provider refused the recipient for good; or a call that was never taken had
// an unknown outcome, as a 5xx, a cut connection and a kill leave it, and its
// absence could not be proven in time; or the message before was such a one.
// That none of them was delivered is for judge to say.
func (r *run) explained(inHand int) {
	r.t.Helper()
	refused, unknown, skipped := map[string]int{}, 0, 0
	failed := map[string]bool{}
	rows := r.recipients()
	for _, row := range rows {
		if row.State != "failed" {
			continue
		}
		failed[row.CustomerID] = true
		if row.Code == string(omniflow.Unreachable) {
			refused[row.Channel]++
			continue
		}
		require.Equal(r.t, string(omniflow.OutcomeUnknown), row.Code, row.CustomerID)
		require.NotEqual(r.t, "line", row.Channel, "%s: LINE's key tells", row.CustomerID)
		unknown++
	}
	for _, row := range rows {
		if row.State != "skipped" {
			continue
		}
		require.Equal(r.t, string(omniflow.PreviousNotSent), row.Code, row.CustomerID)
		require.Equal(r.t, 2, row.Ordinal, row.CustomerID)
		require.True(r.t, failed[row.CustomerID], "%s was skipped after nothing", row.CustomerID)
		skipped++
	}
	for channel, s := range r.summaries() {
		require.LessOrEqual(r.t, refused[channel], s.Faults[simulator.Permanent], "%s: refused for good", channel)
		if channel != "line" {
			inHand += s.Faults[simulator.Refuse] + s.Faults[simulator.Unavailable]
		}
	}
	r.t.Logf("refused for good %v, outcome unknown %d of at most %d, skipped after them %d", refused, unknown, inHand, skipped)
	require.LessOrEqual(r.t, unknown, inHand, "outcomes that nothing explains")
	require.LessOrEqual(r.t, skipped, len(failed))
}
