package main

import "github.com/prometheus/client_golang/prometheus"

// metrics are what the API measures about itself.
type metrics struct {
	requests        *prometheus.HistogramVec
	webhooks        *prometheus.CounterVec
	webhookDuration *prometheus.HistogramVec
}

func newMetrics(registry prometheus.Registerer) metrics {
	buckets := []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	m := metrics{
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "omniflow_http_request_duration_seconds", Help: "Time to answer a request, by route and status.", Buckets: buckets,
		}, []string{"route", "method", "status"}),
		webhooks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "omniflow_webhooks_total", Help: "Webhook requests by channel and result: stored, repeated, or why refused.",
		}, []string{"channel", "result"}),
		webhookDuration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "omniflow_webhook_duration_seconds", Help: "Time to verify and store a webhook request.", Buckets: buckets,
		}, []string{"channel"}),
	}
	registry.MustRegister(m.requests, m.webhooks, m.webhookDuration)
	return m
}
