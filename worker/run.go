package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"golang.org/x/sync/errgroup"

	"omniflow/activities"
	"omniflow/internal/config"
	"omniflow/internal/postgres"
	"omniflow/internal/temporalclient"
	"omniflow/workflows"
)

// gcPercent lets the heap grow to five times what lives before it is collected:
// the worker holds some 20 MB, and sends are mostly short-lived garbage.
const gcPercent = 400

// memoryLimit is where the collector begins to work harder instead: the worker
// stays under 256 MiB however many conversations are open.
const memoryLimit = 200 << 20

// stickyRuns is how many runs this process keeps in memory, each some 20 kB
// before the collector's allowance. A run that is not among them is replayed
// from its history: that of a conversation has a few dozen events.
const stickyRuns = 600

// run wires the program, works until ctx ends, and stops in order.
func run(ctx context.Context, getenv func(string) string) error {
	cfg, err := config.LoadWorker(getenv)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	if getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	worker.SetStickyWorkflowCacheSize(stickyRuns)
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	store, err := postgres.Open(ctx, cfg.DatabaseURL, cfg.DatabaseConns)
	if err != nil {
		return err
	}
	defer store.Close()
	registry.MustRegister(limitCollector{store: store, log: log})
	stopping := make(chan struct{})
	temporal, err := temporalclient.Dial(temporalclient.Input{Options: cfg.Temporal, Keys: cfg.Keys, Logger: log, Registry: registry, Stopping: stopping})
	if err != nil {
		return err
	}
	defer temporal.Close()

	channels := providers(cfg)
	meter := newMeter(registry)
	options, closeFiles, err := fileOptions(ctx, cfg, store)
	if err != nil {
		return err
	}
	defer closeFiles()
	acts := activities.New(store, &accounts{store: store, keys: cfg.Keys}, channels.senders(), meter, log, stopping, options...)
	activities.AddGroups(acts, store, channels.groups())
	activities.AddConversations(acts, store)
	group, ctx := errgroup.WithContext(ctx)
	h := &health{store: store, temporal: temporal, pprof: cfg.Pprof}
	group.Go(func() error { return h.serve(ctx, cfg.MetricsListen, registry, log) })
	relay := &relay{store: store, engine: temporalclient.Starter{Client: temporal}, channels: channels, meter: meter, log: log, quotas: acts.RefreshQuotas, files: acts.FetchInboundMedia, hash: cfg.Keys.Hash,
		signals: temporalclient.Signaler{Client: temporal, Namespace: cfg.Temporal.Namespace, Converter: temporalclient.Converter(cfg.Keys)}}
	group.Go(func() error { return relay.run(ctx) })
	group.Go(func() error { return poll(ctx, temporal, acts, h, stopping, log) })
	return group.Wait()
}

// queue is a task queue with the room it has in this process. Bulk work has
// its own worker, so that it never takes the slots of interactive work.
type queue struct {
	name       string
	activities int // at once
	workflows  bool
	pollers    int // of each kind at most: so many tasks are on their way to this process together
}

var queues = []queue{
	{workflows.InteractiveQueue, 64, false, 4},
	{workflows.BroadcastQueue, 48, true, 4},
	{workflows.SystemQueue, 16, true, 4},
	{workflows.ConversationQueue, 32, true, 16}, // a hundred thousand runs of a few tasks each
}

// stopWithin is how long activities may finish what is under way: a provider
// call and its record.
const stopWithin = 25 * time.Second

// stickyFor is how long a run waits for the worker that has it in memory. When
// that worker was killed, an operator's order waits as long before another
// takes the run up: with the SDK's 5 s it would take longer than the API waits.
const stickyFor = time.Second

// poll works the task queues until ctx ends. While Temporal is away it tries
// again every second: the relay needs no engine to take webhooks in.
func poll(ctx context.Context, c client.Client, acts *activities.Activities, h *health, stopping chan struct{}, log *slog.Logger) error {
	for temporalclient.Healthy(ctx, c) != nil {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
			log.Warn("temporal does not answer; trying again")
		}
	}
	fatal := make(chan error, len(queues))
	var started []worker.Worker
	for _, q := range queues {
		w := newWorker(c, q, acts, fatal)
		if err := w.Start(); err != nil {
			return fmt.Errorf("poll task queue %s: %w", q.name, err)
		}
		started = append(started, w)
	}
	h.polling.Store(true)
	var failed error
	select {
	case <-ctx.Done():
	case failed = <-fatal:
	}
	h.polling.Store(false)
	close(stopping)
	var stops sync.WaitGroup // together: each may need stopWithin
	for _, w := range started {
		stops.Go(w.Stop)
	}
	stops.Wait()
	return failed
}

// pollersApart are up to n pollers of tasks for runs that nobody has in memory,
// and as many of tasks for those that this process has. Were they the same
// ones, as they are without this, a hint of many tasks of the second kind moves
// them all there, and new runs wait until their polls have run out, a minute.
func pollersApart(n int) worker.PollerBehavior {
	return worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{
		InitialNumberOfPollers: n, MinimumNumberOfPollers: 2, MaximumNumberOfPollers: n})
}

func newWorker(c client.Client, q queue, acts *activities.Activities, fatal chan<- error) worker.Worker {
	w := worker.New(c, q.name, worker.Options{
		MaxConcurrentActivityExecutionSize: q.activities,
		MaxConcurrentActivityTaskPollers:   q.pollers,
		WorkflowTaskPollerBehavior:         pollersApart(q.pollers),
		DisableWorkflowWorker:              !q.workflows,
		DisableEagerActivities:             true, // eager activities pass by the queue's limits
		WorkerStopTimeout:                  stopWithin,
		MaxHeartbeatThrottleInterval:       time.Second, // else a heartbeat leaves only every 4 s of the 5 that it may take
		StickyScheduleToStartTimeout:       stickyFor,
		OnFatalError:                       func(err error) { fatal <- fmt.Errorf("task queue %s: %w", q.name, err) },
	})
	if q.workflows {
		workflows.Register(w)
	}
	activities.Register(w, acts)
	return w
}
