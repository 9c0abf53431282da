package localstack_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/localstack"
)

// up starts an ephemeral stack of fakes on free ports.
func up(t *testing.T, c localstack.Config) *localstack.Stack {
	t.Helper()
	if c.Dir == "" {
		c.Dir = filepath.Join(t.TempDir(), "local")
	}
	c.Programs, c.Ephemeral = programs(t), true
	s, err := localstack.Up(t.Context(), c, io.Discard)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.NoError(t, s.Down(ctx))
		require.NoDirExists(t, s.Config.Dir)
		for _, name := range []string{"api", "worker", "temporal", "simulator"} {
			require.False(t, s.Process(name).Alive(), name)
		}
	})
	return s
}

func get(t *testing.T, url string) error {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(url)
	if err != nil {
		return err
	}
	require.Equal(t, http.StatusOK, res.StatusCode)
	return res.Body.Close()
}

// environment reads what a fake has logged of its environment at its last start.
func environment(t *testing.T, s *localstack.Stack, name string) []string {
	t.Helper()
	raw, err := os.ReadFile(s.LogFile(name))
	require.NoError(t, err)
	lines := strings.Split(string(raw), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if words, ok := strings.CutPrefix(lines[i], "environment "); ok {
			return strings.Fields(words)
		}
	}
	require.Fail(t, "no environment in the log of "+name)
	return nil
}

func TestStackUp(t *testing.T) {
	t.Parallel()
	s := up(t, localstack.Config{Workers: 2, Env: []string{"OMNIFLOW_EXTRA=1"}})
	require.NoError(t, get(t, s.APIURL()+"/readyz"))
	require.NoError(t, get(t, s.WorkerMetricsURL(0)+"/readyz"))
	require.NoError(t, get(t, s.WorkerMetricsURL(1)+"/readyz"))
	require.NotEqual(t, s.WorkerMetricsURL(0), s.WorkerMetricsURL(1))
	var migrated int
	conn := connect(t, s.DatabaseURL())
	defer conn.Close(t.Context())
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM migrated").Scan(&migrated))
	require.Equal(t, 1, migrated)

	env := environment(t, s, "worker-1")
	for _, want := range []string{
		"DATABASE_URL=" + s.DatabaseURL(), "TEMPORAL_ADDRESS=" + s.TemporalAddress(), "TEMPORAL_NAMESPACE=omniflow",
		"OMNIFLOW_METRICS_LISTEN=" + strings.TrimPrefix(s.WorkerMetricsURL(1), "http://"),
		"WHATSAPP_BASE_URL=" + s.SimulatorURL() + "/whatsapp", "LINE_BASE_URL=" + s.SimulatorURL() + "/line",
		"MESSENGER_BASE_URL=" + s.SimulatorURL() + "/messenger", "INSTAGRAM_BASE_URL=" + s.SimulatorURL() + "/instagram",
		"OMNIFLOW_EXTRA=1",
	} {
		require.Contains(t, env, want)
	}
	require.Contains(t, strings.Join(env, " "), "OMNIFLOW_ENCRYPTION_KEYS=k1:")
	require.Contains(t, strings.Join(env, " "), "OMNIFLOW_JWT_KEYS=k1:")
	require.Subset(t, s.Environ(), []string{"DATABASE_URL=" + s.DatabaseURL(), "OMNIFLOW_EXTRA=1"})

	raw, err := os.ReadFile(s.LogFile("temporal"))
	require.NoError(t, err)
	for _, want := range []string{
		"--namespace omniflow", "--dynamic-config-value matching.enableFairness=true", "--search-attribute TeamId=Keyword",
		"--ui-codec-endpoint " + s.APIURL() + "/codec", "--db-filename " + s.Config.Dir + "/temporal.db",
	} {
		require.Contains(t, string(raw), want)
	}
}

func TestStackTemporalOnPostgres(t *testing.T) {
	t.Parallel()
	s := up(t, localstack.Config{TemporalOnPostgres: true})
	raw, err := os.ReadFile(s.LogFile("temporal"))
	require.NoError(t, err)
	require.Contains(t, string(raw), "--postgres "+s.Postgres().DSN("postgres"))
	require.NotContains(t, string(raw), "--db-filename")
}

