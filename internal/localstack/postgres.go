package localstack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"

	"github.com/jackc/pgx/v5"
)

// databaseUser owns every private cluster. It is a superuser without password:
// only programs of this machine reach 127.0.0.1.
const databaseUser = "omniflow"

// ClusterOptions says where and how to start a private PostgreSQL.
type ClusterOptions struct {
	Dir       string            // holds the data and, unless LogFile is set, the log; made if missing
	Port      int               // on 127.0.0.1; 0 picks a free one
	Settings  map[string]string // of postgresql.conf, over the defaults of this package
	Ephemeral bool              // Stop removes Dir; so does a guard when this process dies
	LogFile   string            // of the server; "" is postgres.log in Dir
	RunDir    string            // of the pid file; "" is run in Dir
	remove    []string          // what else to remove with an ephemeral cluster whose process died
	Progress  io.Writer         // lines for a person, for instance of an installation; nil drops them
}

// Cluster is a running private PostgreSQL server. It has no Unix socket, so its
// folder's name may be of any length. One goroutine at a time may call its methods.
type Cluster struct {
	Dir  string // absolute, without symbolic links
	Data string // the data folder; below Dir unless the server's account cannot go there
	Port int

	options  ClusterOptions
	account  account
	programs binaries
	process  *Process
	guard    *guard
}

// StartCluster starts a PostgreSQL server on the cluster in o.Dir, which it
// makes first if there is none: user omniflow, encoding UTF8, no locale, every
// connection trusted. It returns when the server accepts connections, after 60 s
// or when ctx ends, with the last lines of the log in the error.
//
// Programs are looked for in PATH, by pg_config, in /usr/lib/postgresql and at
// Homebrew; if there are none, apt-get installs them where it may. As root the
// server runs as postgres or nobody.
//
// Commits survive the death of the server, also by SIGKILL, but not that of the
// machine: fsync is off.
func StartCluster(ctx context.Context, o ClusterOptions) (*Cluster, error) {
	c, err := newCluster(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	if c.options.Ephemeral {
		c.guard, err = startGuard(c.options.RunDir, append(c.options.remove, c.Dir, c.Data)...)
		if err != nil {
			return nil, errors.Join(err, c.remove())
		}
	}
	if err := c.init(ctx); err != nil {
		return nil, errors.Join(err, c.Stop(context.WithoutCancel(ctx)))
	}
	if err := c.launch(ctx); err != nil {
		return nil, errors.Join(err, c.Stop(context.WithoutCancel(ctx)))
	}
	return c, nil
}

// newCluster settles account, folder and programs; nothing runs yet.
func newCluster(ctx context.Context, o ClusterOptions) (*Cluster, error) {
	dir, err := realFolder(o.Dir)
	if err != nil {
		return nil, err
	}
	o.Dir = dir
	if o.LogFile == "" {
		o.LogFile = filepath.Join(dir, "postgres.log")
	}
	if o.RunDir == "" {
		o.RunDir = filepath.Join(dir, "run")
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	c := &Cluster{Dir: dir, Port: o.Port, options: o}
	if c.account, err = serverAccount(os.Geteuid(), user.Lookup); err != nil {
		return nil, err
	}
	if c.Data, err = c.account.dataFolder(dir); err != nil {
		return nil, err
	}
	c.programs, err = findOrInstall(ctx, dataVersion(c.Data), o.Progress)
	return c, err
}

// realFolder makes the folder if it is missing and gives its absolute path
// without symbolic links: the server's own word for it.
func realFolder(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(dir)
}

func findOrInstall(ctx context.Context, want int, progress io.Writer) (binaries, error) {
	f := systemFinder(os.Getenv("PATH"))
	found, err := f.find(ctx, want)
	if !errors.Is(err, errNoPostgres) {
		return found, err
	}
	i := installer{root: os.Geteuid() == 0, progress: progress, run: output}
	if err := i.install(ctx); err != nil {
		return binaries{}, err
	}
	return f.find(ctx, want)
}

// DSN gives the connection string of a database of this cluster.
func (c *Cluster) DSN(database string) string {
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s?sslmode=disable", databaseUser, c.Port, database)
}

// PID is the process id of the server's main process.
func (c *Cluster) PID() int { return c.process.PID() }

// CreateDatabase makes an empty database unless there is one of that name.
func (c *Cluster) CreateDatabase(ctx context.Context, name string) error {
	conn, err := pgx.Connect(ctx, c.DSN("postgres"))
	if err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var exists bool
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&exists)
	if err == nil && !exists {
		_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	}
	if err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	return nil
}

// Kill ends the server and its backends with SIGKILL, like a crash: no
// checkpoint, a stale postmaster.pid. Restart goes on from there.
func (c *Cluster) Kill() error {
	if c.process == nil {
		return nil
	}
	return c.process.Kill()
}

// Restart stops the server if it runs and starts it on the same data and port.
func (c *Cluster) Restart(ctx context.Context) error {
	if err := c.halt(ctx); err != nil {
		return err
	}
	return c.launch(ctx)
}

// Stop ends the server by PostgreSQL's fast shutdown, which cuts connections
// off, and kills it after 15 s. An ephemeral cluster's folders are removed.
func (c *Cluster) Stop(ctx context.Context) error {
	err := c.halt(ctx)
	if !c.options.Ephemeral {
		return err
	}
	err = errors.Join(err, c.remove(), c.guard.dismiss())
	c.guard = nil
	return err
}

func (c *Cluster) halt(ctx context.Context) error {
	if c.process == nil {
		return nil
	}
	return c.process.Stop(ctx, stopBudget)
}

func (c *Cluster) remove() error {
	return errors.Join(os.RemoveAll(c.Dir), os.RemoveAll(c.Data))
}
