package localstack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"
)

// stopBudget is how long a process may take to end before it is killed.
const stopBudget = 15 * time.Second

// Supervisor starts children and keeps their pid files in one folder.
type Supervisor struct {
	runDir string
}

// NewSupervisor keeps pid files in runDir, which is made when first needed.
func NewSupervisor(runDir string) *Supervisor { return &Supervisor{runDir: runDir} }

// Start starts c. The error is one line when a process of that name and folder
// still runs, also one that another process started.
func (s *Supervisor) Start(c Command) (*Process, error) {
	if r, err := readRecord(s.runDir, c.Name); err == nil && r.running() {
		return nil, fmt.Errorf("%s runs already as process %d", c.Name, r.pid)
	}
	return start(c, s.runDir)
}

// StopAll stops what this supervisor's folder has pid files of; see [StopAll].
func (s *Supervisor) StopAll(ctx context.Context) ([]string, error) {
	return StopAll(ctx, s.runDir)
}

// StopAll stops every process that has a pid file in runDir, the last started
// first, and removes the files. Each gets its stop signal and after 15 s
// SIGKILL. A pid that belongs to another program by now is never signalled. It
// gives the names of those that ran.
func StopAll(ctx context.Context, runDir string) ([]string, error) {
	return stopAll(ctx, runDir, func(string) int { return 0 })
}

// spared is the rank of what stopAll leaves alone.
const spared = -1

// stopAll is StopAll with an order: low ranks before high ones, within a rank
// the last started first.
func stopAll(ctx context.Context, runDir string, rank func(name string) int) ([]string, error) {
	found, err := records(runDir)
	slices.SortStableFunc(found, func(a, b record) int { return cmp.Compare(rank(a.name), rank(b.name)) })
	faults := []error{err}
	var stopped []string
	for _, r := range found {
		if rank(r.name) == spared {
			continue
		}
		if r.running() {
			stopped = append(stopped, r.name)
			faults = append(faults, stopRecord(ctx, r, stopBudget))
		}
		faults = append(faults, r.remove(runDir))
	}
	return stopped, errors.Join(faults...)
}

// Running gives the names of the processes in runDir that are alive, the last
// started first.
func Running(runDir string) ([]string, error) {
	found, err := records(runDir)
	var names []string
	for _, r := range found {
		if r.running() {
			names = append(names, r.name)
		}
	}
	return names, err
}

// stopRecord signals the process and kills it, with all it started, when it is
// still there after the budget or when ctx ends. Children that it leaves behind
// are killed too.
func stopRecord(ctx context.Context, r record, budget time.Duration) error {
	children := tree(r)[1:]
	if err := signal(r.pid, r.signal); err != nil {
		return fmt.Errorf("stop %s: %w", r.name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	if !gone(ctx, r.running) {
		return killTree(r)
	}
	return killAll(children)
}

// killTree ends the process and its descendants with SIGKILL and waits until
// all are gone. Descendants are looked up because some, like the backends of
// PostgreSQL, lead process groups of their own.
func killTree(r record) error {
	// A stopped parent can start nothing between the look-up and the kill.
	if err := signal(r.pid, syscall.SIGSTOP); err != nil {
		return fmt.Errorf("kill %s: %w", r.name, err)
	}
	victims := tree(r)
	// The group first: it holds what was started but is nobody's child any more.
	// macOS answers EPERM for a group of zombies; what counts is who survives.
	_ = signal(-r.pid, syscall.SIGKILL)
	return killAll(victims)
}

// tree gives the process and its descendants.
func tree(r record) []record {
	table := processTable()
	family := []record{r}
	for _, pid := range descendants(table, r.pid) {
		family = append(family, record{name: r.name, pid: pid, token: table[pid].start})
	}
	return family
}

// killAll sends SIGKILL to those that still run and waits until all are gone.
func killAll(victims []record) error {
	var faults []error
	for _, v := range victims {
		if v.running() {
			faults = append(faults, signal(v.pid, syscall.SIGKILL))
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopBudget)
	defer cancel()
	if !gone(ctx, func() bool { return slices.ContainsFunc(victims, record.running) }) {
		return fmt.Errorf("kill %s: it still runs after %s: %w", victims[0].name, stopBudget, errors.Join(faults...))
	}
	return nil
}

// signal sends sig; that the process is gone already is no error.
func signal(pid int, sig syscall.Signal) error {
	err := syscall.Kill(pid, sig)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// gone looks every 10 ms whether running has turned false, until ctx ends.
func gone(ctx context.Context, running func() bool) bool {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for running() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return !running()
		}
	}
	return true
}
