package e2e_test

import (
	"sync"
	"sync/atomic"
	"time"

	"omniflow/internal/simulator"
)

// badDay is a broadcast with faults and kills, and how long it is to last.
type badDay struct{ recipients, kills int }

// The shares of requests that go wrong, at every account but LINE's.
const (
	throttleShare = 0.004
	lostShare     = 0.01 // taken, and the answer lost
)

// takes is about how long the sending lasts: time for a kill and what follows it.
func (d badDay) takes() time.Duration {
	return max(20*time.Second, time.Duration(d.kills)*8*time.Second)
}

// giveUpAfter lets most outcomes that were not learned be proven while the
// webhooks of later messages still come.
func (d badDay) giveUpAfter() time.Duration { return max(3*reconcileAfter, d.takes()/2) }

// crowds are the recipients, most of them on WhatsApp, under limits at which
// the lanes end at about the same time.
func (d badDay) crowds() []crowd {
	seconds := d.takes().Seconds()
	share := func(of21 float64) int { return int(float64(d.recipients) * of21 / 21) }
	line, page := share(6), share(3.5)
	whatsapp := d.recipients - line - 2*page
	return []crowd{{channel: "whatsapp", customers: whatsapp, rate: limitFor(float64(2*whatsapp) / seconds)},
		{channel: "line", customers: line, multicast: (10 + 5*float64(line)/500) / seconds}, // lost answers and refusals are calls too
		{channel: "facebook", customers: page, rate: limitFor(float64(2*page) / seconds)},
		{channel: "instagram", customers: page, rate: limitFor(float64(2*page) / seconds)}}
}

// limitFor is the limit under which so many a second leave. A throttle answer
// halves the rate, which creeps back by a tenth of the limit a second: with a
// share p of them, a limit of L yields about √(L/10p). Outages take their part.
func limitFor(perSecond float64) float64 {
	return float64(int(2*max(perSecond*perSecond*10*throttleShare, perSecond)) + 1)
}

// begin makes the day a bad one: requests fail in every way, one answer in a
// hundred is lost, webhooks come twice, late, early and out of order.
func (d badDay) begin(m *team) {
	m.t.Helper()
	for _, a := range m.accounts {
		f := simulator.Faults{Seed: m.seed, Throttle: throttleShare, Unavailable: 0.01, Refuse: 0.001, Permanent: 0.003,
			Lost500: 0.4 * lostShare, LostReset: 0.3 * lostShare, Truncated: 0.3 * lostShare,
			Next: []simulator.NextFault{{Recipient: recipient(a.Channel, 3), Fault: simulator.Permanent}, // chance may spare a small lane
				{Recipient: recipient(a.Channel, 5), Fault: simulator.LostReset}}}
		if a.Channel == "line" {
			f = simulator.Faults{Seed: m.seed, Next: lineFaults(d.recipients * 6 / 21)}
		}
		m.fault(a, f)
		m.webhooks(a, func(h *simulator.Webhooks) { h.Duplicate, h.Reorder, h.BeforeResponse = 0.05, 0.1, 0.02 })
	}
}

// lineFaults hits every call of up to 500 people: there are too few for chance.
func lineFaults(customers int) []simulator.NextFault {
	lost := []simulator.Fault{simulator.Lost500, simulator.LostReset, simulator.Truncated}
	var next []simulator.NextFault
	for n := 0; n < customers; n += 500 {
		next = append(next, simulator.NextFault{Recipient: recipient("line", n), Fault: simulator.Permanent},
			simulator.NextFault{Recipient: recipient("line", n+20), Fault: lost[n/500%len(lost)]},
			simulator.NextFault{Recipient: recipient("line", n+40), Fault: simulator.Unavailable})
	}
	return next
}

// progress tells a person at the terminal that a long run lives.
type progress struct {
	began time.Time
	phase atomic.Value // string
	kills atomic.Int64
	stop  func()
}

// progressEach is the time between two lines of progress.
const progressEach = 4 * time.Second

// reportProgress logs how far the broadcast is until it is stopped.
func (r *run) reportProgress(kills int) *progress {
	p := &progress{began: time.Now()}
	p.phase.Store("sending")
	done, ended := make(chan struct{}), make(chan struct{})
	p.stop = sync.OnceFunc(func() { close(done); <-ended })
	go func() {
		defer close(ended)
		tick := time.NewTicker(progressEach)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-done:
				return
			}
			if b := r.seen.Load(); b != nil && b.Counts.Planned > 0 {
				r.t.Logf("%5.1f s: %3d %% settled, %d of %d killed, %v; %d sent, %d failed, %d unknown", time.Since(p.began).Seconds(),
					100*b.Counts.Settled()/b.Counts.Planned, p.kills.Load(), kills, p.phase.Load(), b.Counts.Delivered(), b.Counts.Failed, b.Counts.Unknown)
			}
		}
	}()
	return p
}
