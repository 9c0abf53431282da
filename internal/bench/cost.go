package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
)

// cost counts what a broadcast leaves behind: events in the histories of all
// its runs, and write-ahead log of the whole server, that is of our database
// and of Temporal's two. The log holds the freezing of the audience, every
// claim, outcome and trace, and the engine's work; no webhooks, no import.
func cost(ctx context.Context, r *rig) error {
	s, err := r.newScene(ctx, "whatsapp", r.n, noLimit)
	if err != nil {
		return err
	}
	engine, err := client.DialContext(ctx, client.Options{HostPort: r.stack.TemporalAddress(), Namespace: setting(r.stack, "TEMPORAL_NAMESPACE"), Logger: quiet()})
	if err != nil {
		return fmt.Errorf("reach Temporal: %w", err)
	}
	defer engine.Close()
	var events, wal []float64
	for range r.rounds {
		if _, err := r.db.Exec(ctx, "CHECKPOINT"); err != nil {
			return fmt.Errorf("checkpoint: %w", err)
		}
		before, err := r.walPosition(ctx)
		if err != nil {
			return err
		}
		asked := time.Now()
		if _, err := r.broadcast(ctx, s); err != nil {
			return err
		}
		n, err := historyEvents(ctx, engine, asked)
		if err != nil {
			return err
		}
		after, err := r.walPosition(ctx)
		if err != nil {
			return err
		}
		events, wal = append(events, n/float64(s.n)), append(wal, (after-before)/float64(s.n))
	}
	r.report.atMost("cost", "Temporal events a recipient", median(events), 0.02, "events", spread(events))
	r.report.atMost("cost", "WAL a recipient, ours and Temporal's", median(wal), 2000, "bytes", spread(wal))
	return nil
}

// walPosition is how many bytes of write-ahead log the server has written.
func (r *rig) walPosition(ctx context.Context) (float64, error) {
	var bytes float64
	err := r.db.QueryRow(ctx, "SELECT (pg_current_wal_insert_lsn() - '0/0')::float8").Scan(&bytes)
	if err != nil {
		return 0, fmt.Errorf("read the write-ahead log's position: %w", err)
	}
	return bytes, nil
}

// historyEvents adds up the histories of every run that began since a moment,
// children and continued runs too, when all of them have closed.
func historyEvents(ctx context.Context, engine client.Client, since time.Time) (float64, error) {
	query := fmt.Sprintf("StartTime >= %q", since.Add(-time.Second).UTC().Format(time.RFC3339Nano))
	for range 100 {
		list, err := engine.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: query, PageSize: 1000})
		if err != nil {
			return 0, fmt.Errorf("list the runs: %w", err)
		}
		sum, open := 0.0, len(list.Executions) < 2 // a broadcast and its lane
		for _, run := range list.Executions {
			sum += float64(run.HistoryLength)
			open = open || run.Status == enums.WORKFLOW_EXECUTION_STATUS_RUNNING
		}
		if !open {
			return sum, nil
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return 0, err
		}
	}
	return 0, errors.New("the runs have not closed")
}

func quiet() log.Logger { return log.NewStructuredLogger(slog.New(slog.DiscardHandler)) }

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
