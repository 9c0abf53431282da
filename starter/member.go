package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"omniflow/internal/apiclient"
	"omniflow/internal/keyring"
)

func (a *app) memberCommand() *cobra.Command {
	return group("member", "Members of a team", a.memberCreateCommand(), a.memberListCommand())
}

func (a *app) memberListCommand() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "Show the members of my team: who can be handed a conversation, or added to one", Args: cobra.NoArgs}
	team, page := a.teamFlag(c), pageFlags(c)
	c.RunE = act(func(ctx context.Context, _ []string) error {
		id, err := team()
		if err != nil {
			return err
		}
		list, err := a.client.Members(ctx, id, *page)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, m := range list.Items {
			rows = append(rows, []string{m.ID, m.Name, m.Role, dash(m.Store), m.State})
		}
		if err := a.table([]string{"id", "name", "role", "store", "state"}, rows); err != nil {
			return err
		}
		a.more(list.Next)
		return nil
	})
	return c
}

func (a *app) memberCreateCommand() *cobra.Command {
	var m apiclient.NewMember
	c := &cobra.Command{Use: "create", Short: "Add a member to a team", Args: cobra.NoArgs}
	team := a.teamFlag(c)
	c.Flags().StringVar(&m.Name, "name", "", "name of the member")
	c.Flags().StringVar(&m.Email, "email", "", "email address")
	c.Flags().StringVar(&m.Role, "role", "", "such as sales_staff, sales_manager or administrator")
	c.Flags().StringVar(&m.Store, "store", "", "store to which a sales role is bound")
	c.Flags().StringVar(&m.Region, "region", "", "region of that store")
	required(c, "name", "role")
	c.RunE = act(func(ctx context.Context, _ []string) error {
		id, err := team()
		if err != nil {
			return err
		}
		member, err := a.client.CreateMember(ctx, id, m)
		if err != nil {
			return err
		}
		a.say("member %s made; next: starter token create --member %s", member.ID, member.ID)
		return nil
	})
	return c
}

func (a *app) tokenCommand() *cobra.Command {
	return group("token", "Bearer tokens", a.tokenPlatformCommand(), a.tokenCreateCommand())
}

func (a *app) tokenPlatformCommand() *cobra.Command {
	c := &cobra.Command{Use: "platform", Short: "Mint a platform token with OMNIFLOW_JWT_KEYS (no API needed)", Args: cobra.NoArgs}
	lives := c.Flags().Duration("expires-in", time.Hour, "how long it lives")
	c.RunE = act(func(context.Context, []string) error {
		keys := a.getenv("OMNIFLOW_JWT_KEYS")
		if keys == "" {
			return &usageError{"OMNIFLOW_JWT_KEYS is not set; want the API's \"kid:base64\" list"}
		}
		tokens, err := keyring.ParseTokens(keys)
		if err != nil {
			return err
		}
		token := apiclient.Token{ExpiresAt: time.Now().Add(*lives).Truncate(time.Second)}
		token.Token, err = tokens.Sign(keyring.Claims{Scope: keyring.ScopePlatform, ExpiresAt: token.ExpiresAt})
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(token)
		}
		a.say("%s", token.Token)
		return nil
	})
	return offline(c)
}

func (a *app) tokenCreateCommand() *cobra.Command {
	c := &cobra.Command{Use: "create", Short: "Mint a member's token", Args: cobra.NoArgs}
	team := a.teamFlag(c)
	member := c.Flags().String("member", "", "id of the member it acts as")
	lives := c.Flags().Duration("expires-in", 24*time.Hour, "how long it lives")
	required(c, "member")
	ids(c, "member")
	c.RunE = act(func(ctx context.Context, _ []string) error {
		id, err := team()
		if err != nil {
			return err
		}
		token, err := a.client.CreateToken(ctx, id, *member, *lives)
		if err != nil {
			return err
		}
		a.say("%s", token.Token) // alone, so that $(starter token create …) works
		return nil
	})
	return c
}

func (a *app) keyCommand() *cobra.Command {
	c := &cobra.Command{Use: "create", Short: "Make a lasting key for a program; it is shown once", Args: cobra.NoArgs}
	team := a.teamFlag(c)
	member := c.Flags().String("member", "", "id of the member it acts as")
	name := c.Flags().String("name", "", "what the key is for")
	required(c, "member", "name")
	ids(c, "member")
	c.RunE = act(func(ctx context.Context, _ []string) error {
		id, err := team()
		if err != nil {
			return err
		}
		key, err := a.client.CreateMachineKey(ctx, id, *member, *name)
		if err != nil {
			return err
		}
		a.say("%s", key.Key)
		return nil
	})
	return group("key", "Machine keys", c)
}
