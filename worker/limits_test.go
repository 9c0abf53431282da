package main

import (
	"context"
	"log/slog"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"omniflow/internal/postgres"
	"omniflow/internal/postgres/migrations"
	"omniflow/internal/postgres/postgrestest"
)

// TestWhatWaitsIsInTheMetrics holds what the alerts of deploy look at: signals
// that wait, runs that were lost, and what nobody decides.
func TestWhatWaitsIsInTheMetrics(t *testing.T) {
	t.Parallel()
	dsn := postgrestest.New(t, func(ctx context.Context, dsn string) error {
		_, err := migrations.Up(ctx, dsn)
		return err
	})
	store, err := postgres.Open(t.Context(), dsn, 4)
	require.NoError(t, err)
	t.Cleanup(store.Close)
	team := postgrestest.NewTeam(t, dsn)
	lost := team.Customers("whatsapp", 3)
	team.Exec(`UPDATE conversations SET armed_until = now() - interval '1 minute' WHERE id = ANY ($1)`, lost[:2])
	registry := prometheus.NewRegistry()
	r := &relay{store: store, meter: newMeter(registry), log: slog.New(slog.DiscardHandler)}
	registry.MustRegister(limitCollector{store: store, log: r.log})
	for range 2 { // the second finds nothing
		_, err = r.sweep(t.Context())
		require.NoError(t, err)
	}

	families, err := registry.Gather()
	require.NoError(t, err)
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				if l.GetName() == "what" {
					name += " " + l.GetValue()
				}
			}
			got[name] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	require.InDelta(t, 2, got["omniflow_conversations_swept_total"], 0)
	require.InDelta(t, 2, got["omniflow_backlog signals"], 0, "whom the sweep found is told")
	require.Positive(t, got["omniflow_backlog_age_seconds signals"])
	for _, name := range []string{"omniflow_backlog undecided", "omniflow_backlog_age_seconds unknown", "omniflow_accounts_stopped"} {
		require.Contains(t, got, name)
		require.Zero(t, got[name])
	}
}
