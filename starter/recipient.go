package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"omniflow/internal/apiclient"
)

func (a *app) recipientsCommand() *cobra.Command {
	var f apiclient.RecipientFilter
	c := &cobra.Command{Use: "recipients BROADCAST", Short: "Show what became of each recipient", Args: cobra.ExactArgs(1)}
	c.Flags().StringVar(&f.State, "state", "", "only this state, such as failed")
	c.Flags().StringVar(&f.Channel, "channel", "", "only this channel")
	c.Flags().StringVar(&f.Code, "code", "", "only this code, such as window_template_only")
	page := pageFlags(c)
	c.RunE = act(func(ctx context.Context, args []string) error {
		list, err := a.client.Recipients(ctx, args[0], f, *page)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, r := range list.Items {
			rows = append(rows, []string{r.ConversationID, dash(r.CustomerID), r.Channel, strconv.Itoa(r.Ordinal), r.State,
				dash(r.Code), strconv.Itoa(r.Attempt), when(r.SentAt)})
		}
		header := []string{"conversation", "customer", "channel", "message", "state", "code", "attempt", "sent"}
		if err := a.table(header, rows); err != nil {
			return err
		}
		a.more(list.Next)
		return nil
	})
	return c
}

func (a *app) timelineCommand() *cobra.Command {
	c := &cobra.Command{Use: "timeline BROADCAST CONVERSATION", Short: "Show what happened to one recipient", Args: cobra.ExactArgs(2)}
	c.RunE = act(func(ctx context.Context, args []string) error {
		moments, err := a.client.Timeline(ctx, args[0], args[1])
		if err != nil {
			return err
		}
		var rows [][]string
		for _, m := range moments {
			rows = append(rows, []string{when(&m.At), strconv.Itoa(m.Ordinal), m.Kind, dash(m.State), dash(m.Code), when(m.Until), nonZero(m.Attempt),
				nonZero(m.HTTPStatus), nonZero(m.LatencyMS), dash(m.ProviderID), dash(m.Trace)})
		}
		return a.table([]string{"at", "message", "kind", "state", "code", "until", "attempt", "http", "ms", "provider id", "trace"}, rows)
	})
	return c
}

func nonZero(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}
