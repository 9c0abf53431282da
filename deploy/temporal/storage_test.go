package main

import (
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestWithDatabase(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{
		"postgres://ann:p%20w@db.example:5433/app?sslmode=disable",
		"postgresql://ann:p%20w@db.example:5433/?dbname=app&sslmode=disable",
		"host=db.example port=5433 user=ann password='p w' dbname=app sslmode=disable",
	} {
		got, err := pgx.ParseConfig(withDatabase(dsn, `it's "x"`))
		require.NoError(t, err, dsn)
		require.Equal(t, `it's "x"`, got.Database)
		require.Equal(t, "db.example", got.Host)
		require.EqualValues(t, 5433, got.Port)
		require.Equal(t, "ann", got.User)
		require.Equal(t, "p w", got.Password)
		require.Nil(t, got.TLSConfig)
	}
}

func TestSQLiteStores(t *testing.T) {
	t.Parallel()
	memory, err := sqliteStores(options{})
	require.NoError(t, err)
	require.Equal(t, "memory", memory.main.ConnectAttributes["mode"])
	other, err := sqliteStores(options{})
	require.NoError(t, err)
	require.NotEqual(t, memory.main.DatabaseName, other.main.DatabaseName)

	file, err := sqliteStores(options{
		dbFilename:    filepath.Join(t.TempDir(), "t.db"),
		sqlitePragmas: []string{"synchronous=full"},
	})
	require.NoError(t, err)
	require.Equal(t, "full", file.main.ConnectAttributes["synchronous"])
	require.Equal(t, "wal", file.main.ConnectAttributes["journal_mode"])

	_, err = sqliteStores(options{dbFilename: filepath.Join(t.TempDir(), "missing", "t.db")})
	require.ErrorContains(t, err, "--db-filename")
	_, err = sqliteStores(options{sqlitePragmas: []string{"cache_size=1"}})
	require.ErrorContains(t, err, "--sqlite-pragma")
}
