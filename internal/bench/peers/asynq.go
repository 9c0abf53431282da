package main

import (
	"context"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
	"golang.org/x/sync/errgroup"
)

// asynqConcurrency is as River's; other values have not been compared.
const asynqConcurrency = 200

// asynqRun is asynq with many workers; it takes one task at a time from Redis,
// which no setting changes.
func asynqRun(ctx context.Context, s settings, send sendFunc) error {
	redis := asynq.RedisClientOpt{Addr: s.redis, PoolSize: asynqConcurrency}
	if s.enqueue {
		client := asynq.NewClient(redis)
		defer client.Close()
		group, ctx := errgroup.WithContext(ctx)
		const hands = 32
		for hand := range hands {
			group.Go(func() error {
				for i := hand; i < s.n; i += hands {
					if _, err := client.EnqueueContext(ctx, asynq.NewTask("send", []byte(recipient(i)))); err != nil {
						return fmt.Errorf("enqueue: %w", err)
					}
				}
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	enqueued()
	server := asynq.NewServer(redis, asynq.Config{Concurrency: asynqConcurrency, LogLevel: asynq.ErrorLevel,
		TaskCheckInterval: 10 * time.Millisecond, ShutdownTimeout: time.Second})
	mux := asynq.NewServeMux()
	mux.HandleFunc("send", func(ctx context.Context, t *asynq.Task) error { return send(ctx, string(t.Payload())) })
	if err := server.Start(mux); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	<-ctx.Done()
	server.Shutdown()
	return nil
}
