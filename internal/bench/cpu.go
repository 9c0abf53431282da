package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// tick is the unit of /proc/PID/stat on every Linux: a hundredth of a second.
const tick = 10 * time.Millisecond

// usage is the processor time that processes have used so far, by name. It
// does not depend on what else the machine does, as a rate does.
type usage map[string]time.Duration

// usage reads that of every process of the rig, children included; it is empty
// elsewhere than on Linux.
func (r *rig) usage() usage {
	all, err := readProcesses()
	if err != nil {
		return nil
	}
	u := usage{"bench": all[os.Getpid()].used, "sink": all.tree(r.sinkPID), "PostgreSQL": all.tree(r.stack.Postgres().PID())}
	for _, name := range []string{"worker", "worker-1", "worker-2", "api", "temporal", "simulator"} {
		if p := r.stack.Process(name); p != nil && p.Alive() {
			u[name] = all.tree(p.PID())
		}
	}
	return u
}

// since is what was used after an earlier reading.
func (u usage) since(earlier usage) usage {
	out := usage{}
	for name, d := range u {
		out[name] = d - earlier[name]
	}
	return out
}

// per is the usage divided by n, in microseconds, the largest first.
func (u usage) per(n int) string {
	var names, parts []string
	for name, d := range u {
		if d >= 10*tick {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return int(u[b] - u[a]) })
	for _, name := range names {
		parts = append(parts, fmt.Sprintf("%s %.0f", name, float64(u[name].Microseconds())/float64(n)))
	}
	return strings.Join(parts, ", ")
}

// processes are those of the machine, by id.
type processes map[int]process

type process struct {
	parent    int
	used      time.Duration // by itself
	usedEnded time.Duration // by its children that have ended
	rssBytes  int64
}

// tree is what a process and all below it have used.
func (p processes) tree(pid int) time.Duration {
	sum := p[pid].used + p[pid].usedEnded
	for id, child := range p {
		if child.parent == pid && id != pid {
			sum += p.tree(id)
		}
	}
	return sum
}

func readProcesses() (processes, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no processes in /proc: %w", err)
	}
	all := processes{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		var id int
		if _, err := fmt.Sscanf(file, "/proc/%d/stat", &id); err != nil {
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
		all[id] = parseStat(text)
	}
	return all, nil
}

// parseStat reads proc(5): "pid (name) state ppid … utime stime cutime cstime …
// rss"; the name may hold anything.
func parseStat(text []byte) process {
	_, rest, _ := cutLast(text, ") ")
	fields := strings.Fields(string(rest))
	if len(fields) < 22 {
		return process{}
	}
	at := func(i int) (n int64) { _, _ = fmt.Sscan(fields[i], &n); return n }
	return process{
		parent: int(at(1)), used: time.Duration(at(11)+at(12)) * tick, usedEnded: time.Duration(at(13)+at(14)) * tick,
		rssBytes: at(21) * int64(os.Getpagesize()),
	}
}

func cutLast(text []byte, mark string) (before, after []byte, found bool) {
	i := bytes.LastIndex(text, []byte(mark))
	if i < 0 {
		return text, nil, false
	}
	return text[:i], text[i+len(mark):], true
}
