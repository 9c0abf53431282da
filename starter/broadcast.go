package main

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"omniflow/internal/apiclient"
)

func (a *app) broadcastCommand() *cobra.Command {
	return group("broadcast", "Broadcasts",
		a.broadcastStartCommand(), a.broadcastListCommand(), a.broadcastShowCommand(), a.broadcastWatchCommand(),
		a.recipientsCommand(), a.timelineCommand(),
		a.controlCommand(apiclient.Pause, "Pause a broadcast, or one lane of it"),
		a.controlCommand(apiclient.Resume, "Go on with a paused broadcast"),
		a.controlCommand(apiclient.Cancel, "Give up what has not been sent yet"),
		a.broadcastRateCommand(), a.broadcastCheckCommand(), a.broadcastApproveCommand(), a.broadcastRetryCommand(), a.broadcastExportCommand())
}

func (a *app) broadcastListCommand() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "Show the team's broadcasts", Args: cobra.NoArgs}
	page := pageFlags(c)
	c.RunE = act(func(ctx context.Context, _ []string) error {
		list, err := a.client.Broadcasts(ctx, *page)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, b := range list.Items {
			rows = append(rows, append([]string{b.ID, dash(b.Name), stateOf(b), when(&b.CreatedAt)}, cells(b.Counts)...))
		}
		header := append([]string{"id", "name", "state", "created"}, tallyHeader[:]...)
		if err := a.table(header, rows); err != nil {
			return err
		}
		a.more(list.Next)
		return nil
	})
	return c
}

func (a *app) broadcastShowCommand() *cobra.Command {
	c := &cobra.Command{Use: "show BROADCAST", Short: "Show a broadcast with its lanes", Args: cobra.ExactArgs(1)}
	c.RunE = act(func(ctx context.Context, args []string) error {
		b, err := a.client.Broadcast(ctx, args[0])
		if err != nil {
			return err
		}
		return a.printBroadcast(b)
	})
	return c
}

// printBroadcast shows one broadcast: a line about the whole, a row a lane.
func (a *app) printBroadcast(b apiclient.Broadcast) error {
	by := ""
	if b.ActorName != "" {
		by = " by " + b.ActorName
	}
	a.say("broadcast %s %s%s: %s, workflow %s", b.ID, b.Name, by, stateOf(b), b.WorkflowID)
	if len(b.Holds) > 0 {
		a.say("holds %s", strings.Join(b.Holds, ", "))
	}
	if b.Waiting.Kind != "" {
		a.say("%s", b.Waiting)
	}
	rows := make([][]string, 0, len(b.Lanes)+1)
	for _, l := range b.Lanes {
		rows = append(rows, append(append([]string{l.Channel, l.ChannelAccountID, laneState(l)}, cells(l.Counts)...), rate(l), dash(l.Waiting.String())))
	}
	rows = append(rows, append(append([]string{"total", "", ""}, cells(b.Counts)...), "", ""))
	if err := a.table(append(append([]string{"channel", "account", "control"}, tallyHeader[:]...), "rate", "waiting"), rows); err != nil {
		return err
	}
	for _, l := range b.Lanes {
		a.rateSet(b.ID, l)
		a.next(l.Channel, l.ChannelAccountID, l.NextStep)
	}
	return nil
}

// rate is "60 of 80/s", what is in force of what is set, or "80/s".
func rate(l apiclient.Lane) string {
	switch {
	case l.LimitPerSecond == 0:
		return "-"
	case l.RateNow < l.LimitPerSecond:
		return fmt.Sprintf("%.4g of %.4g/s", l.RateNow, l.LimitPerSecond)
	}
	return fmt.Sprintf("%.4g/s", l.LimitPerSecond)
}

// rateSet says who set the rate of a lane and how long it holds, if anybody did.
func (a *app) rateSet(broadcast string, l apiclient.Lane) {
	if l.RateAt == nil || l.RateAt.IsZero() {
		return
	}
	text := fmt.Sprintf("rate of %s %s: %.4g/s", l.Channel, l.ChannelAccountID, l.LimitPerSecond)
	switch l.RateOf {
	case "":
		text += ", the account's own"
	case broadcast:
		text += fmt.Sprintf(" until this lane has ended, then %.4g/s", l.AccountLimit)
	default:
		text += fmt.Sprintf(" until the lane of broadcast %s has ended, then %.4g/s", l.RateOf, l.AccountLimit)
	}
	a.say("%s; set by %s at %s", text, dash(cmp.Or(l.RateByName, l.RateBy)), when(l.RateAt))
}

// next says what to do about something that was stopped, if it was.
func (a *app) next(channel, account, step string) {
	if step != "" {
		a.say("next for %s %s: %s", channel, account, step)
	}
}

// tallyHeader names the columns that cells fills.
var tallyHeader = [...]string{"planned", "queued", "sending", "sent", "received", "read", "failed", "skipped", "cancelled", "unknown"}

func cells(t apiclient.Tally) []string {
	var row []string
	for _, n := range []int{t.Planned, t.Queued, t.Sending, t.Sent, t.Received, t.Read, t.Failed, t.Skipped, t.Cancelled, t.Unknown} {
		row = append(row, strconv.Itoa(n))
	}
	return row
}

func stateOf(b apiclient.Broadcast) string {
	switch {
	case b.Code != "":
		return b.State + ", " + b.Outcome + ": " + b.Code
	case b.Outcome != "":
		return b.State + ", " + b.Outcome
	}
	return b.State
}

func laneState(l apiclient.Lane) string {
	if l.StopCode != "" {
		return "stopped: " + l.StopCode
	}
	if l.ControlReason != "" {
		return fmt.Sprintf("%s (%s)", l.Control, l.ControlReason)
	}
	return l.Control
}

func (a *app) controlCommand(control, short string) *cobra.Command {
	c := &cobra.Command{Use: control + " BROADCAST", Short: short, Args: cobra.ExactArgs(1)}
	account := c.Flags().String("account", "", "only the lane of this channel account")
	ids(c, "account")
	reason := c.Flags().String("reason", "", "why; kept in the audit log")
	c.RunE = act(func(ctx context.Context, args []string) error {
		b, err := a.client.Control(ctx, args[0], control, *account, *reason)
		if err != nil {
			return err
		}
		return a.printBroadcast(b)
	})
	return c
}

func (a *app) broadcastRateCommand() *cobra.Command {
	c := &cobra.Command{Use: "rate BROADCAST", Short: "Set the rate of one lane, until it has ended", Args: cobra.ExactArgs(1)}
	account := c.Flags().String("account", "", "channel account of the lane")
	rate := c.Flags().Float64("rate", 0, "messages a second")
	reason := c.Flags().String("reason", "", "why; kept in the audit log")
	required(c, "account", "rate")
	ids(c, "account")
	c.RunE = act(func(ctx context.Context, args []string) error {
		b, err := a.client.SetRate(ctx, args[0], *account, *rate, *reason)
		if err != nil {
			return err
		}
		return a.printBroadcast(b)
	})
	return c
}
