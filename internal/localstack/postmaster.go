package localstack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// defaultSettings make a server that is quick and loses no commit when any
// process dies: the kernel keeps what was written, fsync or not. synchronous_commit
// stays on, or commits would wait in the server's own memory.
func defaultSettings() map[string]string {
	return map[string]string{
		"fsync":              "off",
		"full_page_writes":   "off", // a torn page needs the machine to die
		"synchronous_commit": "on",
		"max_connections":    "300",
		"shared_buffers":     "256MB",
		"max_wal_size":       "4GB",
		"timezone":           "UTC",
		"log_timezone":       "UTC",
		"log_line_prefix":    "%m [%p] %d ",
	}
}

// init makes the cluster if there is none. It is made aside and renamed, so that
// an initdb which was killed half-way leaves nothing that looks complete.
func (c *Cluster) init(ctx context.Context) error {
	if dataVersion(c.Data) != 0 {
		return nil
	}
	fresh := c.Data + ".new"
	if err := errors.Join(os.RemoveAll(fresh), os.Mkdir(fresh, 0o700), c.account.own(fresh)); err != nil {
		return fmt.Errorf("make the data folder of PostgreSQL: %w", err)
	}
	cmd := exec.CommandContext(ctx, c.programs.initdb(), "-D", fresh, "-U", databaseUser,
		"-A", "trust", "--no-locale", "-E", "UTF8", "--no-sync", "--no-instructions")
	cmd.Dir = "/" // ours may be closed to the account
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: c.account.credential()}
	if out, err := cmd.CombinedOutput(); err != nil {
		return errors.Join(fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(out)), os.RemoveAll(fresh))
	}
	if err := errors.Join(os.RemoveAll(c.Data), os.Rename(fresh, c.Data)); err != nil {
		return fmt.Errorf("put the data folder of PostgreSQL in place: %w", err)
	}
	return nil
}

// dataVersion reads the major version of a data folder; 0 is no cluster.
func dataVersion(data string) int {
	raw, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if err != nil {
		return 0
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil {
		return 0
	}
	return major
}

// launch starts the server and waits for it. It tries again while backends of a
// killed server still hold its memory, and with another port when a free one
// was taken in the meantime.
func (c *Cluster) launch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startBudget)
	defer cancel()
	for {
		if err := c.dropStalePID(); err != nil {
			return err
		}
		err := c.launchOnce(ctx)
		if err == nil {
			return nil
		}
		log := c.process.lastLines(50)
		taken := c.options.Port == 0 && strings.Contains(log, "could not bind")
		held := strings.Contains(log, "pre-existing shared memory block")
		if ctx.Err() != nil || (!taken && !held) {
			return fmt.Errorf("start PostgreSQL: %w", err)
		}
		if taken {
			c.Port = 0
		}
	}
}

func (c *Cluster) launchOnce(ctx context.Context) error {
	if c.Port == 0 {
		port, err := FreePort()
		if err != nil {
			return err
		}
		c.Port = port
	}
	var err error
	c.process, err = NewSupervisor(c.options.RunDir).Start(Command{
		Name:       "postgres",
		Path:       c.programs.postgres(),
		Args:       c.arguments(),
		Env:        append(os.Environ(), "LC_ALL=C"),
		Dir:        "/",
		LogFile:    c.options.LogFile,
		StopSignal: syscall.SIGINT, // fast shutdown; SIGTERM would wait for clients
		Credential: c.account.credential(),
	})
	if err != nil {
		return err
	}
	err = waitFor(ctx, fmt.Sprintf("PostgreSQL on port %d", c.Port), c.process, c.accepts)
	if err != nil {
		return errors.Join(err, c.process.Kill())
	}
	return nil
}

// arguments sets everything on the command line: nothing in the data folder
// needs an edit, and a restart takes new settings.
func (c *Cluster) arguments() []string {
	settings := defaultSettings()
	maps.Copy(settings, c.options.Settings)
	settings["listen_addresses"] = "127.0.0.1"
	settings["port"] = strconv.Itoa(c.Port)
	settings["unix_socket_directories"] = "" // its path may be 100 bytes at most
	args := []string{"-D", c.Data}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		args = append(args, "-c", name+"="+settings[name])
	}
	return args
}

// accepts reports whether this very server takes connections; another one may
// answer on its port.
func (c *Cluster) accepts(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.DSN("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var data string
	if err := conn.QueryRow(ctx, "SHOW data_directory").Scan(&data); err != nil {
		return err
	}
	if data != c.Data {
		return fmt.Errorf("port %d belongs to another PostgreSQL, of %s", c.Port, data)
	}
	return nil
}

// dropStalePID removes the postmaster.pid that a killed server has left. The
// server does that by itself, but not when its pid belongs to another process
// of the same account by now.
func (c *Cluster) dropStalePID() error {
	path := filepath.Join(c.Data, "postmaster.pid")
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err == nil && strings.Contains(commandLine(pid), c.Data) {
		return fmt.Errorf("PostgreSQL runs already on %s as process %d", c.Data, pid)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove a stale pid file: %w", err)
	}
	return nil
}

// commandLine gives program and arguments of a process; "" if there is none.
func commandLine(pid int) string {
	if hasProc() {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err != nil {
			return ""
		}
		return string(bytes.ReplaceAll(raw, []byte{0}, []byte{' '}))
	}
	out, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return ""
	}
	return string(out)
}
