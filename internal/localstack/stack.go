package localstack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Stack is a running local stack. Its methods may be called from several
// goroutines, but Postgres's only from one at a time.
type Stack struct {
	Config Config // with the ports that were picked

	workerPorts []int // of metrics, by worker
	progress    io.Writer
	supervisor  *Supervisor
	env         []string // what our programs get over the inherited environment
	cluster     *Cluster

	mu        sync.Mutex
	processes map[string]*Process // the latest of each name
}

// Up starts PostgreSQL, Temporal, the simulators, migrates the database, and
// starts api and workers; each is waited for until it answers. Lines for a
// person go to progress. The processes outlive this one unless c.Ephemeral.
//
// Errors: one line for every port that is taken; that the stack runs already;
// or what failed, with the last lines of its log. Then everything that Up had
// started is stopped again, also when ctx ends.
func Up(ctx context.Context, c Config, progress io.Writer) (*Stack, error) {
	dir, err := realFolder(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("start the local stack: %w", err)
	}
	c.Dir = dir
	names, err := Running(filepath.Join(dir, "run"))
	if err != nil {
		return nil, err
	}
	if len(names) > 0 {
		return nil, fmt.Errorf("the local stack runs already (%s): run `make down` first", strings.Join(names, ", "))
	}
	s := &Stack{Config: c, progress: progress, supervisor: NewSupervisor(filepath.Join(dir, "run")), processes: make(map[string]*Process)}
	if s.workerPorts, err = s.Config.settle(); err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Down(context.WithoutCancel(ctx)))
	}
	return s, nil
}

func (s *Stack) start(ctx context.Context) error {
	secrets, err := keys(s.Config.Dir)
	if err != nil {
		return err
	}
	s.env = append(s.environment(), secrets...)
	steps := []struct {
		name  string
		start func(context.Context) error
	}{
		{"PostgreSQL", s.startCluster},
		{"Temporal", s.StartTemporal},
		{"simulator", s.StartSimulator},
		{"migrations", s.migrate},
		{"api", s.StartAPI},
	}
	for _, step := range steps {
		if err := s.step(ctx, step.name, step.start); err != nil {
			return err
		}
	}
	for n := range s.Config.Workers {
		start := func(ctx context.Context) error { return s.StartWorker(ctx, n) }
		if err := s.step(ctx, workerName(n), start); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stack) step(ctx context.Context, name string, start func(context.Context) error) error {
	began := time.Now()
	if err := start(ctx); err != nil {
		return err
	}
	fmt.Fprintf(s.progress, "%-11s ready after %.1f s\n", name, time.Since(began).Seconds())
	return nil
}

// Down stops everything, workers first and PostgreSQL last, each in order or
// after 15 s by SIGKILL. An ephemeral stack's folder is removed.
func (s *Stack) Down(ctx context.Context) error {
	_, err := stopInOrder(ctx, filepath.Join(s.Config.Dir, "run"), s.Config.Ephemeral)
	if !s.Config.Ephemeral {
		return err
	}
	if s.cluster != nil {
		err = errors.Join(err, s.cluster.Stop(ctx))
	}
	return errors.Join(err, os.RemoveAll(s.Config.Dir))
}

// Down stops the stack in dir from whatever process: it goes by the pid files.
// It tells on progress what it stopped; that nothing ran is no error.
func Down(ctx context.Context, dir string, progress io.Writer) error {
	stopped, err := stopInOrder(ctx, filepath.Join(dir, "run"), false)
	for _, name := range stopped {
		fmt.Fprintln(progress, "stopped", name)
	}
	return err
}

// Remove stops the stack in dir and removes all it has written, the database
// too where that lies elsewhere (see [Cluster]).
func Remove(ctx context.Context, dir string, progress io.Writer) error {
	if err := Down(ctx, dir, progress); err != nil {
		return err
	}
	data, err := os.Readlink(filepath.Join(dir, "postgres", "data"))
	if err == nil {
		err = os.RemoveAll(data)
	} else {
		err = nil // no link: the data is in dir, if there is any
	}
	return errors.Join(err, os.RemoveAll(dir))
}

// stopInOrder stops the processes in runDir, those first that need the others.
func stopInOrder(ctx context.Context, runDir string, sparePostgres bool) ([]string, error) {
	return stopAll(ctx, runDir, func(name string) int {
		switch {
		case strings.HasPrefix(name, "worker"):
			return 0
		case name == "postgres" && sparePostgres:
			return spared
		case name == "postgres":
			return 3
		case name == "temporal":
			return 2
		default:
			return 1
		}
	})
}
