package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"
)

// profile writes where the time of a broadcast goes into the folder of -profile,
// for WhatsApp and for LINE: .cpu and .allocs of the worker for `go tool pprof`,
// .statements of PostgreSQL by time, where pg_stat_statements is installed.
func profile(ctx context.Context, r *rig) error {
	if r.profileDir == "" {
		return fmt.Errorf("-profile names the folder for it")
	}
	if err := os.MkdirAll(r.profileDir, 0o755); err != nil {
		return fmt.Errorf("make the folder of profiles: %w", err)
	}
	for _, channel := range []string{"whatsapp", "line"} {
		if err := r.profileChannel(ctx, channel); err != nil {
			return err
		}
	}
	return nil
}

func (r *rig) profileChannel(ctx context.Context, channel string) error {
	s, err := r.newScene(ctx, channel, r.n, noLimit)
	if err != nil {
		return err
	}
	if _, err := r.broadcast(ctx, s); err != nil {
		return err
	}
	if err := r.watchStatements(ctx); err != nil {
		return err
	}
	fetched := make(chan error, 1)
	go func() { fetched <- r.fetch(ctx, "profile?seconds=5", channel+".cpu") }()
	for began := time.Now(); time.Since(began) < 5*time.Second; {
		run, err := r.broadcast(ctx, s)
		if err != nil {
			return err
		}
		r.say("under the profiler: %s/s, whole %s/s", number(run.Rate()), number(run.wholeRate()))
	}
	if err := <-fetched; err != nil {
		return err
	}
	if err := r.fetch(ctx, "allocs", channel+".allocs"); err != nil {
		return err
	}
	return r.statements(ctx, channel+".statements")
}

// fetch stores one profile of worker 0.
func (r *rig) fetch(ctx context.Context, what, file string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.stack.WorkerMetricsURL(0)+"/debug/pprof/"+what, nil)
	if err != nil {
		return fmt.Errorf("fetch profile: %w", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("fetch profile: %w", err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", res.Status, data)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(r.profileDir, file), data, 0o644)
	}
	if err != nil {
		return fmt.Errorf("fetch profile: %w", err)
	}
	return nil
}

// watchStatements begins to count statements anew, with -profile.
func (r *rig) watchStatements(ctx context.Context) error {
	if r.profileDir == "" {
		return nil
	}
	if _, err := r.db.Exec(ctx, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements; SELECT pg_stat_statements_reset()"); err != nil {
		return fmt.Errorf("watch statements: %w", err)
	}
	return nil
}

// statements writes the dearest statements of PostgreSQL since the reset, with
// -profile.
func (r *rig) statements(ctx context.Context, file string) error {
	if r.profileDir == "" {
		return nil
	}
	if err := os.MkdirAll(r.profileDir, 0o755); err != nil {
		return fmt.Errorf("make the folder of profiles: %w", err)
	}
	rows, err := r.db.Query(ctx, `
		SELECT d.datname, s.calls, s.rows, s.total_exec_time, s.mean_exec_time, s.total_plan_time, s.wal_bytes::float8, s.wal_records,
		  regexp_replace(left(s.query, 200), '\s+', ' ', 'g')
		FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid ORDER BY s.total_exec_time DESC LIMIT 25`)
	if err != nil {
		return fmt.Errorf("read statements: %w", err)
	}
	defer rows.Close()
	f, err := os.Create(filepath.Join(r.profileDir, file))
	if err != nil {
		return fmt.Errorf("write statements: %w", err)
	}
	defer f.Close()
	t := tabwriter.NewWriter(f, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "database\tcalls\trows\ttotal ms\tmean ms\tplan ms\tWAL bytes\tWAL records\tstatement")
	for rows.Next() {
		var database, query string
		var calls, n, records int64
		var total, mean, plan, wal float64
		if err := rows.Scan(&database, &calls, &n, &total, &mean, &plan, &wal, &records, &query); err != nil {
			return fmt.Errorf("read statements: %w", err)
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%.0f\t%.3f\t%.0f\t%.0f\t%d\t%s\n", database, calls, n, total, mean, plan, wal, records, query)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read statements: %w", err)
	}
	return t.Flush()
}
