package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"omniflow/internal/apiclient"
)

func (a *app) keywordCommand() *cobra.Command {
	return group("keyword", "Keywords that answer, assign, or ask for a human",
		a.keywordSaveCommand("add", "Add a rule", 0), a.keywordSaveCommand("replace RULE", "Replace a rule", 1), a.keywordListCommand(), a.keywordRemoveCommand())
}

func (a *app) keywordSaveCommand(use, short string, args int) *cobra.Command {
	var r apiclient.KeywordRule
	c := &cobra.Command{Use: use, Short: short, Args: cobra.ExactArgs(args)}
	c.Flags().StringVar(&r.Keyword, "keyword", "", "at most 100 characters")
	c.Flags().StringVar(&r.Match, "match", "exact", "exact or contains")
	c.Flags().StringSliceVar(&r.Channels, "channel", nil, "only on this channel; several times")
	c.Flags().StringVar(&r.Reply, "reply", "", "automatic reply")
	c.Flags().StringSliceVar(&r.States, "state", nil, "in which the reply fires: pending_bot (default), pending_human, handling")
	c.Flags().StringVar(&r.AssignTo, "assign", "", "member who becomes the follower")
	c.Flags().BoolVar(&r.AskHuman, "ask-human", false, "who writes it asks for a human")
	required(c, "keyword")
	ids(c, "assign")
	c.RunE = act(func(ctx context.Context, args []string) error {
		saved, err := a.client.SaveKeyword(ctx, strings.Join(args, ""), r)
		if err == nil {
			a.say("keyword rule %s saved", saved.ID)
		}
		return err
	})
	return c
}

func (a *app) keywordListCommand() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "Show the team's rules", Args: cobra.NoArgs}
	page := pageFlags(c)
	c.RunE = act(func(ctx context.Context, _ []string) error {
		list, err := a.client.Keywords(ctx, *page)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, r := range list.Items {
			assign := r.AssignTo
			if strings.Trim(assign, "0-") == "" {
				assign = ""
			}
			rows = append(rows, []string{r.ID, r.Keyword, r.Match, dash(strings.Join(r.Channels, ",")), dash(r.Reply), strings.Join(r.States, ","), dash(assign), strconv.FormatBool(r.AskHuman)})
		}
		if err := a.table([]string{"id", "keyword", "match", "channels", "reply", "states", "assign", "ask human"}, rows); err != nil {
			return err
		}
		a.more(list.Next)
		return nil
	})
	return c
}

func (a *app) keywordRemoveCommand() *cobra.Command {
	c := &cobra.Command{Use: "remove RULE", Short: "Delete a rule", Args: cobra.ExactArgs(1)}
	c.RunE = act(func(ctx context.Context, args []string) error {
		if err := a.client.DeleteKeyword(ctx, args[0]); err != nil {
			return err
		}
		a.say("keyword rule %s deleted", args[0])
		return nil
	})
	return c
}
