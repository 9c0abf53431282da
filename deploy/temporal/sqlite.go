package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
)

// sqliteStores describes the SQLite database of o. The plugin creates its
// schema when the database is opened for the first time.
//
// A file is kept in WAL mode with synchronous=NORMAL: it survives a killed
// process whole, and a power cut may take the last moments.
func sqliteStores(o options) (stores, error) {
	pragmas, err := parsePragmas(o.sqlitePragmas)
	if err != nil {
		return stores{}, err
	}
	c := &config.SQL{PluginName: sqlite.PluginName}
	if o.dbFilename == "" {
		c.DatabaseName = uuid.NewString()
		c.ConnectAttributes = map[string]string{"mode": "memory", "cache": "shared"}
	} else {
		if _, err := os.Stat(filepath.Dir(o.dbFilename)); err != nil {
			return stores{}, fmt.Errorf("--db-filename %s: its folder: %w", o.dbFilename, err)
		}
		c.DatabaseName = o.dbFilename
		c.ConnectAttributes = map[string]string{
			"mode": "rwc", "setup": "true", "journal_mode": "wal", "synchronous": "normal", "busy_timeout": "10000",
		}
	}
	maps.Copy(c.ConnectAttributes, pragmas)
	return stores{main: c, visibility: c, release: func() {}}, nil
}

func parsePragmas(values []string) (map[string]string, error) {
	pragmas := make(map[string]string)
	for _, v := range values {
		key, value, found := strings.Cut(v, "=")
		if !found || (key != "journal_mode" && key != "synchronous") {
			return nil, fmt.Errorf("--sqlite-pragma %q: want journal_mode=VALUE or synchronous=VALUE", v)
		}
		pragmas[key] = value
	}
	return pragmas, nil
}
