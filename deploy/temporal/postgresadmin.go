package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Codes of PostgreSQL's errors, https://www.postgresql.org/docs/15/errcodes-appendix.html.
const (
	undefinedDatabase = "3D000"
	duplicateDatabase = "42P04"
	uniqueViolation   = "23505" // what the slower of two CREATE DATABASE may get
)

const (
	ownerLock = 7233_1532        // the advisory lock a server holds while it runs
	ownerWait = 10 * time.Second // how long a server waits for it: a killed one loses it at once
	ownerPoll = 100 * time.Millisecond
)

// createDatabases creates those of names that are missing.
func createDatabases(ctx context.Context, dsn string, names ...string) error {
	admin, err := connectAdmin(ctx, dsn)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL (--postgres): %w", err)
	}
	defer func() { _ = admin.Close(context.WithoutCancel(ctx)) }()
	for _, name := range names {
		if err := createDatabase(ctx, admin, name); err != nil {
			return fmt.Errorf("create database %s: %w", name, err)
		}
	}
	return nil
}

// connectAdmin connects to the database that dsn names, or to "postgres" where
// that one does not exist yet.
func connectAdmin(ctx context.Context, dsn string) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, dsn)
	if hasCode(err, undefinedDatabase) {
		conn, err = pgx.Connect(ctx, withDatabase(dsn, "postgres"))
	}
	return conn, err
}

func createDatabase(ctx context.Context, admin *pgx.Conn, name string) error {
	var exists bool
	err := admin.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&exists)
	if err != nil || exists {
		return err
	}
	_, err = admin.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	if hasCode(err, duplicateDatabase) || hasCode(err, uniqueViolation) {
		return nil
	}
	return err
}

// own makes database name this process's own until release or the process's
// end: two servers that do not know each other would take each other's shards.
func own(ctx context.Context, dsn, name string) (release func(), err error) {
	conn, err := pgx.Connect(ctx, withDatabase(dsn, name))
	if err != nil {
		return nil, fmt.Errorf("connect to database %s: %w", name, err)
	}
	release = func() { _ = conn.Close(context.WithoutCancel(ctx)) }
	deadline := time.NewTimer(ownerWait)
	defer deadline.Stop()
	poll := time.NewTicker(ownerPoll)
	defer poll.Stop()
	for {
		var mine bool
		if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", int64(ownerLock)).Scan(&mine); err != nil {
			release()
			return nil, fmt.Errorf("lock database %s: %w", name, err)
		}
		if mine {
			return release, nil
		}
		select {
		case <-deadline.C:
			release()
			return nil, fmt.Errorf("another temporal-server runs on database %s: stop it, or choose another with --postgres-db", name)
		case <-poll.C:
		}
	}
}

func hasCode(err error, code string) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == code
}
