package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"omniflow/internal/apiclient"
)

// channels are those that customers can be imported for.
var channels = [...]string{"line", "facebook", "instagram", "whatsapp"}

func (a *app) customerCommand() *cobra.Command {
	return group("customer", "Customers", a.customerImportCommand())
}

func (a *app) customerImportCommand() *cobra.Command {
	c := &cobra.Command{Use: "import FILE", Short: `Import customers from a CSV file ("-": standard input)`, Args: cobra.ExactArgs(1)}
	team := a.teamFlag(c)
	follower := c.Flags().String("follower", "", "member who follows the conversations; without one they wait for a person")
	ids(c, "follower")
	accounts := map[string]*string{}
	for _, channel := range channels {
		accounts[channel] = c.Flags().String(channel+"-account", "", "channel account id; needed when the team has several of "+channel)
		ids(c, channel+"-account")
	}
	c.RunE = act(func(ctx context.Context, args []string) error {
		id, err := team()
		if err != nil {
			return err
		}
		csv, err := a.readFile(args[0])
		if err != nil {
			return err
		}
		options := apiclient.ImportOptions{FollowerID: *follower, Accounts: map[string]string{}}
		for channel, account := range accounts {
			options.Accounts[channel] = *account
		}
		report, err := a.client.ImportCustomers(ctx, id, csv, options)
		if err != nil {
			return err
		}
		return a.printImport(report)
	})
	return c
}

// printImport shows the figures and every line that needs a look.
func (a *app) printImport(r apiclient.ImportReport) error {
	a.say("%d rows: %d imported, %d updated, %d duplicates, %d rejected, %d warnings",
		r.Rows, r.Imported, r.Updated, len(r.Duplicates), len(r.Rejected), len(r.Warnings))
	var rows [][]string
	add := func(what string, faults []apiclient.ImportFault) {
		for _, f := range faults {
			reason := f.Reason
			if f.OfLine > 0 {
				reason = fmt.Sprintf("%s (as line %d)", reason, f.OfLine)
			}
			rows = append(rows, []string{strconv.Itoa(f.Line), what, dash(f.Column), reason})
		}
	}
	add("rejected", r.Rejected)
	add("duplicate", r.Duplicates)
	add("warning", r.Warnings)
	if len(rows) == 0 {
		return nil
	}
	return a.table([]string{"line", "what", "column", "reason"}, rows)
}
