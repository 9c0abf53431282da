package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"omniflow/internal/apiclient"
	"omniflow/internal/progress"
	"omniflow/internal/simulator"
	"omniflow/internal/truth"
)

// storyTimeout is how long the broadcast of the demo may take with all around it.
const storyTimeout = 10 * time.Minute

// stage is the running stack as the story needs it.
type stage struct {
	api, ui, simulators string // base URLs
	jwtKeys             string // OMNIFLOW_JWT_KEYS of the api
	namespace           string // of the runs, in Temporal
	kill, start         func(context.Context) error
	shell               []string // commands with which a shell reaches the API
}

// story is one run of the demo on a stage.
type story struct {
	stage
	out        io.Writer
	recipients int
	seed       uint64
	file       string        // where the customer file is kept
	grace      time.Duration // how long webhooks may be late after the end

	sims  truth.Simulators
	scene *scene
	book  book
	began time.Time
}

// step writes the heading of a part of the story, with the time since its start.
func (s *story) step(format string, args ...any) {
	fmt.Fprintf(s.out, "\n[%3d s] "+format+"\n", append([]any{int(time.Since(s.began).Seconds())}, args...)...)
}

// tell runs the story and gives its verdict. An error means that it could not
// be told to its end.
func (s *story) tell(ctx context.Context) (verdict, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, storyTimeout, fmt.Errorf("the story was not over after %s", storyTimeout))
	defer cancel()
	v, err := s.acts(ctx)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return v, err
}

func (s *story) acts(ctx context.Context) (verdict, error) {
	s.sims = truth.NewSimulators(s.simulators)
	if err := s.prepare(ctx); err != nil {
		return verdict{}, err
	}
	if err := s.importCustomers(ctx); err != nil {
		return verdict{}, err
	}
	group, err := s.talkInGroup(ctx)
	if err != nil {
		return verdict{}, err
	}
	desk, err := s.serveCustomers(ctx)
	if err != nil {
		return verdict{}, err
	}
	last, err := s.broadcast(ctx)
	if err != nil {
		return verdict{}, err
	}
	v, err := s.judge(ctx, last)
	v.group, v.desk = group, desk
	return v, err
}

// prepare makes the team and its channel accounts, and switches the faults on.
func (s *story) prepare(ctx context.Context) error {
	s.step("A team, a sales person with four channel accounts, and an agent with four others and a WhatsApp number for groups")
	token, err := platformToken(s.jwtKeys, time.Now())
	if err != nil {
		return fmt.Errorf("mint platform token: %w", err)
	}
	platform := apiclient.New(s.api, token, apiclient.Retries(20))
	if s.scene, err = newScene(ctx, platform, s.sims, s.api, s.recipients, s.seed); err != nil {
		return err
	}
	for _, a := range s.scene.accounts {
		limit := fmt.Sprintf("%.0f messages a second", a.Rate)
		if a.Rate == 0 {
			limit = "multicast, 500 people a call"
		}
		fmt.Fprintf(s.out, "  %-10s %-34s %s\n", a.Channel, a.ExternalID, limit)
	}
	if err := s.scene.trouble(ctx, s.sims, s.seed); err != nil {
		return fmt.Errorf("switch faults on: %w", err)
	}
	fmt.Fprintln(s.out, "  The simulated providers have a bad day: 1 % of requests are answered with 5xx, 1 % are taken but the\n"+
		"  answer is lost, 0.5 % are refused for good, 0.2 % throttled; 5 % of webhooks come twice, 5 % out of order.")
	return nil
}

// importCustomers generates the file, keeps it and imports it.
func (s *story) importCustomers(ctx context.Context) error {
	s.step("Customers: %s good rows and the usual dirt, in %s", printer().Sprintf("%d", s.recipients), s.file)
	var file bytes.Buffer
	var err error
	if s.book, err = generate(&file, s.recipients, s.seed, time.Now()); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(s.file), 0o755); err != nil {
		return fmt.Errorf("keep the customer file: %w", err)
	}
	if err := os.WriteFile(s.file, file.Bytes(), 0o644); err != nil {
		return fmt.Errorf("keep the customer file: %w", err)
	}
	report, err := s.scene.platform.ImportCustomers(ctx, s.scene.teamID, file.Bytes(),
		apiclient.ImportOptions{FollowerID: s.scene.memberID, Accounts: s.scene.byChannel()})
	if err != nil {
		return fmt.Errorf("import customers: %w", err)
	}
	printImport(s.out, report)
	if report.Imported != s.book.good {
		return fmt.Errorf("the import took %d of %d good rows", report.Imported, s.book.good)
	}
	return nil
}

