package main

import (
	"context"

	"github.com/spf13/cobra"

	"omniflow/internal/postgres/migrations"
)

func (a *app) migrateCommand() *cobra.Command {
	c := &cobra.Command{Use: "migrate", Short: "Bring the database at DATABASE_URL to the newest schema", Args: cobra.NoArgs}
	c.RunE = act(func(ctx context.Context, _ []string) error {
		dsn := a.getenv("DATABASE_URL")
		if dsn == "" {
			return &usageError{"DATABASE_URL is not set"}
		}
		applied, err := migrations.Up(ctx, dsn)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(map[string]int{"applied": applied})
		}
		a.say("%d migrations applied", applied)
		return nil
	})
	return offline(c)
}
