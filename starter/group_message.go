package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"omniflow/internal/apiclient"
)

func (a *app) groupMessagesCommand() *cobra.Command {
	c := &cobra.Command{Use: "messages GROUP", Short: "Show the latest messages of a group, newest first", Args: cobra.ExactArgs(1)}
	rows := limit(20)
	c.Flags().Var(&rows, "limit", "how many, 1 to 200")
	c.RunE = act(func(ctx context.Context, args []string) error {
		list, err := a.client.GroupMessages(ctx, args[0], int(rows))
		if err != nil {
			return err
		}
		var table [][]string
		for _, m := range list {
			row := []string{m.ID, when(&m.At), m.Direction, dash(m.State), dash(m.Code), "-", saidWith(m.Text, m.Media)}
			if m.Direction == "out" {
				row[5] = fmt.Sprintf("%d/%d/%d", m.Members, m.Received, m.Read)
			}
			table = append(table, row)
		}
		return a.table([]string{"message", "at", "direction", "state", "code", "members/received/read", "text"}, table)
	})
	return c
}

func (a *app) groupSendCommand() *cobra.Command {
	c := &cobra.Command{Use: "send GROUP", Short: "Send a text, a file or a template to a group", Args: cobra.ExactArgs(1)}
	text := c.Flags().String("text", "", "the text")
	template := c.Flags().String("template", "", "instead: name of a template")
	media := c.Flags().String("media", "", "instead: id of an uploaded file")
	kind := c.Flags().String("kind", "image", "as which the file is sent: image, video or file")
	quote := c.Flags().String("quote", "", "id of the message of the group that it answers")
	language := c.Flags().String("language", "", "language of the template, such as zh_TW")
	params := c.Flags().StringSlice("param", nil, "parameters of the template's body, in order")
	key := c.Flags().String("key", "", "idempotency key: the same one sends once")
	ids(c, "media", "quote")
	c.RunE = act(func(ctx context.Context, args []string) error {
		content := apiclient.GroupContent{QuotedID: *quote}
		switch {
		case *text != "" && *template == "" && *media == "":
			content.Kind, content.Text = "text", *text
		case *text == "" && *template != "" && *media == "":
			content.Kind, content.Template = "template", &apiclient.TemplateUse{Name: *template, Language: *language, Params: *params}
		case *text == "" && *template == "" && *media != "":
			content.Kind, content.MediaID = *kind, *media
		default:
			return &usageError{"give one of --text, --template and --media"}
		}
		accepted, err := a.client.SendToGroup(ctx, args[0], content, *key)
		if err == nil {
			a.say("message %s is %s", accepted.ID, accepted.State)
		}
		return err
	})
	return c
}

func (a *app) groupResendCommand() *cobra.Command {
	c := &cobra.Command{Use: "resend GROUP MESSAGE", Short: "Send a failed message again", Args: cobra.ExactArgs(2)}
	c.RunE = act(func(ctx context.Context, args []string) error {
		accepted, err := a.client.ResendToGroup(ctx, args[0], args[1])
		if err == nil {
			a.say("message %s is %s", accepted.ID, accepted.State)
		}
		return err
	})
	return c
}
