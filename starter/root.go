package main

import (
	"context"
	"errors"
	"fmt"
	"io"

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
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	var acted *actionError
	if errors.As(err, &acted) {
		fmt.Fprintln(s.err, "starter: "+explain(acted.err))
		return 1
	}
	fmt.Fprintln(s.err, "starter: usage: "+oneLine(err.Error())+"; see starter --help")
	return 2
}

func (a *app) root() *cobra.Command {
	root := group("starter", "Drives omniflow from a shell, through its API",
		a.migrateCommand(), a.teamCommand(), a.memberCommand(), a.tokenCommand(), a.keyCommand(), a.accountCommand(),
		a.templateCommand(), a.customerCommand(), a.mediaCommand(), a.broadcastCommand(), a.groupCommand(), a.conversationCommand(), a.notificationCommand(), a.keywordCommand(), a.autoCloseCommand(), a.deadLetterCommand(), a.auditCommand())
	root.Long = root.Short + ".\n\nEnvironment: OMNIFLOW_API_URL (default " + apiclient.DefaultURL +
		"), OMNIFLOW_TOKEN, OMNIFLOW_TEAM;\nDATABASE_URL for migrate, OMNIFLOW_JWT_KEYS for token platform."
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.PersistentFlags().BoolVar(&a.json, "json", false, "print the API's JSON instead of tables")
	root.PersistentPreRun = func(*cobra.Command, []string) { a.connect() }
	return root
}

// connect makes the client; nothing is sent before a command acts.
func (a *app) connect() {
	base := a.getenv("OMNIFLOW_API_URL")
	if base == "" {
		base = apiclient.DefaultURL
	}
	var options []apiclient.Option
	if a.json {
		options = append(options, apiclient.Raw(a.printRaw))
	}
	a.client = apiclient.New(base, a.getenv("OMNIFLOW_TOKEN"), options...)
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
type actionError struct{ err error }

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
		return &actionError{err}
	}
}
