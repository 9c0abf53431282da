package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"omniflow/internal/apiclient"
)

func (a *app) conversationCommand() *cobra.Command {
	return group("conversation", "Conversations with customers",
		a.conversationListCommand(), a.conversationShowCommand(), a.conversationLogCommand(), a.conversationCreateCommand(),
		a.conversationMessagesCommand(), a.conversationSendCommand(), a.conversationResendCommand(), a.conversationWatchCommand(),
		a.conversationMoveCommand(apiclient.FollowStep, "Follow a pending conversation"),
		a.conversationMoveCommand(apiclient.TransferStep, "Hand a conversation to another member"),
		a.conversationMoveCommand(apiclient.TakeOverStep, "Take over what another member handles"),
		a.conversationMoveCommand(apiclient.EndStep, "End a conversation"),
		a.conversationMoveCommand(apiclient.ReopenStep, "Reopen a closed conversation"),
		a.conversationMarkCommand(apiclient.ViewStep, "Look at a conversation, which reads it under \"my\""),
		a.conversationMarkCommand(apiclient.PinStep, "Pin a conversation of my handling"),
		a.conversationMarkCommand(apiclient.UnpinStep, "Take the pin away"),
		a.collaboratorCommand("conversation"))
}

func (a *app) conversationListCommand() *cobra.Command {
	var f apiclient.ConversationFilter
	c := &cobra.Command{Use: "list", Short: "Show the conversations that I may see", Args: cobra.NoArgs}
	page := pageFlags(c)
	c.Flags().StringVar(&f.View, "view", "", "my_handling, team_handling, pending_human, pending_bot, my_closed or team_closed")
	c.Flags().StringVar(&f.Channel, "channel", "", "only this channel: whatsapp, line, facebook, instagram, webchat or wechat")
	c.Flags().StringVar(&f.Type, "type", "", "one_to_one, whatsapp_group, line_group or group")
	c.Flags().StringVar(&f.Follow, "follow", "", "followed or collaborative")
	c.Flags().StringVar(&f.Search, "search", "", "in name, phone, email, note, tag and messages")
	c.Flags().StringVar(&f.Tag, "tag", "", "only customers with this tag")
	c.Flags().StringVar(&f.Member, "member", "", "only those that this member follows: an id of starter member list")
	c.Flags().StringVar(&f.MemberRole, "member-role", "", "only those that a member of this role follows")
	c.Flags().StringVar(&f.MemberStore, "member-store", "", "only those that a member of this store follows")
	c.Flags().StringVar(&f.MemberRegion, "member-region", "", "only those that a member of this region follows")
	c.Flags().StringVar(&f.Sort, "sort", "", "-last_message (default), last_message, -followed, followed or waiting")
	c.Flags().BoolVar(&f.Waiting, "waiting", false, "only where the customer has waited for 30 minutes or longer, the longest first")
	c.Flags().BoolVar(&f.Unread, "unread", false, "only with unread messages")
	ids(c, "member")
	c.RunE = act(func(ctx context.Context, _ []string) error {
		list, err := a.client.Conversations(ctx, f, *page)
		if err != nil {
			return err
		}
		if err := a.printConversations(list.Items...); err != nil {
			return err
		}
		a.more(list.Next)
		return nil
	})
	return c
}

func (a *app) printConversations(items ...apiclient.Conversation) error {
	var rows [][]string
	for _, c := range items {
		mark := ""
		if c.Pinned {
			mark = "pinned"
		}
		rows = append(rows, []string{c.ID, c.Channel, short(c.Name), c.State, dash(c.FollowerName), strconv.FormatInt(c.Unread, 10), waits(c), when(&c.LastMessageAt), dash(mark)})
	}
	return a.table([]string{"id", "channel", "name", "state", "follower", "unread", "waiting", "last message", "mark"}, rows)
}

func (a *app) conversationShowCommand() *cobra.Command {
	c := &cobra.Command{Use: "show CONVERSATION", Short: "Show a conversation", Args: cobra.ExactArgs(1)}
	c.RunE = act(func(ctx context.Context, args []string) error {
		found, err := a.client.Conversation(ctx, args[0])
		return a.sayConversation(found, err)
	})
	return c
}

// waits is for how long a customer has waited for a person: "-", "<30m", "30m+",
// "1h+" or "2h+". In the hands of a bot or closed nobody waits.
func waits(c apiclient.Conversation) string {
	over, ok := strings.CutPrefix(c.Waiting, "over_")
	switch {
	case ok:
		return over + "+"
	case c.WaitingSince != nil && (c.State == "pending_human" || c.State == "handling"):
		return "<30m"
	}
	return "-"
}

