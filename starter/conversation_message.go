package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"omniflow/internal/apiclient"
)

func (a *app) conversationMessagesCommand() *cobra.Command {
	c := &cobra.Command{Use: "messages CONVERSATION", Short: "Show the messages of a conversation, newest first", Args: cobra.ExactArgs(1)}
	page := pageFlags(c)
	c.RunE = act(func(ctx context.Context, args []string) error {
		list, err := a.client.ConversationMessages(ctx, args[0], *page)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, m := range list.Items {
			rows = append(rows, []string{m.ID, when(&m.At), m.Direction, dash(m.Origin), dash(m.State), dash(m.Code), said(m)})
		}
		if err := a.table([]string{"message", "at", "direction", "origin", "state", "code", "text"}, rows); err != nil {
			return err
		}
		a.more(list.Next)
		return nil
	})
	return c
}

// said is what a message says, behind what it answers, with what came with it.
func said(m apiclient.ConversationMessage) string {
	words := saidWith(m.Text, m.Media)
	if m.Sticker != nil {
		words = strings.TrimSpace(words + " [sticker " + m.Sticker.PackageID + "/" + m.Sticker.StickerID + "]")
	}
	if m.QuotedID == "" {
		return words
	}
	return fmt.Sprintf("(to: %s) %s", dash(m.QuotedText), words)
}

// saidWith is a text with the files that came with it: what each is called,
// and its id, or why there is none.
func saidWith(text string, files []apiclient.InboundMedia) string {
	parts := []string{text}
	for _, f := range files {
		part := strings.Join(slices.DeleteFunc([]string{f.Kind, f.Name, f.State, f.ID, f.Code}, func(s string) bool { return s == "" }), " ")
		parts = append(parts, "["+part+"]")
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

func (a *app) conversationSendCommand() *cobra.Command {
	c := &cobra.Command{Use: "send CONVERSATION", Short: "Send a text, a shopping link, a file, a template or a saved reply to the customer", Args: cobra.ExactArgs(1)}
	text := c.Flags().String("text", "", "the text; {{system:customer_name}} becomes the customer's name")
	template := c.Flags().String("template", "", "instead: name of a template, on WhatsApp")
	media := c.Flags().String("media", "", "instead: id of an uploaded file")
	link := c.Flags().String("shopping-link", "", "instead: a text with a link, which is promotional")
	saved := c.Flags().String("saved-reply", "", "instead: id of a saved reply")
	kind := c.Flags().String("kind", "image", "as which the file is sent: image, video, audio or file")
	quote := c.Flags().String("quote", "", "id of the message that it answers, on WhatsApp")
	language := c.Flags().String("language", "", "language of the template, such as zh_TW")
	params := c.Flags().StringSlice("param", nil, "parameters of the template's body, in order")
	key := c.Flags().String("key", "", "idempotency key: the same one sends once")
	ids(c, "media", "saved-reply", "quote")
	c.MarkFlagsOneRequired("text", "shopping-link", "template", "media", "saved-reply")
	c.MarkFlagsMutuallyExclusive("text", "shopping-link", "template", "media", "saved-reply")
	c.RunE = act(func(ctx context.Context, args []string) error {
		content := apiclient.ConversationContent{QuotedID: *quote, Content: apiclient.Content{Kind: "text", Text: *text}}
		switch {
		case *link != "":
			content.Content = apiclient.Content{Kind: "shopping_link", Text: *link}
		case *template != "":
			content.Content = apiclient.Content{Kind: "template", Template: &apiclient.TemplateUse{Name: *template, Language: *language, Params: *params}}
		case *media != "":
			content.Content = apiclient.Content{Kind: *kind, MediaID: *media}
		case *saved != "":
			content.Content = apiclient.Content{Kind: "saved_reply", SavedReplyID: *saved}
		}
		return a.sayAccepted(a.client.SendInConversation(ctx, args[0], content, *key))
	})
	return c
}

func (a *app) conversationResendCommand() *cobra.Command {
	c := &cobra.Command{Use: "resend CONVERSATION MESSAGE", Short: "Send a failed message again", Args: cobra.ExactArgs(2)}
	c.RunE = act(func(ctx context.Context, args []string) error {
		return a.sayAccepted(a.client.ResendInConversation(ctx, args[0], args[1]))
	})
	return c
}

func (a *app) sayAccepted(m apiclient.Accepted, err error) error {
	if err == nil {
		a.say("message %s is %s", m.ID, m.State)
	}
	return err
}

func (a *app) conversationWatchCommand() *cobra.Command {
	c := &cobra.Command{Use: "watch CONVERSATION", Short: "Show what is written and what becomes of it, until the conversation is closed and nothing is on its way", Args: cobra.ExactArgs(1)}
	c.RunE = act(func(ctx context.Context, args []string) error { return a.watchConversation(ctx, args[0]) })
	return c
}

// watchConversation prints each line that it has not printed yet, until the
// conversation is closed and nothing is on its way, or ctx ends.
func (a *app) watchConversation(ctx context.Context, id string) error {
	ticker := time.NewTicker(watchEach)
	defer ticker.Stop()
	shown := map[string]bool{}
	quiet := 0 // looks since which nothing is on its way
	for {
		lines, over, err := a.conversationLines(ctx, id)
		if errors.Is(err, context.Canceled) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, line := range lines {
			if !shown[line] {
				a.say("%s", line)
				shown[line] = true
			}
		}
		if quiet++; !over {
			quiet = 0
		}
		if quiet == 2 { // the survey follows the ending
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// conversationLines are the latest messages, oldest first, and the state; over:
// closed, and nothing on its way.
func (a *app) conversationLines(ctx context.Context, id string) (lines []string, over bool, err error) {
	c, err := a.client.Conversation(ctx, id)
	if err != nil {
		return nil, false, err
	}
	list, err := a.client.ConversationMessages(ctx, id, apiclient.Page{})
	if err != nil {
		return nil, false, err
	}
	over = c.State == "closed"
	for _, m := range slices.Backward(list.Items) {
		who, became := "customer", ""
		if m.Direction == "out" {
			who, became = m.Origin, " ["+m.State+"]"
			over = over && m.State != "queued" && m.State != "sending" && m.State != "unknown"
		}
		if m.Code != "" {
			became += " " + m.Code
		}
		lines = append(lines, fmt.Sprintf("%s  %-9s %s%s", m.At.Local().Format(time.TimeOnly), dash(who), said(m), became))
	}
	return append(lines, fmt.Sprintf("conversation is %s, followed by %s, waiting %s, version %d", c.State, dash(c.FollowerName), waits(c), c.Version)), over, nil
}
