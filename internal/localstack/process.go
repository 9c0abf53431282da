package localstack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Command says what to start.
type Command struct {
	Name    string   // names the pid file; one word
	Path    string   // the program
	Args    []string // without the program's name
	Env     []string // KEY=value, the whole environment; nil gives ours
	Dir     string   // working folder; "" is ours
	LogFile string   // standard output and error are appended here

	StopSignal syscall.Signal      // asks for an orderly end; 0 is SIGTERM
	Credential *syscall.Credential // runs it as another account; nil is ours
}

// Process is a child that runs in a process group of its own, so that Ctrl-C in
// a terminal does not reach it and a kill reaches all of it. Its methods may be
// called from several goroutines.
type Process struct {
	Name    string // as in the Command
	LogFile string // as in the Command

	record record
	runDir string
	logged int64         // size of the log file before this start
	done   chan struct{} // closed when it ended
	err    error         // how it ended; read after done
}

// start runs c and leaves a pid file in runDir, if runDir is not empty.
func start(c Command, runDir string) (*Process, error) {
	if c.StopSignal == 0 {
		c.StopSignal = syscall.SIGTERM
	}
	log, size, err := openLog(c.LogFile)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	defer log.Close()
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Env, cmd.Dir = c.Env, c.Dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: c.Credential}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	p := &Process{Name: c.Name, LogFile: c.LogFile, runDir: runDir, logged: size, done: make(chan struct{})}
	p.record = newRecord(c.Name, cmd.Process.Pid, c.StopSignal)
	if runDir != "" {
		if err := p.record.write(runDir); err != nil {
			return nil, errors.Join(err, cmd.Process.Kill(), cmd.Wait())
		}
	}
	go p.reap(cmd)
	return p, nil
}

func (p *Process) reap(cmd *exec.Cmd) {
	p.err = cmd.Wait()
	if p.runDir != "" {
		p.err = errors.Join(p.err, p.record.remove(p.runDir))
	}
	close(p.done)
}

func openLog(path string) (*os.File, int64, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, 0, fmt.Errorf("create log folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, 0, fmt.Errorf("open log: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("open log: %w", err), f.Close())
	}
	return f, info.Size(), nil
}

// PID is the process id; it may belong to another process once Done is closed.
func (p *Process) PID() int { return p.record.pid }

// Done is closed when the process has ended and was reaped.
func (p *Process) Done() <-chan struct{} { return p.done }

// Alive reports whether the process still runs.
func (p *Process) Alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Wait waits for the end of the process and gives its *exec.ExitError, nil
// after exit code 0, or ctx.Err() when ctx ends first.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Kill ends the process and all it started at once, with SIGKILL, and returns
// when all of them are gone. Killing an ended process does nothing.
func (p *Process) Kill() error {
	if !p.Alive() {
		return nil
	}
	if err := killTree(p.record); err != nil {
		return err
	}
	<-p.done
	return nil
}

// Stop asks the process to end and kills it after the budget or when ctx ends.
// How it ended is Wait's to tell.
func (p *Process) Stop(ctx context.Context, budget time.Duration) error {
	if !p.Alive() {
		return nil
	}
	if err := stopRecord(ctx, p.record, budget); err != nil {
		return err
	}
	<-p.done
	return nil
}

// lastLines gives the end of what this run of the process has logged: at most
// n lines out of the last 16 KiB.
func (p *Process) lastLines(n int) string {
	if p == nil {
		return ""
	}
	f, err := os.Open(p.LogFile)
	if err != nil {
		return ""
	}
	defer f.Close()
	from := p.logged
	if info, err := f.Stat(); err == nil {
		from = max(from, info.Size()-16<<10)
	}
	raw, err := io.ReadAll(io.NewSectionReader(f, from, 16<<10))
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
