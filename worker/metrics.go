package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"omniflow/internal/omniflow"
)

// meter counts what leaves and what comes back. It satisfies activities.Meter.
type meter struct {
	attempts *prometheus.CounterVec
	latency  *prometheus.HistogramVec
	slowed   *prometheus.CounterVec
	stopped  *prometheus.CounterVec
	inbox    *prometheus.CounterVec
	swept    prometheus.Counter
}

func newMeter(r prometheus.Registerer) *meter {
	m := &meter{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "omniflow_attempts_total",
			Help: "Messages handed to a provider, by result: accepted, or the fault."}, []string{"channel", "result"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "omniflow_attempt_seconds",
			Help:    "Time of one provider call.",
			Buckets: []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}}, []string{"channel"}),
		slowed: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "omniflow_throttled_total",
			Help: "Throttle answers, by provider code."}, []string{"channel", "code"}),
		stopped: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "omniflow_stops_total",
			Help: "Accounts or lanes stopped until an operator acts, by provider code. Alert on any increase."}, []string{"channel", "code"}),
		inbox: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "omniflow_inbox_total",
			Help: "What the relay made of webhooks: requests, changed rows, customer messages, dead letters."}, []string{"what"}),
		swept: prometheus.NewCounter(prometheus.CounterOpts{Name: "omniflow_conversations_swept_total",
			Help: "Conversations whose run was not there when it should have looked, and was told to."}),
	}
	r.MustRegister(m.attempts, m.latency, m.slowed, m.stopped, m.inbox, m.swept)
	return m
}

// Attempt counts one provider call that carried n messages.
func (m *meter) Attempt(ch omniflow.Channel, result string, latency time.Duration, n int) {
	m.attempts.WithLabelValues(string(ch), result).Add(float64(n))
	m.latency.WithLabelValues(string(ch)).Observe(latency.Seconds())
}

// Slowed counts a throttle answer.
func (m *meter) Slowed(ch omniflow.Channel, code string) {
	m.slowed.WithLabelValues(string(ch), code).Inc()
}

// Stopped counts a stop.
func (m *meter) Stopped(ch omniflow.Channel, code string) {
	m.stopped.WithLabelValues(string(ch), code).Inc()
}

func (m *meter) relayed(r omniflow.IntakeResult) {
	m.inbox.WithLabelValues("requests").Add(float64(r.Items))
	m.inbox.WithLabelValues("changed").Add(float64(r.Changed))
	m.inbox.WithLabelValues("customer_messages").Add(float64(r.Messages))
	m.inbox.WithLabelValues("blocked_messages").Add(float64(r.Blocked))
	m.inbox.WithLabelValues("group_events").Add(float64(r.Groups))
	m.inbox.WithLabelValues("dead_letters").Add(float64(r.Dead))
}
