package localstack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// record is one pid file. Its lines are, in this order: pid, stop signal by
// number, time of the start in Unix nanoseconds, and the kernel's start time,
// which tells a process from a later one with the same pid. The guard's shell
// script reads the first two.
type record struct {
	name    string
	pid     int
	signal  syscall.Signal
	started time.Time
	token   string
}

// newRecord describes a process that was started just now.
func newRecord(name string, pid int, stop syscall.Signal) record {
	r := record{name: name, pid: pid, signal: stop, started: time.Now(), token: "ended"}
	if info, ok := processInfo(pid); ok {
		r.token = info.start
	}
	return r
}

const pidSuffix = ".pid"

// running reports whether the very process of the record still runs.
func (r record) running() bool {
	info, ok := processInfo(r.pid)
	return ok && info.start == r.token
}

func (r record) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("create the folder of pid files: %w", err)
	}
	text := fmt.Sprintf("%d\n%d\n%d\n%s\n", r.pid, r.signal, r.started.UnixNano(), r.token)
	path := filepath.Join(dir, r.name+pidSuffix)
	if err := writeFile(path, []byte(text), 0o644); err != nil {
		return fmt.Errorf("write pid file of %s: %w", r.name, err)
	}
	return nil
}

// remove deletes the record's pid file unless it names another process by now.
func (r record) remove(dir string) error {
	now, err := readRecord(dir, r.name)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && now.token != r.token) {
		return nil
	}
	err = os.Remove(filepath.Join(dir, r.name+pidSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // whoever else saw the process end was faster
	}
	return err
}

func readRecord(dir, name string) (record, error) {
	raw, err := os.ReadFile(filepath.Join(dir, name+pidSuffix))
	if err != nil {
		return record{}, fmt.Errorf("read pid file of %s: %w", name, err)
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	if len(lines) != 4 {
		return record{}, fmt.Errorf("pid file of %s has %d lines, not 4", name, len(lines))
	}
	pid, errPID := strconv.Atoi(lines[0])
	signal, errSignal := strconv.Atoi(lines[1])
	nanos, errTime := strconv.ParseInt(lines[2], 10, 64)
	if err := errors.Join(errPID, errSignal, errTime); err != nil {
		return record{}, fmt.Errorf("read pid file of %s: %w", name, err)
	}
	if pid <= 1 {
		return record{}, fmt.Errorf("pid file of %s names process %d", name, pid)
	}
	return record{name, pid, syscall.Signal(signal), time.Unix(0, nanos), lines[3]}, nil
}

// records reads every pid file in dir, the latest start first. A file that
// cannot be read is left out and reported in the error.
func records(dir string) ([]record, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*"+pidSuffix))
	if err != nil {
		return nil, err
	}
	var found []record
	var faults []error
	for _, path := range paths {
		r, err := readRecord(dir, strings.TrimSuffix(filepath.Base(path), pidSuffix))
		if errors.Is(err, fs.ErrNotExist) {
			continue // its process ended meanwhile
		}
		if err != nil {
			faults = append(faults, err)
			continue
		}
		found = append(found, r)
	}
	slices.SortFunc(found, func(a, b record) int { return b.started.Compare(a.started) })
	return found, errors.Join(faults...)
}

// writeFile replaces path in one step, so that no reader sees half of it.
func writeFile(path string, content []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already when all went well
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(mode), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