// broadcast sends the message to everybody and watches until the end.
func (s *story) broadcast(ctx context.Context) (apiclient.Broadcast, error) {
	s.step("One broadcast to all of them:")
	fmt.Fprintln(s.out, indent(text))
	started, err := s.scene.member.StartBroadcast(ctx, request(), "")
	if err != nil {
		return apiclient.Broadcast{}, fmt.Errorf("start broadcast: %w", err)
	}
	fmt.Fprintf(s.out, "\n  broadcast %s\n  watch it in Temporal: %s\n\n", started.ID, s.runURL(started.WorkflowID))
	board := progress.New(s.out, progress.Terminal(s.out))
	defer board.Close()
	killer := newKiller(s.kill, s.start, board.Note)
	relief := newRelief(func(ctx context.Context, id string) error { return s.scene.relieve(ctx, s.sims, id) }, board.Note)
	last, err := s.scene.member.Watch(ctx, started.ID, apiclient.Watcher{
		Update: func(b apiclient.Broadcast) { board.Update(b); killer.look(ctx, b); relief.look(ctx, b) },
		Lost:   func(error) { board.Note("  connection to the API lost; trying again") },
	})
	if err != nil {
		return last, fmt.Errorf("watch broadcast: %w", err)
	}
	return last, killer.wait(ctx)
}

// judge compares our ledger with the ground truth and prints both. Webhooks
// that were under way when the broadcast ended get the grace time to arrive.
func (s *story) judge(ctx context.Context, last apiclient.Broadcast) (verdict, error) {
	s.step("What happened, by our ledger")
	deadline := time.Now().Add(s.grace)
	for {
		sums, err := s.sims.Summaries(ctx, s.scene.accounts)
		if err != nil {
			return verdict{}, err
		}
		deliveries, err := s.sims.Deliveries(ctx, s.scene.accounts)
		if err != nil {
			return verdict{}, err
		}
		rows, err := s.scene.member.AllRecipients(ctx, last.ID, apiclient.RecipientFilter{})
		if err != nil {
			return verdict{}, fmt.Errorf("read the recipients: %w", err)
		}
		v := verdict{Comparison: truth.Compare(s.book.people, rows, deliveries), violations: violations(sums)}
		if v.Lost()+v.Unclaimed == 0 || time.Now().After(deadline) {
			return v, s.report(ctx, last.ID, v, sums, deliveries)
		}
		if err := pause(ctx, 500*time.Millisecond); err != nil {
			return verdict{}, err
		}
	}
}

// report prints both tables and where to look.
func (s *story) report(ctx context.Context, id string, v verdict, sums map[string]simulator.Summary, deliveries []simulator.Delivery) error {
	b, err := s.scene.member.Broadcast(ctx, id)
	if err != nil {
		return fmt.Errorf("read the broadcast: %w", err)
	}
	if err := printChannels(s.out, b, s.scene.accounts, sums, deliveries); err != nil {
		return err
	}
	s.step("What happened, by the providers' own books")
	printTruth(s.out, v, sums)
	s.step("Where to look (KEEP=1 make demo leaves all of it running)")
	fmt.Fprintf(s.out, "  the run, step by step   %s\n  the API's reference     %s/docs\n  the customer file       %s\n  from a shell\n",
		s.runURL(b.WorkflowID), s.api, s.file)
	env, err := s.keepEnvironment()
	if err != nil {
		return err
	}
	for _, command := range []string{". " + env, "starter broadcast show " + id, "starter broadcast recipients " + id + " --state failed"} {
		fmt.Fprintf(s.out, "    %s\n", command)
	}
	agent, err := s.keepAgent()
	if err != nil {
		return err
	}
	for _, command := range []string{". " + agent, "starter group show $GROUP", "starter conversation log $CONVERSATION"} {
		fmt.Fprintf(s.out, "    %s\n", command)
	}
	return nil
}

// keepEnvironment writes, beside the customer file, what a shell needs to act
// as the demo's sales person, and gives the file's name.
func (s *story) keepEnvironment() (string, error) {
	name := filepath.Join(filepath.Dir(s.file), "env.sh")
	return name, s.keep(name, s.scene.memberToken)
}

// violations counts the requests that came when a second was full already.
func violations(sums map[string]simulator.Summary) int {
	n := 0
	for _, s := range sums {
		n += s.LimitExceeded
	}
	return n
}

// runURL is the page of a workflow in the Temporal UI.
func (s *story) runURL(workflowID string) string {
	return s.ui + "/namespaces/" + s.namespace + "/workflows/" + url.PathEscape(workflowID)
}

// indent sets a text off from what is around it.
func indent(text string) string {
	out := ""
	for line := range bytes.Lines([]byte(text)) {
		out += "  | " + string(line)
	}
	return out
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
