package main

import (
	"context"

	"github.com/spf13/cobra"

	"omniflow/internal/apiclient"
)

func (a *app) templateCommand() *cobra.Command {
	var t apiclient.NewTemplate
	c := &cobra.Command{Use: "create", Short: "Register an approved WhatsApp template", Args: cobra.NoArgs}
	team := a.teamFlag(c)
	c.Flags().StringVar(&t.WABAID, "waba-id", "", "WhatsApp business account id")
	c.Flags().StringVar(&t.Name, "name", "", "name of the template")
	c.Flags().StringVar(&t.Language, "language", "", "such as zh_TW")
	c.Flags().IntVar(&t.BodyParams, "body-params", 0, "how many parameters its body has")
	c.Flags().StringVar(&t.Header, "header", "", "the file at its head: image, video or file; none by default")
	c.Flags().StringVar(&t.State, "state", "", "approved by default")
	required(c, "waba-id", "name", "language")
	c.RunE = act(func(ctx context.Context, _ []string) error {
		id, err := team()
		if err != nil {
			return err
		}
		template, err := a.client.CreateTemplate(ctx, id, t)
		if err != nil {
			return err
		}
		a.say("template %s registered as %s", template.Name, template.ID)
		return nil
	})
	return group("template", "WhatsApp templates", c)
}
