package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/apiclient"
	"omniflow/internal/simulator"
	"omniflow/internal/truth"
)

// allChannels is n customers on each.
func allChannels(n int) []crowd {
	return []crowd{{channel: "whatsapp", customers: n}, {channel: "line", customers: n},
		{channel: "facebook", customers: n}, {channel: "instagram", customers: n}}
}

// lostAnswers are the ways in which a message is taken and its sender not told.
var lostAnswers = []simulator.Fault{simulator.Lost500, simulator.LostReset, simulator.Truncated}

// loseAnswers spoils one answer in every such way, at each account.
func (m *team) loseAnswers() {
	m.t.Helper()
	for _, a := range m.accounts {
		var f simulator.Faults
		for n, fault := range lostAnswers {
			f.Next = append(f.Next, simulator.NextFault{Recipient: recipient(a.Channel, n), Fault: fault})
		}
		m.fault(a, f)
	}
}

// dropWebhooks makes what providers tell us get lost on its way.
func (m *team) dropWebhooks() {
	m.t.Helper()
	for _, a := range m.accounts {
		m.webhooks(a, func(h *simulator.Webhooks) { h.Drop, h.BeforeResponse = 1, 0 })
	}
}

// attempts is how often a row was tried; each channel's own.
func (r *run) attempts(channel string) []int {
	r.t.Helper()
	var all []int
	for _, row := range r.recipients() {
		if row.Channel == channel {
			all = append(all, row.Attempt)
		}
	}
	return all
}

// onceEach fails unless everybody was sent to once and the ledger says so.
func (r *run) onceEach() {
	r.t.Helper()
	c := r.judge()
	require.Equal(r.t, truth.Comparison{Recipients: len(r.people), Sent: len(r.people), Delivered: len(r.people)}, c)
	require.Equal(r.t, len(r.people), r.taken())
	for _, channel := range []string{"whatsapp", "facebook", "instagram"} {
		for _, n := range r.attempts(channel) {
			require.Equal(r.t, 1, n, "%s was tried again though webhooks told", channel)
		}
	}
}

// handedOver says that every row has been tried once.
func handedOver(b apiclient.Broadcast) bool {
	return b.Counts.Planned > 0 && b.Counts.Queued+b.Counts.Sending == 0
}

// TestAmbiguousAnswerLost: the provider took the message and the answer was
// lost. Webhooks tell, and LINE the retry key.
func TestAmbiguousAnswerLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	m := w.newTeam("prove", 2*reconcileAfter, allChannels(30)...)
	m.loseAnswers()
	r := m.broadcast("answer lost")
	last := r.wait(time.Minute)
	require.Equal(t, "completed", last.Outcome)
	r.onceEach()
	for channel, s := range m.summaries() {
		require.Positive(t, s.LostResponses, channel)
	}
	require.Positive(t, m.summaries()["line"].RepeatedKeys, "LINE was asked again under the same key")
}

// TestAmbiguousWorkerKilled: the worker dies after the provider took the
// message and before the answer came. While webhooks wait nothing is sent
// twice; then they tell, and LINE its retry key.
func TestAmbiguousWorkerKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	m := w.newTeam("prove", 4*reconcileAfter, allChannels(20)...)
	for _, a := range m.accounts {
		m.fault(a, simulator.Faults{LatencyMS: 9000}) // taken at once, answered when the worker is dead
		m.webhooks(a, func(h *simulator.Webhooks) { h.Disabled = true })
	}
	r := m.broadcast("worker killed")
	r.takenAtLeast(len(m.people), 8*time.Second)
	w.kill(w.worker())
	require.Equal(t, 80, r.state().Counts.Sending, "killed between claim and record")
	for _, a := range m.accounts {
		m.fault(a, simulator.Faults{})
	}
	w.start(w.worker())
	r.waitFor(30*time.Second, "unknown where no key tells", func(b apiclient.Broadcast) bool {
		return b.Counts.Unknown == 60 && b.Counts.Sent == 20
	})
	require.Equal(t, len(m.people), r.taken(), "nothing left twice")
	for _, a := range m.accounts {
		m.webhooks(a, func(*simulator.Webhooks) {})
	}
	r.wait(time.Minute)
	r.onceEach()
}

// TestAmbiguousWithoutWebhooks: nothing ever tells. Then the team's policy
// decides, and only after reconcile_after; LINE needs no policy.
func TestAmbiguousWithoutWebhooks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	runs := map[string]*run{}
	for _, policy := range []string{"prove", "fail", "resend"} {
		m := w.newTeam(policy, reconcileAfter+5*time.Second, allChannels(4)...)
		m.loseAnswers()
		m.dropWebhooks()
		runs[policy] = m.broadcast("policy " + policy)
	}
	lost := 3 * len(lostAnswers) // on three channels
	for policy, r := range runs {
		b := r.waitFor(20*time.Second, "the end of sending", handedOver)
		require.Equal(t, lost, b.Counts.Unknown, policy)
		require.Equal(t, len(r.people), r.taken(), "%s: nothing is sent twice before reconcile_after", policy)
	}
	for policy, r := range runs {
		last := r.wait(time.Minute)
		if policy == "resend" {
			require.Equal(t, len(r.people), last.Counts.Delivered())
			require.Equal(t, len(r.people)+lost, r.taken(), "the price that the policy names")
			continue
		}
		require.Equal(t, lost, last.Counts.Failed, policy)
		require.Equal(t, len(r.people), r.taken(), "%s sends nothing twice", policy)
		for _, row := range r.recipients() {
			if row.State == "failed" {
				require.Equal(t, "outcome_unknown", row.Code)
				require.NotEqual(t, "line", row.Channel)
			}
		}
	}
}

// TestAmbiguousProvenAbsent: the request never reached the provider, and the
// connection broke. Webhooks about enough later messages prove it: the message
// is sent after all, once.
func TestAmbiguousProvenAbsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	m := w.newTeam("prove", 4*reconcileAfter, crowd{channel: "whatsapp", customers: 60, rate: 20}, crowd{channel: "line", customers: 60},
		crowd{channel: "facebook", customers: 60, rate: 20}, crowd{channel: "instagram", customers: 60, rate: 20})
	for _, a := range m.accounts {
		m.fault(a, simulator.Faults{Next: []simulator.NextFault{{Recipient: recipient(a.Channel, 0), Fault: simulator.Refuse}}})
	}
	r := m.broadcast("proven absent")
	b := r.waitFor(30*time.Second, "the end of sending", handedOver)
	require.Equal(t, 3, b.Counts.Unknown, "%+v", b.Counts)
	last := r.wait(time.Minute)
	require.Equal(t, len(m.people), last.Counts.Delivered(), "%+v", last.Counts)
	c := r.judge()
	require.Equal(t, truth.Comparison{Recipients: len(r.people), Sent: len(r.people), Delivered: len(r.people)}, c)
}
