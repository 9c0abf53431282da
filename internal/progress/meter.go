package progress

import "time"

// meterSpan is how far back a meter looks.
const meterSpan = 5 * time.Second

// meter measures how fast a count grows over the last 5 s.
type meter struct {
	samples []sample // oldest first
}

type sample struct {
	at time.Time
	n  int
}

func (m *meter) add(at time.Time, n int) {
	m.samples = append(m.samples, sample{at, n})
	// One sample beyond the span stays: it is where the span begins.
	for len(m.samples) > 2 && at.Sub(m.samples[1].at) >= meterSpan {
		m.samples = m.samples[1:]
	}
}

// rate is the growth per second up to now; 0 before the second sample.
func (m *meter) rate(now time.Time) float64 {
	if len(m.samples) < 2 {
		return 0
	}
	first, last := m.samples[0], m.samples[len(m.samples)-1]
	span := last.at.Sub(first.at)
	if silent := now.Sub(last.at); silent > 2*time.Second {
		span += silent // nothing was reported because nothing changed
	}
	if span <= 0 || last.n < first.n {
		return 0
	}
	return float64(last.n-first.n) / span.Seconds()
}
