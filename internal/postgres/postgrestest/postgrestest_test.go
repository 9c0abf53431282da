package postgrestest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"omniflow/internal/postgres/postgrestest"
)

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func requireGoods(t *testing.T, dsn string, want ...string) {
	t.Helper()
	rows, err := connect(t, dsn).Query(t.Context(), "SELECT name FROM goods ORDER BY name")
	require.NoError(t, err)
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestEachTestHasItsOwnDatabase(t *testing.T) {
	t.Parallel()
	for n := range 8 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			dsn := postgrestest.New(t, shop)
			requireGoods(t, dsn, "soap")
			_, err := connect(t, dsn).Exec(t.Context(), "INSERT INTO goods VALUES ($1)", fmt.Sprint("brush ", n))
			require.NoError(t, err)
			requireGoods(t, dsn, fmt.Sprint("brush ", n), "soap")
		})
	}
}

// Each run of the migration would leave another id.
func TestMigrateRunsOnce(t *testing.T) {
	t.Parallel()
	migrate := func(ctx context.Context, dsn string) error {
		return execute(ctx, dsn, "CREATE TABLE made AS SELECT gen_random_uuid()::text AS id")
	}
	seen := make(map[string]bool)
	for range 4 {
		var id string
		require.NoError(t, connect(t, postgrestest.New(t, migrate)).QueryRow(t.Context(), "SELECT id FROM made").Scan(&id))
		seen[id] = true
	}
	require.Len(t, seen, 1)
}

func TestNoMigrationGivesAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	var tables int
	err := connect(t, postgrestest.New(t, nil)).QueryRow(t.Context(),
		"SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&tables)
	require.NoError(t, err)
	require.Zero(t, tables)
}

// The database goes even though a connection to it is still open.
func TestDatabaseIsDropped(t *testing.T) {
	t.Parallel()
	var dsn string
	var open *pgx.Conn
	t.Run("uses it", func(t *testing.T) {
		dsn = postgrestest.New(t, shop)
		var err error
		open, err = pgx.Connect(t.Context(), dsn)
		require.NoError(t, err)
	})
	require.Error(t, open.Ping(t.Context()))
	_, err := pgx.Connect(t.Context(), dsn)
	require.ErrorContains(t, err, "does not exist")
}

func TestMigrationFaultEndsTheTest(t *testing.T) {
	t.Parallel()
	fails := func(context.Context, string) error { return errors.New("no such column") }
	for range 2 { // the second time from memory
		spy := &spyTB{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			postgrestest.New(spy, fails)
		}()
		<-done
		require.Equal(t, "make a test database: migrate the template: no such column", spy.fatal)
	}
}
