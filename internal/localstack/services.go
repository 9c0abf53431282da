package localstack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"omniflow/internal/temporalserver"
)

// temporalNamespace holds the runs of the local stack.
const temporalNamespace = "omniflow"

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

func baseURL(port int) string { return "http://" + address(port) }

// APIURL is the base of the API, without a slash at the end.
func (s *Stack) APIURL() string { return baseURL(s.Config.APIPort) }

// SimulatorURL is the base of the simulators, without a slash at the end.
func (s *Stack) SimulatorURL() string { return baseURL(s.Config.SimulatorPort) }

// TemporalUIURL is where a person looks at the runs.
func (s *Stack) TemporalUIURL() string { return baseURL(s.Config.TemporalUIPort) }

// TemporalAddress is the host:port of Temporal's frontend.
func (s *Stack) TemporalAddress() string { return address(s.Config.TemporalPort) }

// WorkerMetricsURL is where worker n serves /metrics and /readyz.
func (s *Stack) WorkerMetricsURL(n int) string { return baseURL(s.workerPorts[n]) }

// APIMetricsURL is where the api serves /metrics.
func (s *Stack) APIMetricsURL() string { return baseURL(s.Config.APIMetricsPort) }

// DatabaseURL is the connection string of omniflow's database.
func (s *Stack) DatabaseURL() string { return s.cluster.DSN("omniflow") }

// Postgres is the database server, for tests that act on it.
func (s *Stack) Postgres() *Cluster { return s.cluster }

// LogFile is where the process of a name writes: postgres, temporal, simulator,
// migrate, api, worker, worker-1, worker-2, …
func (s *Stack) LogFile(name string) string {
	return filepath.Join(s.Config.Dir, "log", name+".log")
}

// Environ gives what one of our programs needs to join the stack, over the
// inherited environment: KEY=value, secrets included. For the starter and tests.
func (s *Stack) Environ() []string {
	env := cleanEnviron(os.Environ())
	env = append(env, s.env...)
	return append(env, s.Config.Env...)
}

// cleanEnviron drops settings that would lead our programs elsewhere.
func cleanEnviron(environ []string) []string {
	var kept []string
	for _, variable := range environ {
		if !strings.HasPrefix(variable, "TEMPORAL_") && !strings.HasPrefix(variable, "PG") && !strings.HasPrefix(variable, "OMNIFLOW_") {
			kept = append(kept, variable)
		}
	}
	return kept
}

// environment is everything but the secrets and what differs by program.
func (s *Stack) environment() []string {
	c := s.Config
	simulators := baseURL(c.SimulatorPort)
	dsn := (&Cluster{Port: c.PostgresPort}).DSN("omniflow")
	return []string{
		"DATABASE_URL=" + dsn,
		"TEMPORAL_ADDRESS=" + address(c.TemporalPort),
		"TEMPORAL_NAMESPACE=" + temporalNamespace,
		"OMNIFLOW_LISTEN=" + address(c.APIPort),
		"OMNIFLOW_METRICS_LISTEN=" + address(c.APIMetricsPort),
		// The UI's browser page decodes payloads without a token: a local stack only.
		fmt.Sprintf("OMNIFLOW_CODEC_ORIGINS=http://127.0.0.1:%d,http://localhost:%d", c.TemporalUIPort, c.TemporalUIPort),
		"OMNIFLOW_CODEC_OPEN=true",
		"OMNIFLOW_BLOB_URL=file://" + filepath.Join(c.Dir, "blob"),
		"OMNIFLOW_PUBLIC_URL=" + baseURL(c.APIPort),
		"WHATSAPP_BASE_URL=" + simulators + "/whatsapp",
		"LINE_BASE_URL=" + simulators + "/line",
		"MESSENGER_BASE_URL=" + simulators + "/messenger",
		"INSTAGRAM_BASE_URL=" + simulators + "/instagram",
		"SIM_LISTEN=" + address(c.SimulatorPort),
	}
}

// launch starts a child of the stack; its last environment entries win.
func (s *Stack) launch(name, program string, args []string, env ...string) (*Process, error) {
	p, err := s.supervisor.Start(Command{
		Name: name, Path: program, Args: args, LogFile: s.LogFile(name),
		Env: append(s.Environ(), env...),
	})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.processes[name] = p
	return p, nil
}

// Process gives the latest process of a name, nil if it was never started. The
// names are those of LogFile, postgres left out.
func (s *Stack) Process(name string) *Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.processes[name]
}

func (s *Stack) kill(name string) error {
	p := s.Process(name)
	if p == nil {
		return fmt.Errorf("kill %s: it was never started", name)
	}
	return p.Kill()
}

