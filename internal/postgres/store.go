// Package postgres holds every SQL statement of omniflow. A Store method is
// one transaction; concurrency is decided by conditional updates, never by
// reading first.
package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Store is the database. It is safe for concurrent use.
type Store struct {
	pool *pgxpool.Pool
}

// Open connects to the database at dsn with at most conns connections and
// checks that it answers. The caller closes the Store.
func Open(ctx context.Context, dsn string, conns int32) (*Store, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("read database address: %w", err)
	}
	config.MaxConns = conns
	config.MaxConnIdleTime = 5 * time.Minute
	config.ConnConfig.ConnectTimeout = 5 * time.Second
	for name, value := range sessionSettings {
		if _, set := config.ConnConfig.RuntimeParams[name]; !set {
			config.ConnConfig.RuntimeParams[name] = value
		}
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("reach database: %w", err)
	}
	return &Store{pool: pool}, nil
}

// sessionSettings end the sessions of a host that has vanished: its locks are
// free after half a minute, not after the two hours of TCP's own patience.
var sessionSettings = map[string]string{
	"idle_in_transaction_session_timeout": "30s",
	"tcp_keepalives_idle":                 "10",
	"tcp_keepalives_interval":             "5",
	"tcp_keepalives_count":                "3",
	"tcp_user_timeout":                    "30000", // ms
}

// Close waits for the connections in use and closes them all.
func (s *Store) Close() { s.pool.Close() }

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.pool.Ping(ctx) }

// inTeam runs f in one transaction that sees the rows of one team only: the
// role omniflow_team is under row-level security (SYS-13).
func (s *Store) inTeam(ctx context.Context, teamID uuid.UUID, f func(tx pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `SELECT set_config('omniflow.team_id', $1, true), set_config('role', 'omniflow_team', true)`, teamID.String())
		if err != nil {
			return fmt.Errorf("enter team: %w", err)
		}
		return f(tx)
	})
}

// newID makes a UUIDv7: ids made later sort later, so an index grows at its end.
func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }
