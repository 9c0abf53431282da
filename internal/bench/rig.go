package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"omniflow/internal/apiclient"
	"omniflow/internal/bench/sink"
	"omniflow/internal/keyring"
	"omniflow/internal/localstack"
	"omniflow/internal/temporalserver"
	"omniflow/internal/truth"
)

// workers is how many worker processes the stack may have; scenarios start
// with worker 0 alone.
const workers = 3

// rig is the running stack with the sink, and what every scenario needs.
type rig struct {
	options
	out      io.Writer
	root     string
	began    time.Time
	stack    *localstack.Stack
	db       *pgxpool.Pool
	sink     sink.Client
	sinkPID  int
	sims     truth.Simulators
	platform *apiclient.Client
	report   *report
	close    []func() error
}

// bench runs everything and prints what came out. A missed budget is shown,
// not an error: a table is of more use than an exit code.
func bench(ctx context.Context, o options, out io.Writer) (err error) {
	r := &rig{options: o, out: out, began: time.Now(), report: &report{}}
	defer func() { err = errors.Join(err, r.down()) }()
	if err := r.up(ctx); err != nil {
		return err
	}
	if err := printHead(ctx, out, r.db, o); err != nil {
		return err
	}
	var faults []error
	list := o.wanted()
	for i, s := range list {
		r.say("%d of %d: %s: %s", i+1, len(list), s.name, s.what)
		if err := s.run(ctx, r); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", s.name, err))
			r.say("%s FAILED: %v", s.name, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	fmt.Fprintln(out)
	path := filepath.Join(r.root, "bench.json")
	missed := r.report.missed()
	err = r.report.table(out)
	if o.only != nil {
		err = errors.Join(err, r.report.keep(path))
	}
	err = errors.Join(err, r.report.write(path))
	fmt.Fprintf(out, "\nload %s at the end; %.0f s in all; %d budgets missed; bench.json written\n", load(), time.Since(r.began).Seconds(), missed)
	return errors.Join(append(faults, err)...)
}

// say tells what runs, with the time since the start.
func (r *rig) say(format string, args ...any) {
	fmt.Fprintf(r.out, "[%4.0f s] "+format+"\n", append([]any{time.Since(r.began).Seconds()}, args...)...)
}

// up starts stack and sink.
func (r *rig) up(ctx context.Context) error {
	var err error
	if r.root, err = temporalserver.Root("."); err != nil {
		return err
	}
	c := localstack.Config{Dir: filepath.Join(r.root, ".local", "bench"), Workers: workers, TemporalOnPostgres: true, Ephemeral: !r.keep,
		Env: []string{"OMNIFLOW_PPROF=1"}}
	if r.profileDir != "" {
		c.PostgresSettings = map[string]string{"shared_preload_libraries": "pg_stat_statements", "pg_stat_statements.track_planning": "on"}
	}
	r.say("building")
	if err := c.Build(ctx, r.root, io.Discard); err != nil {
		return err
	}
	if err := r.startSink(ctx); err != nil {
		return err
	}
	c.Env = append(c.Env, "WHATSAPP_BASE_URL="+r.sink.Base+"/whatsapp", "LINE_BASE_URL="+r.sink.Base+"/line")
	r.say("starting PostgreSQL, Temporal on it, api and worker")
	if r.stack, err = localstack.Up(ctx, c, io.Discard); err != nil {
		return err
	}
	for n := 1; n < workers; n++ {
		if err := r.stopWorker(ctx, n); err != nil {
			return err
		}
	}
	if r.db, err = pgxpool.New(ctx, r.stack.DatabaseURL()); err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	r.sims = truth.NewSimulators(r.stack.SimulatorURL())
	tokens, err := keyring.ParseTokens(setting(r.stack, "OMNIFLOW_JWT_KEYS"))
	if err != nil {
		return err
	}
	token, err := tokens.Sign(keyring.Claims{Scope: keyring.ScopePlatform, ExpiresAt: time.Now().Add(6 * time.Hour)})
	r.platform = apiclient.New(r.stack.APIURL(), token)
	return err
}

// down stops everything that up started, in reverse.
func (r *rig) down() error {
	var err error
	if r.db != nil {
		r.db.Close()
	}
	if r.stack != nil {
		err = r.stack.Down(context.Background())
	}
	for _, f := range r.close {
		err = errors.Join(err, f())
	}
	return err
}

// stopWorker ends worker n in order.
func (r *rig) stopWorker(ctx context.Context, n int) error {
	return r.stack.Process([]string{"worker", "worker-1", "worker-2"}[n]).Stop(ctx, 30*time.Second)
}

// sinkCommand is the hidden command under which this program is the sink.
const sinkCommand = "sink"

// startSink runs the sink as a process of its own, so that its work is not the
// bench's.
func (r *rig) startSink(ctx context.Context) error {
	port, err := localstack.FreePort()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("start the sink: %w", err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	cmd := exec.Command(self, sinkCommand, address)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the sink: %w", err)
	}
	r.close = append(r.close, func() error { err := cmd.Process.Kill(); _ = cmd.Wait(); return err })
	r.sinkPID = cmd.Process.Pid
	r.sink = sink.Client{Base: "http://" + address}
	return localstack.WaitHTTP(ctx, r.sink.Base+"/healthz", nil)
}

// serveSink is the sink process: until ctx ends.
func serveSink(ctx context.Context, address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("serve the sink: %w", err)
	}
	server := &http.Server{Handler: sink.New(), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the sink: %w", err)
	}
	return nil
}

// setting is a variable as the stack's programs see it; the last one wins.
func setting(s *localstack.Stack, name string) string {
	value := ""
	for _, v := range s.Environ() {
		if rest, ok := strings.CutPrefix(v, name+"="); ok {
			value = rest
		}
	}
	return value
}