func TestStackKillAndStart(t *testing.T) {
	t.Parallel()
	s := up(t, localstack.Config{Workers: 2})
	for _, part := range []struct {
		name  string
		kill  func() error
		start func(context.Context) error
		url   string
	}{
		{"api", s.KillAPI, s.StartAPI, s.APIURL() + "/readyz"},
		{"worker-1", func() error { return s.KillWorker(1) }, func(ctx context.Context) error { return s.StartWorker(ctx, 1) }, s.WorkerMetricsURL(1) + "/readyz"},
		{"simulator", s.KillSimulator, s.StartSimulator, s.SimulatorURL() + "/healthz"},
		{"temporal", s.KillTemporal, s.StartTemporal, ""},
	} {
		before := s.Process(part.name)
		require.NoError(t, part.kill(), part.name)
		require.False(t, before.Alive())
		require.ErrorContains(t, before.Wait(t.Context()), "signal: killed")
		if part.url != "" {
			require.Error(t, get(t, part.url))
		}
		require.NoError(t, part.start(t.Context()), part.name)
		require.NotEqual(t, before.PID(), s.Process(part.name).PID())
		if part.url != "" {
			require.NoError(t, get(t, part.url))
		}
	}
	require.NoError(t, s.KillPostgres())
	require.NoError(t, s.StartPostgres(t.Context()))
	require.NoError(t, connect(t, s.DatabaseURL()).Close(t.Context()))
	require.ErrorContains(t, s.StartWorker(t.Context(), 2), "the stack has 2")
	require.ErrorContains(t, s.KillWorker(2), "never started")
}

func TestStackReportsEveryTakenPort(t *testing.T) {
	t.Parallel()
	listeners := make([]int, 2)
	for i := range listeners {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		listeners[i] = l.Addr().(*net.TCPAddr).Port
	}
	dir := t.TempDir()
	_, err := localstack.Up(t.Context(), localstack.Config{Dir: dir, APIPort: listeners[0], TemporalUIPort: listeners[1]}, io.Discard)
	require.EqualError(t, err, fmt.Sprintf("port %d (api) is taken by another program: stop it or set OMNIFLOW_API_PORT\n"+
		"port %d (Temporal UI) is taken by another program: stop it or set OMNIFLOW_TEMPORAL_UI_PORT", listeners[0], listeners[1]))
	require.NoDirExists(t, filepath.Join(dir, "run"))
}

// A part that does not come up takes everything before it down again.
func TestStackUndoesAFailedStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := localstack.Config{Dir: dir, Programs: programs(t), Env: []string{"FAKE_BREAKS=fake-api"}}
	_, err := localstack.Up(t.Context(), c, io.Discard)
	require.ErrorContains(t, err, "api ended (exit status 1)")
	require.ErrorContains(t, err, "the schema is of another century")
	running, err := localstack.Running(filepath.Join(dir, "run"))
	require.NoError(t, err)
	require.Empty(t, running)
	require.FileExists(t, filepath.Join(dir, "log", "simulator.log"))
	require.NoFileExists(t, filepath.Join(dir, "log", "worker.log"))

	data, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres", "data"))
	require.NoError(t, err)
	require.NoError(t, localstack.Remove(t.Context(), dir, io.Discard))
	require.NoDirExists(t, data)
	require.NoDirExists(t, dir)
}

// `make down` knows no more than the folder, and `make up` finds the data again.
func TestStackDownFromElsewhereAndUpAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := localstack.Config{Dir: dir, Programs: programs(t)}
	var told bytes.Buffer
	first, err := localstack.Up(t.Context(), c, &told)
	require.NoError(t, err)
	for _, name := range []string{"PostgreSQL", "Temporal", "simulator", "migrations", "api", "worker"} {
		require.Regexp(t, name+` +ready after \d+\.\d s`, told.String())
	}
	_, err = localstack.Up(t.Context(), c, io.Discard)
	require.ErrorContains(t, err, "the local stack runs already (worker, api, simulator, temporal, postgres): run `make down` first")
	keys, err := os.ReadFile(filepath.Join(dir, "keys.env"))
	require.NoError(t, err)

	told.Reset()
	require.NoError(t, localstack.Down(t.Context(), dir, &told))
	require.Equal(t, "stopped worker\nstopped api\nstopped simulator\nstopped temporal\nstopped postgres\n", told.String())
	require.False(t, first.Process("api").Alive())
	told.Reset()
	require.NoError(t, localstack.Down(t.Context(), dir, &told))
	require.Empty(t, told.String())

	again := up(t, localstack.Config{Dir: dir})
	kept, err := os.ReadFile(filepath.Join(dir, "keys.env"))
	require.NoError(t, err)
	require.Equal(t, string(keys), string(kept))
	var migrated int
	conn := connect(t, again.DatabaseURL())
	defer conn.Close(t.Context())
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM migrated").Scan(&migrated))
	require.Equal(t, 2, migrated)
}

// The death of the process that started it ends an ephemeral stack.
func TestStackEndsWithItsProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	local := filepath.Join(dir, "local")
	p, _ := started(t, localstack.NewSupervisor(filepath.Join(dir, "run")),
		command(t, dir, "stack", "DIR="+local, "BIN="+filepath.Dir(programs(t).API)))
	running, err := localstack.Running(filepath.Join(local, "run"))
	require.NoError(t, err)
	require.Len(t, running, 5)

	killAlone(t, p.PID())

	eventually(t, func() bool { return missing(local) })
}
