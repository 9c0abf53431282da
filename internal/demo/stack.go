package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"omniflow/internal/localstack"
	"omniflow/internal/temporalserver"
)

// up starts the stack and leaves it running.
func up(ctx context.Context, getenv func(string) string, out io.Writer) error {
	s, err := startStack(ctx, getenv, out)
	if err != nil {
		return err
	}
	fmt.Fprintln(out)
	return printStack(out, s)
}

// down stops the stack, whoever started it.
func down(ctx context.Context, getenv func(string) string, out io.Writer) error {
	c, err := config(getenv)
	if err != nil {
		return err
	}
	return localstack.Down(ctx, c.Dir, out)
}

// config is the stack's, with its folder in the module's.
func config(getenv func(string) string) (localstack.Config, error) {
	c, err := localstack.FromEnv(getenv)
	if err != nil {
		return c, err
	}
	root, err := temporalserver.Root(".")
	if err != nil {
		return c, err
	}
	if !filepath.IsAbs(c.Dir) {
		c.Dir = filepath.Join(root, c.Dir)
	}
	return c, nil
}

// build builds every program, the Temporal server among them.
func build(ctx context.Context, getenv func(string) string, out io.Writer) error {
	c, err := config(getenv)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "Building (the first build of the Temporal server takes minutes, later ones a second)")
	_, err = localstack.Build(ctx, filepath.Dir(c.Dir), indented{out})
	return err
}

// startStack builds what is not built yet and starts everything.
func startStack(ctx context.Context, getenv func(string) string, out io.Writer) (*localstack.Stack, error) {
	c, err := config(getenv)
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(out, "Building (the first build of the Temporal server takes minutes, later ones a second)")
	if c.Programs, err = localstack.Build(ctx, filepath.Dir(c.Dir), indented{out}); err != nil {
		return nil, err
	}
	fmt.Fprintln(out, "Starting PostgreSQL, Temporal with its UI, simulated providers, API and worker")
	return localstack.Up(ctx, c, indented{out})
}

// indented sets the lines of another part off.
type indented struct{ out io.Writer }

// Write implements io.Writer; every call is a whole line or several.
func (i indented) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		if _, err := io.WriteString(i.out, "  "+line); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// printStack is the table of addresses.
func printStack(out io.Writer, s *localstack.Stack) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range [][2]string{
		{"API", s.APIURL()},
		{"API reference", s.APIURL() + "/docs"},
		{"Temporal UI", s.TemporalUIURL()},
		{"Temporal", s.TemporalAddress()},
		{"simulated providers", s.SimulatorURL() + "/_sim/summary"},
		{"PostgreSQL", s.DatabaseURL()},
		{"metrics", s.APIMetricsURL() + "/metrics, " + s.WorkerMetricsURL(0) + "/metrics"},
		{"logs", filepath.Dir(s.LogFile("api"))},
	} {
		fmt.Fprintf(t, "  %s\t%s\n", row[0], row[1])
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nFrom a shell:\n  %s\n", strings.Join(shellLines(s), "\n  "))
	return nil
}

// shellLines let a shell use the starter against the stack.
func shellLines(s *localstack.Stack) []string {
	return []string{
		"set -a; . " + filepath.Join(s.Config.Dir, "keys.env") + "; set +a",
		"export PATH=" + filepath.Join(s.Config.Dir, "bin") + ":$PATH OMNIFLOW_API_URL=" + s.APIURL(),
		"export OMNIFLOW_TOKEN=$(starter token platform)",
	}
}

// demo starts the stack, tells the story and stops the stack again. It gives
// the last line of output and whether the demo went well.
func demo(ctx context.Context, getenv func(string) string, out io.Writer) (string, bool) {
	began := time.Now()
	recipients, err := positive(getenv, "DEMO_RECIPIENTS", 5000)
	seed, seedErr := positive(getenv, "DEMO_SEED", 1)
	if err := errors.Join(err, seedErr); err != nil {
		return failed(err.Error()), false
	}
	s, err := startStack(ctx, getenv, out)
	if err != nil {
		return failed(reason(ctx, err)), false
	}
	v, err := newStory(s, out, recipients, seed, began).tell(ctx)
	if getenv("KEEP") == "1" {
		fmt.Fprintln(out, "\nThe stack stays up; `make down` stops it.")
		err = errors.Join(err, printStack(out, s))
	} else {
		fmt.Fprintln(out, "\nStopping the stack (KEEP=1 leaves it running).")
		err = errors.Join(err, s.Down(context.WithoutCancel(ctx)))
	}
	if err != nil {
		return failed(reason(ctx, err)), false
	}
	v.took = time.Since(began)
	return v.lastLine(), v.fault() == ""
}

// reason puts an interruption into words.
func reason(ctx context.Context, err error) string {
	if ctx.Err() != nil {
		return "interrupted"
	}
	return err.Error()
}

// newStory sets the stage.
func newStory(s *localstack.Stack, out io.Writer, recipients, seed int, began time.Time) *story {
	return &story{
		stage: stage{
			api: s.APIURL(), ui: s.TemporalUIURL(), simulators: s.SimulatorURL(),
			jwtKeys: setting(s, "OMNIFLOW_JWT_KEYS"), namespace: setting(s, "TEMPORAL_NAMESPACE"),
			kill:  func(context.Context) error { return s.KillWorker(0) },
			start: func(ctx context.Context) error { return s.StartWorker(ctx, 0) },
			shell: shellLines(s),
		},
		out: out, recipients: recipients, seed: uint64(seed), began: began, grace: 15 * time.Second,
		file: filepath.Join(s.Config.Dir, "demo", "customers.csv"),
	}
}

// setting is a variable as the stack's programs see it.
func setting(s *localstack.Stack, name string) string {
	value := ""
	for _, v := range s.Environ() {
		if rest, ok := strings.CutPrefix(v, name+"="); ok {
			value = rest // the last one wins
		}
	}
	return value
}

// positive reads a whole number above 0.
func positive(getenv func(string) string, name string, usual int) (int, error) {
	text := getenv(name)
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s: %q is not a number above 0", name, text)
	}
	return n, nil
}
