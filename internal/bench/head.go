package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
)

// shownSettings are those of PostgreSQL that decide how fast it is.
var shownSettings = []string{"fsync", "synchronous_commit", "full_page_writes", "wal_level", "shared_buffers", "max_wal_size", "max_connections"}

// printHead says on what the figures were measured.
func printHead(ctx context.Context, out io.Writer, db *pgxpool.Pool, o options) error {
	var version string
	if err := db.QueryRow(ctx, "SELECT current_setting('server_version')").Scan(&version); err != nil {
		return fmt.Errorf("ask PostgreSQL for its version: %w", err)
	}
	var settings []string
	for _, name := range shownSettings {
		var value string
		if err := db.QueryRow(ctx, "SELECT current_setting($1)", name).Scan(&value); err != nil {
			return fmt.Errorf("ask PostgreSQL for %s: %w", name, err)
		}
		settings = append(settings, name+"="+value)
	}
	fmt.Fprintf(out, "machine     %d cores, %s, load %s before the start\n", runtime.NumCPU(), memory(), load())
	fmt.Fprintf(out, "versions    %s, PostgreSQL %s\n", runtime.Version(), version)
	fmt.Fprintf(out, "PostgreSQL  one server for everybody, Temporal's databases too: %s\n", strings.Join(settings, " "))
	fmt.Fprintf(out, "rounds      %d interleaved, %s recipients each; medians\n", o.rounds, number(float64(o.n)))
	fmt.Fprintf(out, "shared      sender, receiver, PostgreSQL, Temporal and this program share the cores\n\n")
	return nil
}

// load is the load average of the last minute; "unknown" where there is none.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// memory is the machine's.
func memory() string {
	text, _ := os.ReadFile("/proc/meminfo") // elsewhere than on Linux there is none
	for line := range bytes.Lines(text) {
		var kB int
		if n, _ := fmt.Sscanf(string(line), "MemTotal: %d kB", &kB); n == 1 {
			return fmt.Sprintf("%.1f GiB", float64(kB)/(1<<20))
		}
	}
	return "memory unknown"
}
