package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/iancoleman/strcase"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jmoiron/sqlx"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql/driver"
	"go.temporal.io/server/tools/common/schema"
	toolsql "go.temporal.io/server/tools/sql"
)

// Codes of PostgreSQL's errors, https://www.postgresql.org/docs/15/errcodes-appendix.html.
const (
	undefinedDatabase = "3D000"
	duplicateDatabase = "42P04"
)

// setupLock is the advisory lock under which one process at a time creates
// databases and schemas.
const setupLock = 7233_1532

// postgresStores creates the two databases of o where missing, brings their
// schemas to the version of this server and describes them. Doing so again
// changes nothing.
func postgresStores(ctx context.Context, o options, logger log.Logger) (stores, error) {
	db := stores{
		main:       postgresStore(o.postgres, o.postgresDB, o.postgresMaxConns),
		visibility: postgresStore(o.postgres, o.postgresVisibilityDB, o.postgresMaxConns/2),
	}
	admin, err := connectAdmin(ctx, o.postgres)
	if err != nil {
		return stores{}, fmt.Errorf("connect to PostgreSQL (--postgres): %w", err)
	}
	defer admin.Close(context.WithoutCancel(ctx)) // closing also releases the lock
	if _, err := admin.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(setupLock)); err != nil {
		return stores{}, fmt.Errorf("lock PostgreSQL for setup: %w", err)
	}
	for folder, store := range map[string]*config.SQL{
		"postgresql/v12/temporal":   db.main,
		"postgresql/v12/visibility": db.visibility,
	} {
		if err := createDatabase(ctx, admin, store.DatabaseName); err != nil {
			return stores{}, fmt.Errorf("create database %s: %w", store.DatabaseName, err)
		}
		if err := updateSchema(store, folder, logger); err != nil {
			return stores{}, fmt.Errorf("update schema of database %s: %w", store.DatabaseName, err)
		}
	}
	return db, nil
}

// postgresStore describes database name on the server of dsn. The connection is
// made from the DSN itself, so that whatever pgx understands (sockets, TLS,
// several hosts, PGPASSWORD) works.
func postgresStore(dsn, name string, maxConns int) *config.SQL {
	return &config.SQL{
		PluginName:   postgresql.PluginNamePGX,
		DatabaseName: name,
		Connect: func(c *config.SQL) (*sqlx.DB, error) {
			d := driver.PGXDriver{}
			conn, err := d.CreateConnection(withDatabase(dsn, c.DatabaseName))
			if err != nil {
				return nil, err
			}
			conn.SetMaxOpenConns(maxConns)
			conn.SetMaxIdleConns(maxConns)
			conn.MapperFunc(strcase.ToSnake)
			return conn, nil
		},
	}
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
	if hasCode(err, duplicateDatabase) {
		return nil
	}
	return err
}

// updateSchema runs the steps of the server's own schema tool on store. folder
// is one of the schemas the server module embeds.
func updateSchema(store *config.SQL, folder string, logger log.Logger) error {
	conn, err := toolsql.NewConnection(store, logger)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ReadSchemaVersion(); err != nil {
		setup := schema.NewSetupSchemaTask(conn, &schema.SetupConfig{InitialVersion: "0.0"}, logger)
		if err := setup.Run(); err != nil {
			return err
		}
	}
	return schema.NewUpdateSchemaTask(conn, &schema.UpdateConfig{SchemaName: folder}, logger).Run()
}

// withDatabase returns dsn, a URL or a key=value string, with another database.
func withDatabase(dsn, name string) string {
	u, err := url.Parse(dsn)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return dsn + " dbname='" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(name) + "'"
	}
	query := u.Query()
	query.Del("dbname")
	query.Del("database")
	u.RawQuery = query.Encode()
	u.Path, u.RawPath = "/"+name, ""
	return u.String()
}

func hasCode(err error, code string) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == code
}
