package main

import (
	"context"
	"fmt"
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
	c.Flags().StringSliceVar(&r.Channels, "channel", nil, "facebook, instagram, line, whatsapp or wechat; several times. Web chat conversations do not end by themselves")
	duration := c.Flags().Duration("after", 24*time.Hour, "of silence after the last human reply, in whole seconds; at most 720h")
	grace := c.Flags().Duration("grace", 2*time.Minute, "from the reminder to the ending, in whole seconds; at most 1h")
	c.Flags().StringVar(&r.Reminder, "reminder", "", "text before the ending")
	c.Flags().BoolVar(&r.ExcludePinned, "exclude-pinned", false, "leave pinned conversations open")
	c.Flags().StringVar(&r.QuietFrom, "quiet-from", "", "such as 22:00, in the team's zone: nothing ends from then")
	c.Flags().StringVar(&r.QuietUntil, "quiet-until", "", "such as 08:00: until then")
	required(c, "name", "channel")
	c.RunE = act(func(ctx context.Context, _ []string) error {
		var err error
		if r.DurationSeconds, err = wholeSeconds("after", *duration); err != nil {
			return err
		}
		if r.GraceSeconds, err = wholeSeconds("grace", *grace); err != nil {
			return err
		}
		made, err := a.client.CreateAutoClose(ctx, r)
		if err != nil {
			return err
		}
		a.sayAutoClose(made)
		return nil
	})
	return c
}

// wholeSeconds is a flag's duration as the API takes it.
func wholeSeconds(flag string, d time.Duration) (int, error) {
	if d%time.Second != 0 {
		return 0, &usageError{fmt.Sprintf("--%s is whole seconds, not %s", flag, d)}
	}
	return int(d / time.Second), nil
}

// sayAutoClose shows a rule as the API has it.
func (a *app) sayAutoClose(r apiclient.AutoClose) {
	a.say("auto-close rule %s: conversations on %s end after %s of silence", r.ID, strings.Join(r.Channels, ", "), span(r.DurationSeconds))
	if r.Reminder == "" {
		a.say("no reminder")
	} else {
		a.say("first a reminder, and the end %s after it: %s", span(r.GraceSeconds), r.Reminder)
	}
	a.say("pinned conversations %s", pinnedOnes(r))
	a.say("quiet hours: %s", quietHours(r))
}

// span is a number of seconds as people read it.
func span(seconds int) string { return (time.Duration(seconds) * time.Second).String() }

func pinnedOnes(r apiclient.AutoClose) string {
	if r.ExcludePinned {
		return "stay open"
	}
	return "end too"
}

// quietHours is "22:00 to 08:00", or "none".
func quietHours(r apiclient.AutoClose) string {
	if r.QuietFrom == "" {
		return "none"
	}
	return r.QuietFrom + " to " + r.QuietUntil + ", in the team's zone"
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
			rows = append(rows, []string{r.ID, r.Name, strings.Join(r.Channels, ","), on, span(r.DurationSeconds), span(r.GraceSeconds), dash(r.Reminder)})
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
	c := &cobra.Command{Use: "survey", Short: "Show what is asked after every ending; with --text set it, with --remove ask nothing", Args: cobra.NoArgs}
	c.Flags().StringVar(&s.Text, "text", "", "text, with the link of the survey")
	c.Flags().StringSliceVar(&s.Channels, "channel", nil, "with --text: only on this channel; several times")
	remove := c.Flags().Bool("remove", false, "ask nothing from now on")
	c.MarkFlagsMutuallyExclusive("text", "remove")
	team := a.teamFlag(c)
	c.RunE = act(func(ctx context.Context, _ []string) error {
		id, err := team()
		switch set := c.Flags().Changed("text"); {
		case err != nil:
			return err
		case set && s.Text == "":
			return &usageError{"--text is empty; --remove takes the survey away"}
		case len(s.Channels) > 0 && !set:
			return &usageError{"--channel goes with --text"}
		case set || *remove:
			err = a.client.SetSurvey(ctx, id, s)
		default:
			s, err = a.client.Survey(ctx, id)
		}
		if err == nil {
			a.saySurvey(s)
		}
		return err
	})
	return c
}

func (a *app) saySurvey(s apiclient.Survey) {
	switch {
	case s.Text == "":
		a.say("no survey")
	case len(s.Channels) == 0:
		a.say("survey on every channel: %s", s.Text)
	default:
		a.say("survey on %s: %s", strings.Join(s.Channels, ", "), s.Text)
	}
}
