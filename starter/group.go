package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"omniflow/internal/apiclient"
)

func (a *app) groupCommand() *cobra.Command {
	return group("group", "WhatsApp groups",
		a.groupCreateCommand(), a.groupListCommand(), a.groupShowCommand(), a.groupWatchCommand(), a.groupAddCommand(), a.groupRemoveCommand(),
		a.groupOrderCommand(apiclient.RetryMember, "Try again what failed about a member"),
		a.groupOrderCommand(apiclient.ApproveMember, "Let in who asks to join"),
		a.groupOrderCommand(apiclient.RejectMember, "Do not let in who asks to join"),
		a.groupSendCommand(), a.groupMessagesCommand(), a.groupResendCommand(),
		a.groupMoveCommand("follow", "Follow a group, or take it over"), a.groupMoveCommand("transfer", "Hand a group to another member"),
		a.groupMoveCommand("end", "End a group's conversation"), a.groupMoveCommand("reopen", "Reopen a group's conversation"),
		a.collaboratorCommand("group"))
}

func (a *app) groupCreateCommand() *cobra.Command {
	var n apiclient.NewGroup
	c := &cobra.Command{Use: "create", Short: "Ask for a group", Args: cobra.NoArgs}
	c.Flags().StringVar(&n.ChannelAccountID, "account", "", "WhatsApp account")
	c.Flags().StringVar(&n.Name, "name", "", "name, at most 128 bytes, no emoji")
	c.Flags().StringVar(&n.Description, "description", "", "at most 2,048 bytes, no emoji")
	c.Flags().StringSliceVar(&n.Members, "member", nil, "number such as +886912345678, 1 to 8 times")
	c.Flags().BoolVar(&n.ApprovalRequired, "approval", false, "who has the link asks to join")
	key := c.Flags().String("key", "", "idempotency key: the same one asks for the same group")
	watch := c.Flags().Bool("watch", false, "wait until nothing is waited for any more")
	required(c, "account", "name", "member")
	ids(c, "account")
	c.RunE = act(func(ctx context.Context, _ []string) error {
		accepted, err := a.client.CreateGroup(ctx, n, *key)
		if err != nil {
			return err
		}
		a.say("group %s accepted, workflow %s", accepted.ID, accepted.WorkflowID)
		if *watch {
			return a.watchGroup(ctx, accepted.ID)
		}
		return nil
	})
	return c
}

func (a *app) groupListCommand() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "Show the team's groups", Args: cobra.NoArgs}
	page := pageFlags(c)
	state := c.Flags().String("state", "", "reviewing, created or failed; default: the conversation list")
	c.RunE = act(func(ctx context.Context, _ []string) error {
		list, err := a.client.Groups(ctx, *state, *page)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, g := range list.Items {
			rows = append(rows, []string{g.ID, short(g.Title), g.State, dash(g.Code), dash(g.View), when(&g.CreatedAt)})
		}
		if err := a.table([]string{"id", "title", "state", "code", "view", "created"}, rows); err != nil {
			return err
		}
		a.more(list.Next)
		return nil
	})
	return c
}

func (a *app) groupShowCommand() *cobra.Command {
	c := &cobra.Command{Use: "show GROUP", Short: "Show a group and its members", Args: cobra.ExactArgs(1)}
	c.RunE = act(func(ctx context.Context, args []string) error {
		g, err := a.client.Group(ctx, args[0])
		if err != nil {
			return err
		}
		return a.printGroup(g)
	})
	return c
}

// printGroup shows one group: a line about the whole, a row a member.
func (a *app) printGroup(g apiclient.Group) error {
	state := strings.TrimSpace(g.State + " " + g.Code)
	a.say("group %s %s: %s, %s, waits for %s", g.ID, g.Title, state, dash(g.ConversationState), waiting(g.Waiting))
	if len(g.Members) == 0 {
		a.say("no members")
		return nil
	}
	var rows [][]string
	for _, m := range g.Members {
		rows = append(rows, []string{m.ID, short(m.Name), m.State, dash(m.Code), waiting(m.Waiting)})
	}
	return a.table([]string{"member", "name", "state", "code", "waits for"}, rows)
}

// waiting is "somebody to join until 2026-01-02 15:04:05", "-" for nothing.
func waiting(w *apiclient.Wait) string {
	switch {
	case w == nil:
		return "-"
	case w.Until == nil:
		return w.For
	}
	return w.For + " until " + when(w.Until)
}

func (a *app) groupWatchCommand() *cobra.Command {
	c := &cobra.Command{Use: "watch GROUP", Short: "Show a group until nothing is waited for", Args: cobra.ExactArgs(1)}
	c.RunE = act(func(ctx context.Context, args []string) error { return a.watchGroup(ctx, args[0]) })
	return c
}

// watchEach is how often a watched group is asked for.
const watchEach = time.Second

// watchGroup shows a group whenever it changed, until it is decided or ctx
// ends, which is no error: the group goes on.
func (a *app) watchGroup(ctx context.Context, id string) error {
	ticker := time.NewTicker(watchEach)
	defer ticker.Stop()
	last := ""
	for {
		g, err := a.client.Group(ctx, id)
		if errors.Is(err, context.Canceled) {
			return nil
		}
		if err != nil {
			return err
		}
		now := g.State + g.ConversationState
		for _, m := range g.Members {
			now += m.Name + m.State + waiting(m.Waiting)
		}
		if now != last {
			last = now
			if err := a.printGroup(g); err != nil {
				return err
			}
		}
		if g.Decided() {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (a *app) groupAddCommand() *cobra.Command {
	c := &cobra.Command{Use: "add GROUP NUMBER", Short: "Invite a number", Args: cobra.ExactArgs(2)}
	c.RunE = act(func(ctx context.Context, args []string) error {
		m, err := a.client.AddGroupMember(ctx, args[0], args[1])
		return a.sayMember(m, err)
	})
	return c
}

func (a *app) groupRemoveCommand() *cobra.Command {
	c := &cobra.Command{Use: "remove GROUP MEMBER", Short: "Remove a member, for good", Args: cobra.ExactArgs(2)}
	c.RunE = act(func(ctx context.Context, args []string) error {
		m, err := a.client.RemoveGroupMember(ctx, args[0], args[1])
		return a.sayMember(m, err)
	})
	return c
}

func (a *app) groupOrderCommand(order, short string) *cobra.Command {
	c := &cobra.Command{Use: order + " GROUP MEMBER", Short: short, Args: cobra.ExactArgs(2)}
	c.RunE = act(func(ctx context.Context, args []string) error {
		m, err := a.client.OrderGroupMember(ctx, args[0], args[1], order)
		return a.sayMember(m, err)
	})
	return c
}

func (a *app) sayMember(m apiclient.GroupMember, err error) error {
	if err == nil {
		a.say("member %s is %s, waits for %s", m.ID, m.State, waiting(m.Waiting))
	}
	return err
}

func (a *app) groupMoveCommand(step, short string) *cobra.Command {
	c := &cobra.Command{Use: step + " GROUP", Short: short, Args: cobra.ExactArgs(1)}
	receiver := c.Flags().String("to", "", "member who receives it: an id of starter member list; transfer only")
	ids(c, "to")
	c.RunE = act(func(ctx context.Context, args []string) error {
		g, err := a.client.MoveGroup(ctx, args[0], step, *receiver)
		if err != nil {
			return err
		}
		return a.printGroup(g)
	})
	return c
}
