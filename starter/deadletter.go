package main

import (
	"context"

	"github.com/spf13/cobra"
)

func (a *app) deadLetterCommand() *cobra.Command {
	return group("deadletter", "Webhook events that belonged to nothing", a.deadLetterListCommand(), a.deadLetterReplayCommand())
}

func (a *app) deadLetterListCommand() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "Show them", Args: cobra.NoArgs}
	page := pageFlags(c)
	c.RunE = act(func(ctx context.Context, _ []string) error {
		list, err := a.client.DeadLetters(ctx, *page)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, d := range list.Items {
			rows = append(rows, []string{d.ID, d.Channel, when(&d.CreatedAt), when(d.ReplayedAt), d.Reason})
		}
		if err := a.table([]string{"id", "channel", "created", "replayed", "reason"}, rows); err != nil {
			return err
		}
		a.more(list.Next)
		return nil
	})
	return c
}

func (a *app) deadLetterReplayCommand() *cobra.Command {
	c := &cobra.Command{Use: "replay ID", Short: "Put one through the relay again", Args: cobra.ExactArgs(1)}
	c.RunE = act(func(ctx context.Context, args []string) error {
		if err := a.client.ReplayDeadLetter(ctx, args[0]); err != nil {
			return err
		}
		a.say("dead letter %s goes through the relay again", args[0])
		return nil
	})
	return c
}
