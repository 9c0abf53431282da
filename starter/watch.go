package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"omniflow/internal/apiclient"
	"omniflow/internal/progress"
)

func (a *app) broadcastWatchCommand() *cobra.Command {
	c := &cobra.Command{Use: "watch BROADCAST", Short: "Show progress until the end", Args: cobra.ExactArgs(1)}
	c.RunE = act(func(ctx context.Context, args []string) error { return a.watch(ctx, args[0]) })
	return c
}

// watch draws the progress of a broadcast until it has finished or ctx ends,
// which is no error: the broadcast goes on.
func (a *app) watch(ctx context.Context, id string) error {
	if a.json {
		return a.watchJSON(ctx, id)
	}
	board := progress.New(a.out, progress.Terminal(a.out))
	last, err := a.client.Watch(ctx, id, apiclient.Watcher{
		Update: board.Update,
		Lost:   func(error) { board.Note("  connection to the API lost; trying again") },
	})
	board.Close()
	if errors.Is(err, context.Canceled) {
		a.say("stopped watching; the broadcast goes on: starter broadcast watch %s", id)
		return nil
	}
	if err != nil {
		return err
	}
	return a.printBroadcast(last)
}

// watchJSON writes each state as one line; the answers that Watch polls are
// among them, so the client must not print them as well.
func (a *app) watchJSON(ctx context.Context, id string) error {
	var broken error
	quiet := a.client.With(apiclient.Raw(nil))
	_, err := quiet.Watch(ctx, id, apiclient.Watcher{Update: func(b apiclient.Broadcast) {
		if err := a.printJSON(b); err != nil && broken == nil {
			broken = fmt.Errorf("print progress: %w", err)
		}
	}})
	if errors.Is(err, context.Canceled) {
		return broken
	}
	return errors.Join(err, broken)
}
