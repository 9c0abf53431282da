package postgrestest

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// migrationLock is held on the server while a template is migrated: migrations
// make roles, which all databases of a server have in common.
const migrationLock = 0x6f6d6e69 // "omni"

// template is a migrated database that nobody connects to; clones are made of it.
type template struct {
	once sync.Once
	name string // "" if it could not be made
	err  error
}

// clone makes a database from the template of migrate and gives its name.
func (s *server) clone(ctx context.Context, migrate func(context.Context, string) error) (string, error) {
	t, name, err := s.reserve(ctx, identity(migrate))
	if err != nil {
		return "", err
	}
	source := "template0"
	if migrate != nil {
		t.once.Do(func() { t.name, t.err = s.build(ctx, migrate) })
		if t.err != nil {
			return "", t.err
		}
		source = t.name
	}
	if err := createDatabase(ctx, s.pool, name, source); err != nil {
		return "", err
	}
	return name, nil
}

// reserve starts the server if need be and gives the template's entry, made or
// not, and a new name.
func (s *server) reserve(ctx context.Context, key string) (*template, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.start(ctx); err != nil {
		return nil, "", err
	}
	t, ok := s.templates[key]
	if !ok {
		t = &template{}
		if key != "" {
			s.templates[key] = t
		}
	}
	return t, s.name(), nil
}

// identity tells functions apart by their code; nil is "".
func identity(migrate func(context.Context, string) error) string {
	if migrate == nil {
		return ""
	}
	return runtime.FuncForPC(reflect.ValueOf(migrate).Pointer()).Name()
}

// build makes and migrates a template, one at a time on the whole server.
func (s *server) build(ctx context.Context, migrate func(context.Context, string) error) (string, error) {
	s.mu.Lock()
	name := s.name()
	s.mu.Unlock()
	if err := createDatabase(ctx, s.pool, name, "template0"); err != nil {
		return "", err
	}
	if err := s.migrate(ctx, name, migrate); err != nil {
		return name, fmt.Errorf("migrate the template: %w", err)
	}
	// Closed to connections, because one would make every clone fail.
	seal := "ALTER DATABASE " + pgx.Identifier{name}.Sanitize() + " WITH ALLOW_CONNECTIONS false IS_TEMPLATE true"
	if _, err := s.pool.Exec(ctx, seal); err != nil {
		return name, fmt.Errorf("seal the template: %w", err)
	}
	return name, nil
}

func (s *server) migrate(ctx context.Context, name string, migrate func(context.Context, string) error) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", migrationLock); err != nil {
		return err
	}
	defer conn.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", migrationLock)
	return migrate(ctx, s.dsn(name))
}

func createDatabase(ctx context.Context, pool *pgxpool.Pool, name, source string) error {
	_, err := pool.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()+" TEMPLATE "+pgx.Identifier{source}.Sanitize())
	if err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	return nil
}
