package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// sendArgs is one job.
type sendArgs struct {
	Recipient string `json:"recipient"`
}

// Kind implements river.JobArgs.
func (sendArgs) Kind() string { return "send" }

type riverWorker struct {
	river.WorkerDefaults[sendArgs]
	send sendFunc
}

// Work implements river.Worker.
func (w *riverWorker) Work(ctx context.Context, job *river.Job[sendArgs]) error {
	return w.send(ctx, job.Args.Recipient)
}

// riverWorkers follows the budget (200 or more); other values have not been compared.
const riverWorkers = 200

// riverRun is River as its documentation tunes it for throughput: many workers,
// the shortest sensible cooldown, inserts by COPY, completions in batches (its
// default). Stuck jobs are rescued as soon as its rules allow.
func riverRun(ctx context.Context, s settings, send sendFunc) error {
	config, err := pgxpool.ParseConfig(s.dsn)
	if err != nil {
		return fmt.Errorf("read the address: %w", err)
	}
	config.MaxConns = 20
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	defer pool.Close()
	driver := riverpgxv5.New(pool)
	migrator, err := rivermigrate.New(driver, nil)
	if err != nil {
		return fmt.Errorf("make the tables: %w", err)
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("make the tables: %w", err)
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &riverWorker{send: send})
	client, err := river.NewClient(driver, &river.Config{
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: riverWorkers}}, Workers: workers,
		FetchCooldown: 2 * time.Millisecond, FetchPollInterval: 50 * time.Millisecond,
		JobTimeout: 10 * time.Second, RescueStuckJobsAfter: 15 * time.Second,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err != nil {
		return fmt.Errorf("make the client: %w", err)
	}
	if s.enqueue {
		if err := riverEnqueue(ctx, client, s.n); err != nil {
			return err
		}
	}
	enqueued()
	if err := client.Start(ctx); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	<-ctx.Done()
	return client.Stop(context.WithoutCancel(ctx))
}

func riverEnqueue(ctx context.Context, client *river.Client[pgx.Tx], n int) error {
	for from := 0; from < n; from += 5000 {
		var jobs []river.InsertManyParams
		for i := from; i < min(n, from+5000); i++ {
			jobs = append(jobs, river.InsertManyParams{Args: sendArgs{recipient(i)}})
		}
		if _, err := client.InsertManyFast(ctx, jobs); err != nil {
			return fmt.Errorf("enqueue: %w", err)
		}
	}
	return nil
}
