package localstack

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// procInfo is what the kernel knows of a running process.
type procInfo struct {
	parent int
	start  string // differs between two processes that had the same pid
}

// processTable lists the running processes by pid, zombies left out: a dead
// child that nobody has reaped yet is gone for our purposes.
func processTable() map[int]procInfo {
	if hasProc() {
		return procTable("/proc")
	}
	table, err := psTable()
	if err != nil {
		return nil // then no process of ours is found, and none signalled
	}
	return table
}

// psTable asks ps, in the one form that macOS, the BSDs and Linux share.
func psTable() (map[int]procInfo, error) {
	cmd := exec.Command("ps", "-axo", "pid=,ppid=,stat=,lstart=")
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC") // pid files keep lstart
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	return parsePS(string(out)), nil
}

// processInfo looks one process up; not ok is a dead one or a zombie.
func processInfo(pid int) (procInfo, bool) {
	if raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat"); err == nil {
		return parseStat(string(raw), bootID("/proc"))
	}
	if hasProc() {
		return procInfo{}, false
	}
	info, ok := processTable()[pid]
	return info, ok
}

// hasProc tells Linux from systems where only ps knows the processes.
func hasProc() bool {
	_, err := os.Stat("/proc/self/stat")
	return err == nil
}

// bootID differs from one start of the machine to the next.
func bootID(root string) string {
	id, err := os.ReadFile(filepath.Join(root, "sys/kernel/random/boot_id"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}

// procTable reads the process table of Linux below root, which is /proc.
func procTable(root string) map[int]procInfo {
	stats, _ := filepath.Glob(filepath.Join(root, "[0-9]*", "stat"))
	boot := bootID(root)
	table := make(map[int]procInfo, len(stats))
	for _, path := range stats {
		raw, err := os.ReadFile(path)
		if err != nil {
			continue // it ended meanwhile
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			continue
		}
		if info, ok := parseStat(string(raw), boot); ok {
			table[pid] = info
		}
	}
	return table
}

// parseStat reads a line of /proc/<pid>/stat. The command name stands in
// brackets and may hold anything, brackets and blanks too.
func parseStat(line, boot string) (procInfo, bool) {
	_, rest, ok := cutLast(line, ')')
	fields := strings.Fields(rest)
	if !ok || len(fields) < 20 || dead(fields[0]) {
		return procInfo{}, false
	}
	parent, err := strconv.Atoi(fields[1])
	// Field 22 of the line, in clock ticks since the machine started.
	return procInfo{parent: parent, start: boot + "/" + fields[19]}, err == nil
}

// parsePS reads lines of pid, parent, state and start time.
func parsePS(out string) map[int]procInfo {
	table := make(map[int]procInfo)
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if len(fields) < 4 || dead(fields[2]) {
			continue
		}
		pid, err := strconv.Atoi(fields[0])
		parent, errParent := strconv.Atoi(fields[1])
		if err == nil && errParent == nil {
			table[pid] = procInfo{parent: parent, start: strings.Join(fields[3:], " ")}
		}
	}
	return table
}

func dead(state string) bool { return state[0] == 'Z' || state[0] == 'X' }

func cutLast(s string, sep byte) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// descendants gives pid's children and theirs, pid itself left out.
func descendants(table map[int]procInfo, pid int) []int {
	var found []int
	queue := []int{pid}
	for len(queue) > 0 {
		parent := queue[0]
		queue = queue[1:]
		for child, info := range table {
			if info.parent == parent {
				found = append(found, child)
				queue = append(queue, child)
			}
		}
	}
	return found
}
