package localstack

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// Config says where a Stack lives and on which ports of 127.0.0.1. Port 0 picks
// a free one; Up writes it into the Stack's Config.
type Config struct {
	Dir      string   // everything the stack writes; default .local
	Programs Programs // as Build gives them

	APIPort        int // OMNIFLOW_API_PORT, default 8080
	TemporalPort   int // OMNIFLOW_TEMPORAL_PORT, default 7233
	TemporalUIPort int // OMNIFLOW_TEMPORAL_UI_PORT, default 8233
	SimulatorPort  int // OMNIFLOW_SIMULATOR_PORT, default 9090
	APIMetricsPort int // OMNIFLOW_API_METRICS_PORT, default 9464
	PostgresPort   int // OMNIFLOW_POSTGRES_PORT, default 54329
	// WorkerMetricsPort is worker 0's; worker n has the nth port after it, or if
	// it is 0 each a free one. OMNIFLOW_WORKER_METRICS_PORT, default 9465.
	WorkerMetricsPort int

	Workers            int  // OMNIFLOW_WORKERS, default 1
	TemporalOnPostgres bool // OMNIFLOW_TEMPORAL_ON_POSTGRES, default false: a SQLite file in Dir

	Env              []string          // KEY=value, added to the environment of api and worker
	PostgresSettings map[string]string // of postgresql.conf, over the defaults
	Ephemeral        bool              // Down, or the death of this process, stops everything and removes Dir
}

// port is one port with the name and the variable that a person knows it by.
type port struct {
	value  *int
	name   string
	envVar string
	usual  int
}

func (c *Config) ports() []port {
	return []port{
		{&c.APIPort, "api", "OMNIFLOW_API_PORT", 8080},
		{&c.TemporalPort, "Temporal", "OMNIFLOW_TEMPORAL_PORT", 7233},
		{&c.TemporalUIPort, "Temporal UI", "OMNIFLOW_TEMPORAL_UI_PORT", 8233},
		{&c.SimulatorPort, "simulator", "OMNIFLOW_SIMULATOR_PORT", 9090},
		{&c.APIMetricsPort, "api metrics", "OMNIFLOW_API_METRICS_PORT", 9464},
		{&c.WorkerMetricsPort, "worker metrics", "OMNIFLOW_WORKER_METRICS_PORT", 9465},
		{&c.PostgresPort, "PostgreSQL", "OMNIFLOW_POSTGRES_PORT", 54329},
	}
}

// FromEnv reads the ports and switches above; an empty variable is an unset
// one. The error has one line for every fault.
func FromEnv(getenv func(string) string) (Config, error) {
	c := Config{Dir: ".local"}
	var faults []error
	seen := make(map[int]string)
	for _, p := range c.ports() {
		value, err := number(getenv, p.envVar, p.usual, 65535)
		faults = append(faults, err)
		*p.value = value
		if other, ok := seen[value]; ok && err == nil {
			faults = append(faults, fmt.Errorf("%s: port %d is %s already", p.envVar, value, other))
		}
		seen[value] = p.envVar
	}
	var err error
	c.Workers, err = number(getenv, "OMNIFLOW_WORKERS", 1, 64)
	faults = append(faults, err)
	switch text := getenv("OMNIFLOW_TEMPORAL_ON_POSTGRES"); text {
	case "", "0", "false":
	case "1", "true":
		c.TemporalOnPostgres = true
	default:
		faults = append(faults, fmt.Errorf("OMNIFLOW_TEMPORAL_ON_POSTGRES: %q is neither true nor false", text))
	}
	if err := errors.Join(faults...); err != nil {
		return Config{}, err
	}
	return c, nil
}

func number(getenv func(string) string, name string, usual, highest int) (int, error) {
	text := getenv(name)
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > highest {
		return 0, fmt.Errorf("%s: %q is not a number from 1 to %d", name, text, highest)
	}
	return n, nil
}

// settle checks the given ports, all at once, and picks the others; it gives
// the metrics port of every worker.
func (c *Config) settle() ([]int, error) {
	c.Workers = max(c.Workers, 1)
	var faults []error
	var used []int
	for _, p := range c.ports() {
		if *p.value != 0 {
			faults = append(faults, CheckPort(p.name, *p.value, p.envVar))
			used = append(used, *p.value)
		}
	}
	given := c.WorkerMetricsPort
	for _, p := range c.ports() {
		if *p.value == 0 {
			faults = append(faults, pick(p.value, &used))
		}
	}
	workers := []int{c.WorkerMetricsPort}
	for n := 1; n < c.Workers; n++ {
		next := given + n
		if given == 0 {
			next = 0
			faults = append(faults, pick(&next, &used))
		} else {
			faults = append(faults, CheckPort(fmt.Sprintf("metrics of worker %d", n), next, "OMNIFLOW_WORKER_METRICS_PORT"))
		}
		workers = append(workers, next)
	}
	return workers, errors.Join(faults...)
}

// pick sets target to a free port that is not in used yet.
func pick(target *int, used *[]int) error {
	for {
		free, err := FreePort()
		if err != nil {
			return err
		}
		if !slices.Contains(*used, free) {
			*target, *used = free, append(*used, free)
			return nil
		}
	}
}
