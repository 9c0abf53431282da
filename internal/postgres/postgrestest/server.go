package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"omniflow/internal/localstack"
)

// urlVariable names a server that others have started.
const urlVariable = "OMNIFLOW_TEST_DATABASE_URL"

// server is the PostgreSQL server of this process, started when first needed.
type server struct {
	mu        sync.Mutex
	up        bool
	admin     *url.URL            // of a database that is always there
	pool      *pgxpool.Pool       // on admin
	claim     *pgxpool.Conn       // holds the lock on prefix while we live
	prefix    string              // of the names of all our databases
	cluster   *localstack.Cluster // nil when the server was given
	folder    *folder             // of the cluster
	templates map[string]*template
	made      int // databases so far
}

// start connects to the server, or starts one, unless that was done. A fault is
// not kept: the next test tries again. The caller holds the mutex.
func (s *server) start(ctx context.Context) error {
	if s.up {
		return nil
	}
	address := os.Getenv(urlVariable)
	if address == "" {
		if err := s.startCluster(ctx); err != nil {
			return err
		}
		address = s.cluster.DSN("postgres")
	}
	if err := s.connect(ctx, address); err != nil {
		return errors.Join(err, s.stop(ctx))
	}
	s.templates = make(map[string]*template)
	s.up = true
	return nil
}

func (s *server) startCluster(ctx context.Context) error {
	if err := sweep(ctx, os.TempDir()); err != nil {
		return fmt.Errorf("remove servers of dead test processes: %w", err)
	}
	f, err := newFolder(os.TempDir())
	if err != nil {
		return err
	}
	s.cluster, err = localstack.StartCluster(ctx, localstack.ClusterOptions{Dir: f.dir, Ephemeral: true, Progress: os.Stderr})
	if err != nil {
		return errors.Join(err, f.release())
	}
	s.folder = f
	return nil
}

func (s *server) connect(ctx context.Context, address string) error {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return fmt.Errorf("%s is not a postgres:// URL", urlVariable)
	}
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return fmt.Errorf("read %s: %w", urlVariable, err)
	}
	config.MaxConns = 4 // one is the claim's
	s.admin = u
	if s.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return fmt.Errorf("connect to the test server: %w", err)
	}
	if s.prefix, s.claim, err = claimPrefix(ctx, s.pool); err != nil {
		return err
	}
	return dropOrphans(ctx, s.pool)
}

// close removes everything that this process has put on the server, and the
// server if it is ours.
func (s *server) close(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.up {
		return nil
	}
	s.up = false
	var faults []error
	for _, t := range s.templates {
		if t.name != "" {
			faults = append(faults, dropDatabase(ctx, s.pool, t.name))
		}
	}
	return errors.Join(append(faults, s.stop(ctx))...)
}

func (s *server) stop(ctx context.Context) error {
	if s.claim != nil {
		s.claim.Release()
	}
	if s.pool != nil {
		s.pool.Close()
	}
	var err error
	if s.cluster != nil {
		err = errors.Join(s.cluster.Stop(ctx), s.folder.release())
	}
	s.claim, s.pool, s.cluster, s.folder = nil, nil, nil, nil
	return err
}

// dsn gives the connection string of a database on this server.
func (s *server) dsn(database string) string {
	u := *s.admin
	u.Path = "/" + database
	return u.String()
}

// name makes a name that no other database of the server has.
func (s *server) name() string {
	s.made++
	return fmt.Sprintf("%s_%d", s.prefix, s.made)
}

func (s *server) drop(ctx context.Context, database string) error {
	return dropDatabase(ctx, s.pool, database)
}

func dropDatabase(ctx context.Context, pool *pgxpool.Pool, name string) error {
	quoted := pgx.Identifier{name}.Sanitize()
	_, err := pool.Exec(ctx, "UPDATE pg_database SET datistemplate = false WHERE datname = $1 AND datistemplate", name)
	if err == nil {
		_, err = pool.Exec(ctx, "DROP DATABASE IF EXISTS "+quoted+" WITH (FORCE)")
	}
	if err != nil {
		return fmt.Errorf("drop database %s: %w", name, err)
	}
	return nil
}
