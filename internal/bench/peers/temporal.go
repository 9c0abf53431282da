package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

const (
	temporalQueue = "peers"
	// temporalWindow is how many sends are under way at once, as with the other
	// peers; the server keeps its default limits.
	temporalWindow = 200
)

// fanOut sends to n recipients, each by an activity, or each by a child
// workflow with an activity.
func fanOut(ctx workflow.Context, n int, children bool) error {
	window := workflow.NewSemaphore(ctx, temporalWindow)
	group := workflow.NewWaitGroup(ctx)
	var failed error
	for i := range n {
		if err := window.Acquire(ctx, 1); err != nil {
			return err
		}
		group.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer group.Done()
			defer window.Release(1)
			var err error
			if children {
				err = workflow.ExecuteChildWorkflow(ctx, sendOne, recipient(i)).Get(ctx, nil)
			} else {
				err = sendOne(ctx, recipient(i))
			}
			if err != nil {
				failed = err
			}
		})
	}
	group.Wait(ctx)
	return failed
}

// sendOne sends to one recipient.
func sendOne(ctx workflow.Context, to string) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 10 * time.Second})
	return workflow.ExecuteActivity(ctx, "Send", to).Get(ctx, nil)
}

// sender is the activity.
type sender struct {
	send sendFunc
}

// Send hands the text to one recipient.
func (s *sender) Send(ctx context.Context, to string) error { return s.send(ctx, to) }

func temporalRun(ctx context.Context, s settings, send sendFunc) error {
	c, err := client.DialContext(ctx, client.Options{HostPort: s.temporal, Namespace: s.namespace, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	if err != nil {
		return fmt.Errorf("reach Temporal: %w", err)
	}
	defer c.Close()
	w := worker.New(c, temporalQueue, worker.Options{
		MaxConcurrentActivityExecutionSize: temporalWindow, MaxConcurrentActivityTaskPollers: 16, MaxConcurrentWorkflowTaskPollers: 16})
	w.RegisterWorkflow(fanOut)
	w.RegisterWorkflow(sendOne)
	w.RegisterActivity(&sender{send})
	if err := w.Start(); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	defer w.Stop()
	enqueued()
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: temporalQueue}, fanOut, s.n, s.kind == "temporal-child")
	if err != nil {
		return fmt.Errorf("start the workflow: %w", err)
	}
	if err := run.Get(ctx, nil); err != nil && ctx.Err() == nil {
		return fmt.Errorf("send: %w", err)
	}
	<-ctx.Done()
	return nil
}