func (s *Stack) startCluster(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Join(s.Config.Dir, "blob"), 0o755); err != nil {
		return fmt.Errorf("make the folder of exports: %w", err)
	}
	cluster, err := StartCluster(ctx, ClusterOptions{
		Dir:       filepath.Join(s.Config.Dir, "postgres"),
		Port:      s.Config.PostgresPort,
		Settings:  s.Config.PostgresSettings,
		LogFile:   s.LogFile("postgres"),
		RunDir:    filepath.Join(s.Config.Dir, "run"),
		Ephemeral: s.Config.Ephemeral,
		remove:    []string{s.Config.Dir},
		Progress:  s.progress,
	})
	if err != nil {
		return err
	}
	s.cluster = cluster
	return cluster.CreateDatabase(ctx, "omniflow")
}

// KillPostgres crashes the database server.
func (s *Stack) KillPostgres() error { return s.cluster.Kill() }

// StartPostgres starts the database server again and waits for it.
func (s *Stack) StartPostgres(ctx context.Context) error { return s.cluster.Restart(ctx) }

// StartTemporal starts the Temporal server, with the state it had if there was
// one before, and waits until its namespace is served.
func (s *Stack) StartTemporal(ctx context.Context) error {
	c := s.Config
	args := []string{
		"server", "start-dev", "--ip", "127.0.0.1",
		"--port", fmt.Sprint(c.TemporalPort), "--ui-port", fmt.Sprint(c.TemporalUIPort),
		"--namespace", temporalNamespace, "--log-level", "warn",
		"--ui-codec-endpoint", baseURL(c.APIPort) + "/codec",
		"--dynamic-config-value", "matching.enableFairness=true",
	}
	args = append(args, temporalserver.SearchAttributeFlags()...)
	if c.TemporalOnPostgres {
		args = append(args, "--postgres", s.cluster.DSN("postgres"))
	} else {
		args = append(args, "--db-filename", filepath.Join(c.Dir, "temporal.db"))
	}
	p, err := s.launch("temporal", c.Programs.Temporal, args)
	if err != nil {
		return err
	}
	return waitTemporal(ctx, address(c.TemporalPort), temporalNamespace, p)
}

// KillTemporal ends the Temporal server by SIGKILL.
func (s *Stack) KillTemporal() error { return s.kill("temporal") }

// StartSimulator starts the provider simulators and waits for them. Their memory
// is new with every start.
func (s *Stack) StartSimulator(ctx context.Context) error {
	p, err := s.launch("simulator", s.Config.Programs.Simulator, nil)
	if err != nil {
		return err
	}
	return WaitHTTP(ctx, s.SimulatorURL()+"/healthz", p)
}

// KillSimulator ends the simulators by SIGKILL; what they remember is lost.
func (s *Stack) KillSimulator() error { return s.kill("simulator") }

func (s *Stack) migrate(ctx context.Context) error {
	p, err := s.launch("migrate", s.Config.Programs.Starter, []string{"migrate"})
	if err != nil {
		return err
	}
	if err := p.Wait(ctx); err != nil {
		return errors.Join(fmt.Errorf("migrate the database: %w%s", err, logOf(p)), p.Kill())
	}
	return nil
}

// StartAPI starts the api and waits until it is ready.
func (s *Stack) StartAPI(ctx context.Context) error {
	p, err := s.launch("api", s.Config.Programs.API, nil)
	if err != nil {
		return err
	}
	return WaitHTTP(ctx, s.APIURL()+"/readyz", p)
}

// KillAPI ends the api by SIGKILL.
func (s *Stack) KillAPI() error { return s.kill("api") }

// StartWorker starts worker n, from 0 to Config.Workers - 1, and waits until it
// is ready.
func (s *Stack) StartWorker(ctx context.Context, n int) error {
	if n < 0 || n >= len(s.workerPorts) {
		return fmt.Errorf("start worker %d: the stack has %d", n, len(s.workerPorts))
	}
	p, err := s.launch(workerName(n), s.Config.Programs.Worker, nil, "OMNIFLOW_METRICS_LISTEN="+address(s.workerPorts[n]))
	if err != nil {
		return err
	}
	return WaitHTTP(ctx, s.WorkerMetricsURL(n)+"/readyz", p)
}

// KillWorker ends worker n by SIGKILL.
func (s *Stack) KillWorker(n int) error { return s.kill(workerName(n)) }

// workerName is worker, worker-1, worker-2 and so on.
func workerName(n int) string {
	if n == 0 {
		return "worker"
	}
	return fmt.Sprintf("worker-%d", n)
}
