package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/iancoleman/strcase"
	"github.com/jmoiron/sqlx"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql/driver"
	"go.temporal.io/server/tools/common/schema"
	toolsql "go.temporal.io/server/tools/sql"
)

// postgresStores creates the two databases of o where missing, makes them this
// process's own, brings their schemas to the version of this server and
// describes them. Doing so again changes nothing.
func postgresStores(ctx context.Context, o options, logger log.Logger) (stores, error) {
	db := stores{
		main:       postgresStore(o.postgres, o.postgresDB, o.postgresMaxConns),
		visibility: postgresStore(o.postgres, o.postgresVisibilityDB, o.postgresMaxConns/2),
	}
	if err := createDatabases(ctx, o.postgres, o.postgresDB, o.postgresVisibilityDB); err != nil {
		return stores{}, err
	}
	var err error
	if db.release, err = own(ctx, o.postgres, o.postgresDB); err != nil {
		return stores{}, err
	}
	for _, update := range []struct {
		store  *config.SQL
		folder string
	}{{db.main, "postgresql/v12/temporal"}, {db.visibility, "postgresql/v12/visibility"}} {
		if err := updateSchema(update.store, update.folder, logger); err != nil {
			db.release()
			return stores{}, fmt.Errorf("update schema of database %s: %w", update.store.DatabaseName, err)
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