// sayConversation shows a conversation, a line a field.
func (a *app) sayConversation(c apiclient.Conversation, err error) error {
	if err != nil {
		return err
	}
	window := c.Window
	if c.Hint != "" {
		window += ": " + c.Hint
	}
	for _, field := range [][2]string{{"conversation", c.ID}, {"customer", c.Name}, {"channel", c.Channel}, {"state", c.State}, {"follower", c.FollowerName},
		{"collaborators", strings.Join(c.Collaborators, " ")}, {"unread", strconv.FormatInt(c.Unread, 10)}, {"waiting", waits(c)}, {"window", window},
		{"pinned", yes(c.Pinned)}, {"last message", when(&c.LastMessageAt)}, {"version", strconv.FormatInt(c.Version, 10)}, {"workflow", c.WorkflowID}} {
		a.say("%-13s  %s", field[0], dash(printable(field[1:])[0]))
	}
	return nil
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

// sayMoved says what came of a step.
func (a *app) sayMoved(c apiclient.Conversation, err error) error {
	if err == nil {
		a.say("conversation %s is %s, followed by %s, version %d", c.ID, c.State, dash(c.FollowerName), c.Version)
	}
	return err
}

func (a *app) conversationLogCommand() *cobra.Command {
	c := &cobra.Command{Use: "log CONVERSATION", Short: "Show the event state log of a conversation", Args: cobra.ExactArgs(1)}
	c.Long = c.Short + ". Reasons given with a step are in the audit log: starter audit CONVERSATION, as an administrator."
	all := c.Flags().Bool("all", false, "also what was written into the conversation about it (kind system)")
	c.RunE = act(func(ctx context.Context, args []string) error {
		entries, err := a.client.ConversationLog(ctx, args[0])
		if err != nil {
			return err
		}
		var rows [][]string
		for _, e := range entries {
			if e.Kind == "system" && !*all {
				continue
			}
			rows = append(rows, []string{when(&e.At), e.Kind, e.Event, dash(e.From), dash(e.To), dash(e.Actor), dash(e.Follower), dash(e.Text)})
		}
		return a.table([]string{"at", "kind", "event", "from", "to", "actor", "follower", "text"}, rows)
	})
	return c
}

func (a *app) conversationCreateCommand() *cobra.Command {
	var n apiclient.NewConversation
	c := &cobra.Command{Use: "create", Short: "Open a WhatsApp conversation with a number", Args: cobra.NoArgs}
	c.Flags().StringVar(&n.ChannelAccountID, "account", "", "WhatsApp account")
	c.Flags().StringVar(&n.Phone, "phone", "", "number, such as +85291234567")
	c.Flags().StringVar(&n.Country, "country", "", "ISO code, for a number without +")
	c.Flags().StringVar(&n.Name, "name", "", "the customer's name")
	c.Flags().BoolVar(&n.TakeOver, "take-over", false, "take it over from another member who has it")
	key := c.Flags().String("key", "", "idempotency key")
	required(c, "account", "phone")
	ids(c, "account")
	c.RunE = act(func(ctx context.Context, _ []string) error {
		made, err := a.client.CreateConversation(ctx, n, *key)
		if err != nil {
			return err
		}
		a.say("%s", made.Result)
		if made.Result == "exists_ask_takeover" {
			a.say("%s has it (%s): --take-over takes it over", dash(made.FollowerName), made.State)
		}
		return a.sayConversation(made.Conversation, nil)
	})
	return c
}

func (a *app) conversationMoveCommand(step, short string) *cobra.Command {
	var m apiclient.Move
	c := &cobra.Command{Use: step + " CONVERSATION", Short: short, Args: cobra.ExactArgs(1)}
	if step == apiclient.TransferStep {
		c.Flags().StringVar(&m.ReceiverID, "to", "", "member who receives it: an id of starter member list")
		required(c, "to")
		ids(c, "to")
	}
	c.Flags().Int64Var(&m.Version, "version", 0, "as it was shown; refused if somebody was faster")
	c.Flags().StringVar(&m.Reason, "reason", "", "for the audit log")
	c.RunE = act(func(ctx context.Context, args []string) error {
		return a.sayMoved(a.client.MoveConversation(ctx, args[0], step, m))
	})
	return c
}

// marked says what a mark has done.
var marked = map[string]string{apiclient.ViewStep: "viewed", apiclient.PinStep: "pinned", apiclient.UnpinStep: "no longer pinned"}

func (a *app) conversationMarkCommand(step, short string) *cobra.Command {
	c := &cobra.Command{Use: step + " CONVERSATION", Short: short, Args: cobra.ExactArgs(1)}
	c.RunE = act(func(ctx context.Context, args []string) error {
		found, err := a.client.MarkConversation(ctx, args[0], step)
		if err != nil {
			return err
		}
		a.say("conversation %s "+marked[step], found.ID)
		return nil
	})
	return c
}
