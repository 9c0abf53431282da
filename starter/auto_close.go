package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"omniflow/internal/apiclient"
)

func (a *app) autoCloseCommand() *cobra.Command {
	return group("auto-close", "When conversations end by themselves", a.autoCloseAddCommand(), a.autoCloseListCommand(), a.autoCloseRemoveCommand(), a.surveyCommand())
}

func (a *app) autoCloseAddCommand() *cobra.Command {
	r := apiclient.AutoClose{Enabled: true}
	c := &cobra.Command{Use: "add", Short: "End the conversations of some channels after the customer's silence", Args: cobra.NoArgs}
	c.Flags().StringVar(&r.Name, "name", "", "of the group of channels")
	c.Flags().StringSliceVar(&r.Channels, "channel", nil, "facebook, instagram, line, whatsapp or wechat; several times")
	duration := c.Flags().Duration("after", 24*time.Hour, "of silence after the last human reply")
	grace := c.Flags().Duration("grace", 2*time.Minute, "from the reminder to the ending")
	c.Flags().StringVar(&r.Reminder, "reminder", "", "text before the ending")
	c.Flags().BoolVar(&r.ExcludePinned, "exclude-pinned", false, "leave pinned conversations open")
	c.Flags().StringVar(&r.QuietFrom, "quiet-from", "", "such as 22:00, in the team's zone: nothing ends from then")
	c.Flags().StringVar(&r.QuietUntil, "quiet-until", "", "such as 08:00: until then")
	required(c, "name", "channel")
	c.RunE = act(func(ctx context.Context, _ []string) error {
		r.DurationSeconds, r.GraceSeconds = int(duration.Seconds()), int(grace.Seconds())
		made, err := a.client.CreateAutoClose(ctx, r)
		if err == nil {
			a.say("auto-close rule %s: conversations on %s end after %s of silence", made.ID, strings.Join(made.Channels, ", "), *duration)
		}
		return err
	})
	return c
}

func (a *app) autoCloseListCommand() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "Show the team's rules", Args: cobra.NoArgs}
	c.RunE = act(func(ctx context.Context, _ []string) error {
		list, err := a.client.AutoCloseRules(ctx)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, r := range list {
			on := "on"
			if !r.Enabled {
				on = "off"
			}
			rows = append(rows, []string{r.ID, r.Name, strings.Join(r.Channels, ","), on, (time.Duration(r.DurationSeconds) * time.Second).String(),
				(time.Duration(r.GraceSeconds) * time.Second).String(), dash(r.Reminder)})
		}
		return a.table([]string{"id", "name", "channels", "state", "after", "grace", "reminder"}, rows)
	})
	return c
}

func (a *app) autoCloseRemoveCommand() *cobra.Command {
	c := &cobra.Command{Use: "remove RULE", Short: "Delete a rule", Args: cobra.ExactArgs(1)}
	c.RunE = act(func(ctx context.Context, args []string) error {
		if err := a.client.DeleteAutoClose(ctx, args[0]); err != nil {
			return err
		}
		a.say("auto-close rule %s deleted", args[0])
		return nil
	})
	return c
}

func (a *app) surveyCommand() *cobra.Command {
	var s apiclient.Survey
	c := &cobra.Command{Use: "survey", Short: "Set what is asked after every ending; without --text nothing is", Args: cobra.NoArgs}
	c.Flags().StringVar(&s.Text, "text", "", "text, with the link of the survey")
	c.Flags().StringSliceVar(&s.Channels, "channel", nil, "only on this channel; several times")
	team := a.teamFlag(c)
	c.RunE = act(func(ctx context.Context, _ []string) error {
		id, err := team()
		if err != nil {
			return err
		}
		return a.client.SetSurvey(ctx, id, s)
	})
	return c
}
