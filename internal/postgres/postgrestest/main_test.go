package postgrestest_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"omniflow/internal/postgres/postgrestest"
)

// hangVariable makes this test binary a test process that never ends.
const hangVariable = "POSTGRESTEST_HANG"

func TestMain(m *testing.M) { postgrestest.Main(m) }

// shop is a schema with one row.
func shop(ctx context.Context, dsn string) error {
	return execute(ctx, dsn, "CREATE TABLE goods (name text PRIMARY KEY); INSERT INTO goods VALUES ('soap')")
}

// roled makes a role, which all databases of a server share, the naive way.
func roled(ctx context.Context, dsn string) error {
	return execute(ctx, dsn, `DO $$ BEGIN
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shop_reader') THEN
			PERFORM pg_sleep(0.2);
			CREATE ROLE shop_reader NOLOGIN;
		END IF;
	END $$`)
}

func execute(ctx context.Context, dsn, sql string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, sql)
	return err
}

// TestHang is a test process for other tests: it prints its database and waits
// to be killed. Without its variable it is over at once.
func TestHang(t *testing.T) {
	t.Parallel()
	if os.Getenv(hangVariable) == "" {
		return
	}
	fmt.Printf("database %s\n", postgrestest.New(t, shop))
	_, _ = io.ReadAll(os.Stdin) // ends also when the test that started us is dead
}

// TestClone is what the processes of TestProcessesShareAServer run.
func TestClone(t *testing.T) {
	t.Parallel()
	for range 3 {
		t.Run("shop", func(t *testing.T) {
			t.Parallel()
			requireGoods(t, postgrestest.New(t, shop), "soap")
		})
		t.Run("roled", func(t *testing.T) {
			t.Parallel()
			connect(t, postgrestest.New(t, roled))
		})
	}
}
