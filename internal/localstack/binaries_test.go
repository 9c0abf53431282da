package localstack

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// installation puts programs that only know their version into dir.
func installation(t *testing.T, dir, version string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o755))
	script := fmt.Sprintf("#!/bin/sh\necho 'postgres (PostgreSQL) %s'\n", version)
	for _, name := range []string{"postgres", "initdb"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755))
	}
	return dir
}

func TestFind(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	in := func(parts ...string) string { return filepath.Join(append([]string{root}, parts...)...) }
	path := installation(t, in("path"), "16.4")
	installation(t, in("lib", "13", "bin"), "13.9") // too old
	old := installation(t, in("lib", "9", "bin"), "14.1")
	newest := installation(t, in("lib", "17", "bin"), "17beta2 (Debian 17)")
	configured := installation(t, in("configured"), "15.18")
	require.NoError(t, os.MkdirAll(in("withconfig"), 0o755))
	require.NoError(t, os.WriteFile(in("withconfig", "pg_config"), []byte("#!/bin/sh\necho "+configured+"\n"), 0o755))
	client := in("client") // has a postgres that is no program, as a client's package may
	require.NoError(t, os.MkdirAll(client, 0o755))
	globs := []string{in("lib", "*", "bin")}
	for name, tc := range map[string]struct {
		finder finder
		want   int
		dir    string
		err    string
	}{
		"PATH before all":             {finder{[]string{client, path, in("withconfig")}, globs}, 0, path, ""},
		"pg_config before the known":  {finder{[]string{client, in("withconfig")}, globs}, 0, configured, ""},
		"newest of the known":         {finder{nil, globs}, 0, newest, ""},
		"the version of the data":     {finder{[]string{path}, globs}, 14, old, ""},
		"none":                        {finder{[]string{client, in("nowhere")}, nil}, 0, "", errNoPostgres.Error()},
		"only too old":                {finder{[]string{in("lib", "13", "bin")}, nil}, 0, "", errNoPostgres.Error()},
		"another version of the data": {finder{[]string{path}, nil}, 12, "", "the data folder is of PostgreSQL 12, but only 16 is installed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := tc.finder.find(t.Context(), tc.want)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.dir, got.dir)
		})
	}
}

func TestNewEnough(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]bool{
		"temporal version 1.9.1 (Server 1.32.0, UI 2.58.0)": true,
		"temporal version 1.10.0 (Server 1.33.0)":           true,
		"temporal version 2.0.0":                            true,
		"temporal version v1.9.0":                           true,
		"temporal version 1.8.9 (Server 1.31.0)":            false,
		"temporal version 0.13.2":                           false,
		"temporal version 0.0.0-DEV":                        false,
		"tctl version 1.18.0":                               false,
		"":                                                  false,
	} {
		require.Equal(t, want, newEnough(version), version)
	}
}
