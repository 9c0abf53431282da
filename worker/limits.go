package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"omniflow/internal/postgres"
)

// limitCollector shows every limiter as the database has it at the scrape:
// what is set, what is in force after throttling, and why; and what waits.
type limitCollector struct {
	store *postgres.Store
	log   *slog.Logger
}

var (
	limitLabels = []string{"channel", "channel_account_id", "limiter"}
	limitSet    = prometheus.NewDesc("omniflow_limit_per_second", "The limit that is set.", limitLabels, nil)
	limitNow    = prometheus.NewDesc("omniflow_limit_rate_per_second", "The rate in force: lower after a throttle answer, creeping back.", append(limitLabels, "reason"), nil)
	limitClosed = prometheus.NewDesc("omniflow_limit_closed_seconds", "How long the provider still wants nothing.", limitLabels, nil)
	limitBooked = prometheus.NewDesc("omniflow_limit_booked_seconds", "How far ahead send slots are leased: 0 is idle, 0.6 is saturated.", limitLabels, nil)

	backlogRows = prometheus.NewDesc("omniflow_backlog", "What waits: webhook requests (inbox), promised starts (outbox) and signals to runs (signals), messages without an answer (unknown), and of these what should have been given up an hour ago (undecided).", []string{"what"}, nil)
	backlogAge  = prometheus.NewDesc("omniflow_backlog_age_seconds", "Age of the oldest that waits.", []string{"what"}, nil)
	stoppedNow  = prometheus.NewDesc("omniflow_accounts_stopped", "Channel accounts that take nothing until somebody acts.", nil, nil)
)

// Describe tells the registry what Collect gives.
func (c limitCollector) Describe(out chan<- *prometheus.Desc) {
	out <- limitSet
	out <- limitNow
	out <- limitClosed
	out <- limitBooked
	out <- backlogRows
	out <- backlogAge
	out <- stoppedNow
}

// Collect reads the limiters within two seconds, or gives nothing.
func (c limitCollector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	limits, err := c.store.Limits(ctx)
	if err != nil {
		c.log.Warn("limits are not shown in metrics", "error", err)
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, l := range limits {
		labels := []string{string(l.Channel), l.ChannelAccountID.String(), l.Name}
		gauge(limitSet, l.Limit, labels...)
		gauge(limitNow, l.Rate, append(labels, l.Reason)...)
		gauge(limitClosed, l.Closed, labels...)
		gauge(limitBooked, l.Booked, labels...)
	}
	waiting, err := c.store.Backlog(ctx)
	if err != nil {
		c.log.Warn("what waits is not shown in metrics", "error", err)
		return
	}
	gauge(backlogRows, float64(waiting.Inbox), "inbox")
	gauge(backlogRows, float64(waiting.Outbox), "outbox")
	gauge(backlogRows, float64(waiting.Signals), "signals")
	gauge(backlogRows, float64(waiting.Unknown), "unknown")
	gauge(backlogRows, float64(waiting.Undecided), "undecided")
	gauge(backlogAge, waiting.InboxSeconds, "inbox")
	gauge(backlogAge, waiting.OutboxSeconds, "outbox")
	gauge(backlogAge, waiting.SignalsSeconds, "signals")
	gauge(backlogAge, waiting.UnknownSeconds, "unknown")
	gauge(stoppedNow, float64(waiting.StoppedAccounts))
}
