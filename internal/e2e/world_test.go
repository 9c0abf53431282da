package e2e_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/apiclient"
	"omniflow/internal/keyring"
	"omniflow/internal/localstack"
	"omniflow/internal/temporalserver"
	"omniflow/internal/truth"
)

var seedFlag = flag.Uint64("seed", 0, "the seed of every random choice; 0 takes E2E_SEED, or the clock")

// programs builds what a stack runs, once a process.
var programs = sync.OnceValues(func() (localstack.Programs, error) {
	root, err := temporalserver.Root(".")
	if err != nil {
		return localstack.Programs{}, err
	}
	return localstack.Build(context.Background(), root, io.Discard)
})

// world is one stack with its providers and the random choices of one test.
type world struct {
	t        *testing.T
	rng      *rand.Rand
	seed     uint64
	stack    *localstack.Stack
	sims     truth.Simulators
	platform *apiclient.Client
}

// newWorld starts a stack of so many workers; nothing of it outlives the test.
func newWorld(t *testing.T, workers int) *world {
	t.Helper()
	seed := seedOf(t)
	t.Logf("seed %d: E2E_SEED=%d repeats this run", seed, seed)
	built, err := programs()
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "stack")
	config := localstack.Config{Dir: dir, Programs: pin(t, built, dir), Workers: workers, Ephemeral: true}
	stack, err := localstack.Up(t.Context(), config, io.Discard)
	require.NoError(t, err)
	w := &world{t: t, rng: rand.New(rand.NewPCG(seed, 1)), seed: seed, stack: stack, sims: truth.NewSimulators(stack.SimulatorURL())}
	t.Cleanup(w.end)
	tokens, err := keyring.ParseTokens(w.setting("OMNIFLOW_JWT_KEYS"))
	require.NoError(t, err)
	token, err := tokens.Sign(keyring.Claims{Scope: keyring.ScopePlatform, ExpiresAt: time.Now().Add(time.Hour)})
	require.NoError(t, err)
	w.platform = apiclient.New(stack.APIURL(), token)
	return w
}

func seedOf(t *testing.T) uint64 {
	t.Helper()
	if *seedFlag != 0 {
		return *seedFlag
	}
	if text := os.Getenv("E2E_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, "E2E_SEED")
		return seed
	}
	return uint64(time.Now().UnixNano())
}

// pin links our programs into the stack's folder: a build beside the test must
// not change what a restart starts.
func pin(t *testing.T, p localstack.Programs, dir string) localstack.Programs {
	t.Helper()
	bin := filepath.Join(dir, "bin")
	require.NoError(t, os.MkdirAll(bin, 0o755))
	for _, program := range []*string{&p.API, &p.Worker, &p.Starter, &p.Simulator} {
		link := filepath.Join(bin, filepath.Base(*program))
		if os.Link(*program, link) == nil {
			*program = link // else it is another file system: then without
		}
	}
	return p
}

// end stops everything and makes sure of it.
func (w *world) end() {
	if w.t.Failed() {
		for _, name := range []string{"api", "worker", "temporal", "postgres"} {
			w.t.Logf("%s wrote last:\n%s", name, tail(w.stack.LogFile(name), 25))
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(w.t, w.stack.Down(ctx))
	require.NoDirExists(w.t, w.stack.Config.Dir)
	for _, name := range []string{"api", "worker", "temporal", "simulator"} {
		require.False(w.t, w.stack.Process(name).Alive(), name)
	}
}

// tail is the last n lines of a log that are no routine, for a person.
func tail(path string, n int) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(string(raw)), "\n"), func(line string) bool {
		return strings.Contains(line, `"level":"INFO"`)
	})
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// setting is a variable as the stack's programs see it.
func (w *world) setting(name string) string {
	value := ""
	for _, v := range w.stack.Environ() {
		if rest, ok := strings.CutPrefix(v, name+"="); ok {
			value = rest // the last one wins
		}
	}
	return value
}

// until polls a condition ten times a second and fails when it does not come true in time.
func (w *world) until(within time.Duration, condition func() bool, what string, args ...any) {
	w.t.Helper()
	w.untilEach(100*time.Millisecond, within, condition, what, args...)
}

// untilEach is until for what is costly to ask.
func (w *world) untilEach(pause, within time.Duration, condition func() bool, what string, args ...any) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), within)
	defer cancel()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			require.FailNow(w.t, fmt.Sprintf("not within %s: "+what, append([]any{within}, args...)...))
		}
	}
}

// never polls a condition for a while and fails when it comes true.
func (w *world) never(during time.Duration, condition func() bool, what string) {
	w.t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(during); time.Now().Before(end); <-tick.C {
		require.False(w.t, condition(), what)
	}
}

// pass lets time pass that a test is about, such as that of an outage.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	w.never(d, func() bool { return w.t.Context().Err() != nil }, "the test is over")
}

// part is a process that can be killed and started again.
type part struct {
	name  string
	kill  func() error
	start func(context.Context) error
}

func (w *world) worker() part {
	return part{"worker", func() error { return w.stack.KillWorker(0) },
		func(ctx context.Context) error { return w.stack.StartWorker(ctx, 0) }}
}

func (w *world) api() part { return part{"api", w.stack.KillAPI, w.stack.StartAPI} }

func (w *world) temporal() part { return part{"Temporal", w.stack.KillTemporal, w.stack.StartTemporal} }

func (w *world) postgres() part {
	return part{"PostgreSQL", w.stack.KillPostgres, w.stack.StartPostgres}
}

func (w *world) kill(p part) {
	w.t.Helper()
	require.NoError(w.t, p.kill(), "kill %s", p.name)
}

func (w *world) start(p part) {
	w.t.Helper()
	require.NoError(w.t, p.start(w.t.Context()), "start %s", p.name)
}
