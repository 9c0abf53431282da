package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// namePrefix begins the name of every database of this package.
const namePrefix = "omniflow_test_"

// claimPrefix picks a prefix for this process's databases and locks it on the
// server for as long as the connection lives: a process whose lock is free is
// dead, and its databases are anyone's to drop.
func claimPrefix(ctx context.Context, pool *pgxpool.Pool) (string, *pgxpool.Conn, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return "", nil, fmt.Errorf("connect to the test server: %w", err)
	}
	prefix := fmt.Sprintf("%s%08x", namePrefix, rand.Uint32())
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock(hashtextextended($1, 0))", prefix); err != nil {
		conn.Release()
		return "", nil, fmt.Errorf("claim the prefix %s: %w", prefix, err)
	}
	return prefix, conn, nil
}

// dropOrphans drops the databases of dead test processes.
func dropOrphans(ctx context.Context, pool *pgxpool.Pool) error {
	rows, err := pool.Query(ctx, "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", namePrefix)
	if err != nil {
		return fmt.Errorf("list test databases: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("list test databases: %w", err)
	}
	var faults []error
	for _, name := range names {
		faults = append(faults, dropOrphan(ctx, pool, name))
	}
	return errors.Join(faults...)
}

// dropOrphan drops the database unless its process lives.
func dropOrphan(ctx context.Context, pool *pgxpool.Pool, name string) error {
	prefix, _, _ := strings.Cut(strings.TrimPrefix(name, namePrefix), "_")
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	var dead bool
	err = conn.QueryRow(ctx, "SELECT pg_try_advisory_lock(hashtextextended($1, 0))", namePrefix+prefix).Scan(&dead)
	if err != nil || !dead {
		return err
	}
	err = dropDatabase(ctx, pool, name)
	_, errUnlock := conn.Exec(ctx, "SELECT pg_advisory_unlock(hashtextextended($1, 0))", namePrefix+prefix)
	return errors.Join(err, errUnlock)
}
