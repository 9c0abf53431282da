package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"omniflow/internal/apiclient"
)

func (a *app) broadcastCheckCommand() *cobra.Command {
	c := &cobra.Command{Use: "check", Short: "Tell what the broadcast of a file would do, without sending anything", Args: cobra.NoArgs}
	file := c.Flags().String("file", "", `JSON or YAML file; "-" reads the standard input`)
	verdicts := c.Flags().Bool("recipients", false, "show the verdict on each recipient")
	page := pageFlags(c)
	required(c, "file")
	c.RunE = act(func(ctx context.Context, _ []string) error {
		request, err := a.readBroadcast(*file)
		if err != nil {
			return err
		}
		p, err := a.client.Preflight(ctx, request, *page)
		if err != nil {
			return err
		}
		show := a.printPreflight
		if *verdicts {
			show = a.printVerdicts
		}
		if err := show(p); err != nil || p.WouldStart {
			return err
		}
		return p.Problem
	})
	return c
}

func (a *app) printPreflight(p apiclient.Preflight) error {
	if p.WouldStart {
		a.say("would start: %d of %d recipients are eligible, %d messages", p.Eligible, p.Recipients, p.Rows)
	} else {
		a.say("would be refused; %d of %d recipients would be eligible", p.Eligible, p.Recipients)
	}
	var rows [][]string
	for _, l := range p.Lanes {
		state := "ready"
		if l.StopCode != "" {
			state = "stopped: " + l.StopCode
		}
		var skipped []string
		for _, r := range l.Skipped {
			skipped = append(skipped, fmt.Sprintf("%s %d", r.Code, r.Recipients))
		}
		rows = append(rows, []string{l.Channel, l.ChannelAccountID, strconv.Itoa(l.Eligible) + "/" + strconv.Itoa(l.Recipients),
			dash(strings.Join(skipped, ", ")), strconv.Itoa(l.Usage), quota(l.Quota), when(l.ExpectedFinish), state})
	}
	if err := a.table([]string{"channel", "account", "eligible", "skipped", "usage", "quota", "finish", "account is"}, rows); err != nil {
		return err
	}
	for _, l := range p.Lanes {
		a.next(l.Channel, l.ChannelAccountID, l.NextStep)
	}
	return nil
}

func quota(q apiclient.Quota) string {
	if q.State == "enough" || q.State == "short" {
		return fmt.Sprintf("%s (%d of %d used)", q.State, q.Used, q.Limit)
	}
	return q.State
}

func (a *app) printVerdicts(p apiclient.Preflight) error {
	var rows [][]string
	for _, v := range p.Items {
		rows = append(rows, []string{v.ConversationID, dash(v.CustomerID), v.Channel, v.Verdict})
	}
	if err := a.table([]string{"conversation", "customer", "channel", "verdict"}, rows); err != nil {
		return err
	}
	a.more(p.Next)
	return nil
}

func (a *app) broadcastApproveCommand() *cobra.Command {
	c := &cobra.Command{Use: "approve BROADCAST", Short: "Let a broadcast go that is too late for its start", Args: cobra.ExactArgs(1)}
	reason := c.Flags().String("reason", "", "why; kept in the audit log")
	c.RunE = act(func(ctx context.Context, args []string) error {
		b, err := a.client.Approve(ctx, args[0], *reason)
		if err != nil {
			return err
		}
		return a.printBroadcast(b)
	})
	return c
}

func (a *app) broadcastRetryCommand() *cobra.Command {
	var r apiclient.RetryRequest
	var t apiclient.TemplateUse
	c := &cobra.Command{Use: "retry BROADCAST", Short: "Send again what a broadcast did not send, as a new one", Args: cobra.ExactArgs(1)}
	c.Flags().StringVar(&r.Scope, "scope", "failed", "failed; unknown: what has no outcome yet; list: the conversations given; rest: what was cancelled or is stopped")
	c.Flags().StringSliceVar(&r.ConversationIDs, "conversation", nil, "with scope list: a conversation; may be repeated")
	ids(c, "conversation")
	c.Flags().StringVar(&t.Name, "template", "", "another template; with --language and --param")
	c.Flags().StringVar(&t.Language, "language", "", "of the template, such as zh_TW")
	c.Flags().StringArrayVar(&t.Params, "param", nil, "a parameter of the template; may be repeated")
	c.Flags().StringVar(&r.Reason, "reason", "", "why; kept in the audit log")
	header := c.Flags().StringToString("header", nil, "the file at the head of the template: image=MEDIA, video=MEDIA or file=MEDIA")
	watch := c.Flags().Bool("watch", false, "show progress until the end")
	c.RunE = act(func(ctx context.Context, args []string) error {
		if t.Name != "" {
			r.Template = &t
		}
		for kind, media := range *header {
			t.Header = &apiclient.TemplateHeader{Kind: kind, MediaID: media}
		}
		retried, err := a.client.Retry(ctx, args[0], r)
		if err != nil {
			return err
		}
		a.say("broadcast %s repeats %d messages of %s", retried.ID, retried.Rows, retried.RetryOf)
		for _, reason := range retried.Reasons {
			if !reason.Mendable {
				a.say("%d of them failed with %s, which a retry will hardly mend", reason.Rows, reason.Code)
			}
		}
		if !*watch {
			return nil
		}
		return a.watch(ctx, retried.ID)
	})
	return c
}

func (a *app) broadcastExportCommand() *cobra.Command {
	c := &cobra.Command{Use: "export BROADCAST", Short: "Write what became of each recipient as CSV", Args: cobra.ExactArgs(1)}
	file := c.Flags().String("file", "-", `where to; "-" is the standard output`)
	c.RunE = act(func(ctx context.Context, args []string) (err error) {
		out := a.out
		if *file != "-" {
			f, err := os.Create(*file)
			if err != nil {
				return fmt.Errorf("make the export: %w", err)
			}
			defer f.Close()
			out = f
		}
		if err := a.client.Export(ctx, args[0], out); err != nil {
			return err
		}
		if f, ok := out.(io.Closer); ok && *file != "-" {
			return f.Close()
		}
		return nil
	})
	return c
}

func (a *app) auditCommand() *cobra.Command {
	c := &cobra.Command{Use: "audit [OBJECT]", Short: "Show who ordered what and why", Args: cobra.MaximumNArgs(1)}
	page := pageFlags(c)
	c.RunE = act(func(ctx context.Context, args []string) error {
		list, err := a.client.Audit(ctx, strings.Join(args, ""), *page)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, e := range list.Items {
			rows = append(rows, []string{when(&e.At), dash(cmp.Or(e.ActorName, e.ActorID)), e.Action, e.Object, dash(e.Reason)})
		}
		if err := a.table([]string{"at", "actor", "action", "object", "reason"}, rows); err != nil {
			return err
		}
		a.more(list.Next)
		return nil
	})
	return c
}
