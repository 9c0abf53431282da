package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"omniflow/internal/apiclient"
)

func (a *app) notificationCommand() *cobra.Command {
	return group("notification", "What I was told: transfers, collaborations, customers who wrote",
		a.notificationListCommand(), a.notificationReadCommand(), a.notificationWatchCommand())
}

func (a *app) notificationListCommand() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "Show what I was told, newest first", Args: cobra.NoArgs}
	page := pageFlags(c)
	unread := c.Flags().Bool("unread", false, "only what is not read")
	c.RunE = act(func(ctx context.Context, _ []string) error {
		list, err := a.client.Notifications(ctx, *unread, *page)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, n := range list.Items {
			rows = append(rows, []string{n.ID, when(&n.At), n.Kind, notificationText(n), n.ConversationID, when(n.ReadAt)})
		}
		if err := a.table([]string{"id", "at", "kind", "text", "conversation", "read"}, rows); err != nil {
			return err
		}
		a.say("%d unread", list.Unread)
		a.more(list.Next)
		return nil
	})
	return c
}

// notificationText is what a notification says; where the console has no text,
// it says it in our words.
func notificationText(n apiclient.Notification) string {
	if n.Text == "" {
		return n.ConversationName + " wrote"
	}
	return n.Text
}

func (a *app) notificationReadCommand() *cobra.Command {
	var r apiclient.NotificationsRead
	c := &cobra.Command{Use: "read [NOTIFICATION...]", Short: "Mark notifications as read"}
	c.Flags().StringVar(&r.UpTo, "up-to", "", "instead of naming them: this one and all that are older")
	ids(c, "up-to")
	c.RunE = act(func(ctx context.Context, args []string) error {
		if r.IDs = args; (len(args) == 0) == (r.UpTo == "") {
			return &usageError{"name notifications, or one with --up-to"}
		}
		unread, err := a.client.ReadNotifications(ctx, r)
		if err == nil {
			a.say("%d unread", unread)
		}
		return err
	})
	return c
}

func (a *app) notificationWatchCommand() *cobra.Command {
	c := &cobra.Command{Use: "watch", Short: "Show what I am told as it comes, until Ctrl-C", Args: cobra.NoArgs}
	c.RunE = act(func(ctx context.Context, _ []string) error { return a.watchNotifications(ctx) })
	return c
}

// watchNotifications prints a line for each notification, with --json the
// notification, until ctx ends, which is no error.
func (a *app) watchNotifications(ctx context.Context) error {
	var broken error
	err := a.client.WatchNotifications(ctx, apiclient.NotificationWatcher{
		Told: func(n apiclient.Notification) {
			a.say("%s  %s  %s", n.At.Local().Format(time.TimeOnly), n.ConversationID, notificationText(n))
			if !a.json {
				return
			}
			if err := a.printJSON(n); err != nil && broken == nil {
				broken = fmt.Errorf("print notification: %w", err)
			}
		},
		Lost: func(error) { a.say("connection to the API lost; trying again") },
	})
	if errors.Is(err, context.Canceled) {
		return broken
	}
	return errors.Join(err, broken)
}
