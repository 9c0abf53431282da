package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"omniflow/internal/apiclient"
)

func (a *app) accountCommand() *cobra.Command {
	return group("account", "Channel accounts",
		a.accountCreateCommand(), a.accountListCommand(), a.accountRateCommand(), a.accountResumeCommand())
}

func (a *app) accountCreateCommand() *cobra.Command {
	var n apiclient.NewAccount
	c := &cobra.Command{Use: "create", Short: "Register a channel account", Args: cobra.NoArgs}
	team := a.teamFlag(c)
	c.Flags().StringVar(&n.Channel, "channel", "", "whatsapp, line, facebook or instagram")
	c.Flags().StringVar(&n.Name, "name", "", "name shown in lists")
	c.Flags().StringVar(&n.ExternalID, "external-id", "", "phone number id, LINE bot user id, page id or Instagram account id")
	c.Flags().StringVar(&n.WABAID, "waba-id", "", "WhatsApp business account id")
	rate := optional(c, "rate", "messages a second; default: the channel's")
	multicast := optional(c, "multicast-rate", "LINE multicast calls a second; default 200")
	reserve := optional(c, "interactive-reserve", "share of the rate kept for agents, 0 to below 1; default 0.02")
	secrets := c.Flags().String("secrets", "", `JSON file with token, app_secret, verify_token, app_id; "-" reads the standard input`)
	required(c, "channel", "name", "external-id", "secrets")
	c.RunE = act(func(ctx context.Context, _ []string) error {
		id, err := team()
		if err != nil {
			return err
		}
		n.RatePerSecond, n.MulticastPerSecond, n.InteractiveReserve = rate(), multicast(), reserve()
		// Not as flags: other programs of the machine can read a command line.
		if n.Secrets, err = a.readSecrets(*secrets); err != nil {
			return err
		}
		account, err := a.client.CreateAccount(ctx, id, n)
		if err != nil {
			return err
		}
		a.say("account %s made; register the webhook %s at the provider", account.ID, account.WebhookPath)
		return nil
	})
	return c
}

// optional adds a number to a command; what it gives is nil unless it was set,
// so that 0 is refused and not taken for the default.
func optional(c *cobra.Command, name, usage string) func() *float64 {
	value := c.Flags().Float64(name, 0, usage)
	return func() *float64 {
		if !c.Flags().Changed(name) {
			return nil
		}
		return value
	}
}

func (a *app) readSecrets(path string) (apiclient.Secrets, error) {
	var s apiclient.Secrets
	body, err := a.readFile(path)
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(body, &s); err != nil {
		return s, fmt.Errorf("secrets file is not JSON: %w", err)
	}
	return s, nil
}

// readFile reads a file, "-" the standard input.
func (a *app) readFile(path string) ([]byte, error) {
	if path != "-" {
		return os.ReadFile(path)
	}
	body, err := io.ReadAll(a.in)
	if err != nil {
		return nil, fmt.Errorf("read the standard input: %w", err)
	}
	return body, nil
}

func (a *app) accountListCommand() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "Show the accounts with their limits", Args: cobra.NoArgs}
	team, page := a.teamFlag(c), pageFlags(c)
	c.RunE = act(func(ctx context.Context, _ []string) error {
		id, err := team()
		if err != nil {
			return err
		}
		list, err := a.client.Accounts(ctx, id, *page)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, x := range list.Items {
			state := x.State
			if x.StopCode != "" {
				state += ": " + x.StopCode
			}
			rows = append(rows, []string{x.ID, x.Channel, x.Name, state, limits(x.Limiters, time.Now())})
		}
		if err := a.table([]string{"id", "channel", "name", "state", "limits"}, rows); err != nil {
			return err
		}
		for _, x := range list.Items {
			a.next(x.Channel, x.ID, x.NextStep)
		}
		a.more(list.Next)
		return nil
	})
	return c
}

// limits is "messages 60 of 120/s (130429)" for each limiter.
func limits(list []apiclient.Limiter, now time.Time) string {
	text := ""
	for i, l := range list {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%s %.4g of %.4g/s", l.Name, l.RateNow, l.LimitPerSecond)
		if l.AccountLimit > 0 {
			text += fmt.Sprintf(", the account's own %.4g", l.AccountLimit)
		}
		if l.ClosedUntil != nil && l.ClosedUntil.After(now) {
			text += " closed until " + when(l.ClosedUntil)
		}
		if l.Reason != "" {
			text += " (" + l.Reason + ")"
		}
	}
	return dash(text)
}

func (a *app) accountRateCommand() *cobra.Command {
	c := &cobra.Command{Use: "rate ACCOUNT", Short: "Set how much an account may send", Args: cobra.ExactArgs(1)}
	team := a.teamFlag(c)
	rate := c.Flags().Float64("rate", 0, "messages a second")
	reason := c.Flags().String("reason", "", "why; kept in the audit log")
	required(c, "rate", "reason")
	c.RunE = act(func(ctx context.Context, args []string) error {
		id, err := team()
		if err != nil {
			return err
		}
		if err := a.client.SetAccountRate(ctx, id, args[0], *rate, *reason); err != nil {
			return err
		}
		a.say("account %s may send %g messages a second", args[0], *rate)
		return nil
	})
	return c
}

func (a *app) accountResumeCommand() *cobra.Command {
	c := &cobra.Command{Use: "resume ACCOUNT", Short: "Clear the stop of an account", Args: cobra.ExactArgs(1)}
	team := a.teamFlag(c)
	reason := c.Flags().String("reason", "", "why; kept in the audit log")
	required(c, "reason")
	c.RunE = act(func(ctx context.Context, args []string) error {
		id, err := team()
		if err != nil {
			return err
		}
		if err := a.client.ResumeAccount(ctx, id, args[0], *reason); err != nil {
			return err
		}
		a.say("account %s sends again", args[0])
		return nil
	})
	return c
}
