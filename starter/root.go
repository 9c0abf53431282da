package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"omniflow/internal/apiclient"
)

// surroundings are what a process has, so that a test can give its own.
type surroundings struct {
	getenv   func(string) string
	in       io.Reader
	out, err io.Writer
}

// app is one run of the program.
type app struct {
	surroundings
	json   bool // --json: the API's answers as they are
	client *apiclient.Client
}

// run executes one command line and gives the exit code: 0, 1 for what went
// wrong while acting, 2 for a command line that makes no sense.
func run(ctx context.Context, args []string, s surroundings) int {
	a := &app{surroundings: s}
	root := a.root()
	root.SetArgs(args)
	c, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	var acted *actionError
	if errors.As(err, &acted) {
		fmt.Fprintln(s.err, "starter: "+acted.explain())
		return 1
	}
	fmt.Fprintln(s.err, "starter: usage: "+oneLine(err.Error())+"; see "+c.CommandPath()+" --help")
	return 2
}

func (a *app) root() *cobra.Command {
	root := group("starter", "Drives omniflow from a shell, through its API",
		a.migrateCommand(), a.teamCommand(), a.memberCommand(), a.tokenCommand(), a.keyCommand(), a.accountCommand(),
		a.templateCommand(), a.customerCommand(), a.mediaCommand(), a.broadcastCommand(), a.groupCommand(), a.conversationCommand(), a.notificationCommand(), a.keywordCommand(), a.autoCloseCommand(), a.deadLetterCommand(), a.auditCommand())
	root.Long = root.Short + ".\n\nEnvironment: OMNIFLOW_API_URL (default " + apiclient.DefaultURL +
		"), OMNIFLOW_TOKEN; OMNIFLOW_TEAM for the commands\nthat take --team: a member's token acts in its own team, and another one is refused;\nDATABASE_URL for migrate, OMNIFLOW_JWT_KEYS for token platform."
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.PersistentFlags().BoolVar(&a.json, "json", false, "print the API's JSON instead of tables")
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error {
		if c.HasSubCommands() {
			return nil // it only shows its help
		}
		if err := a.oneTeam(c); err != nil {
			return err
		}
		return a.connect()
	}
	return root
}

// offline marks a command that asks no API.
func offline(c *cobra.Command) *cobra.Command {
	c.PersistentPreRun = func(*cobra.Command, []string) {}
	return c
}

// oneTeam refuses to act where the command line or the environment names a team
// and a member's token another one: the token would decide, without a word. The
// team of a machine key is known to the API alone.
func (a *app) oneTeam(c *cobra.Command) error {
	name, given := "OMNIFLOW_TEAM", a.getenv("OMNIFLOW_TEAM")
	if f := c.Flags().Lookup("team"); f != nil && f.Changed {
		name, given = "--team", f.Value.String()
	}
	token := teamOf(a.getenv("OMNIFLOW_TOKEN"))
	if given == "" || token == "" || strings.EqualFold(given, token) {
		return nil
	}
	return &usageError{fmt.Sprintf("%s is %s, but OMNIFLOW_TOKEN is of a member of team %s", name, given, token)}
}

// connect makes the client; nothing is sent before a command acts.
func (a *app) connect() error {
	base := a.getenv("OMNIFLOW_API_URL")
	if base == "" {
		base = apiclient.DefaultURL
	}
	if !strings.HasPrefix(base, "http://") && !strings.HasPrefix(base, "https://") {
		return &usageError{fmt.Sprintf("OMNIFLOW_API_URL must begin with http:// or https://, not be %q", base)}
	}
	var options []apiclient.Option
	if a.json {
		options = append(options, apiclient.Raw(a.printRaw))
	}
	a.client = apiclient.New(base, a.getenv("OMNIFLOW_TOKEN"), options...)
	return nil
}

// group is a command that only holds others; a word it does not know is a
// mistake and not a request for help.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{Use: use, Short: short}
	g.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return fmt.Errorf("unknown command %q for %q", args[0], c.CommandPath())
		}
		return c.Help()
	}
	g.Args = cobra.ArbitraryArgs
	g.AddCommand(commands...)
	return g
}

// actionError is an error of the act itself, not of the command line.
type actionError struct {
	err      error
	wrongIDs string // what of the command line should be an id and is none
}

func (e *actionError) Error() string { return e.err.Error() }
func (e *actionError) Unwrap() error { return e.err }

// usageError is a mistake on the command line that cobra cannot see.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// act makes a command body out of f, so that run can tell its errors from those
// of the command line.
func act(f func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		err := f(c.Context(), args)
		var usage *usageError
		if err == nil || errors.As(err, &usage) {
			return err
		}
		return &actionError{err, wrongIDs(c, args)}
	}
}
