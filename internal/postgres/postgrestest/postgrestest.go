// Package postgrestest gives every test a PostgreSQL database of its own: a
// clone of a template that is migrated once per process.
//
// The server is the one of OMNIFLOW_TEST_DATABASE_URL, a postgres:// URL whose
// user may create databases; several test processes may share it at once.
// Without that variable the process starts a server of its own with the first
// database, from the machine's PostgreSQL binaries. That server and its folder
// go away with the process, however it ends; [Main] removes them in order.
package postgrestest

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"
)

// budget bounds every act on the server: a start, a migration, a clone.
const budget = 2 * time.Minute

// shared is the server of this process. Tests have no common caller that could
// hand it to them, hence the package variable; it is never replaced, and its
// fields are guarded by its mutex.
var shared = &server{}

// New makes a database for one test and gives its connection string. migrate,
// when not nil, brings an empty database at dsn to the schema that the test
// needs; it runs once per process and function. Closures that come from the
// same source line count as one function.
//
// The database is dropped when the test ends, connections that are still open
// included. A fault ends the test.
func New(t testing.TB, migrate func(ctx context.Context, dsn string) error) (dsn string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), budget)
	defer cancel()
	database, err := shared.clone(ctx, migrate)
	if err != nil {
		t.Fatalf("make a test database: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), budget)
		defer cancel()
		if err := shared.drop(ctx, database); err != nil {
			t.Errorf("drop the test database: %v", err)
		}
	})
	return shared.dsn(database)
}

// Main runs the tests and removes what they shared: the server, or on a given
// server the templates. Call it as the whole of TestMain:
//
//	func TestMain(m *testing.M) { postgrestest.Main(m) }
func Main(m *testing.M) {
	code := m.Run()
	ctx, cancel := context.WithTimeout(context.Background(), budget)
	defer cancel()
	if err := shared.close(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "postgrestest:", err)
		os.Exit(max(code, 1))
	}
	os.Exit(code)
}
