package main

import (
	"bytes"
	"flag"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
)

func TestParseFlagsAcceptsWhatStartDevServerPasses(t *testing.T) {
	t.Parallel()
	o, err := parseFlags([]string{
		"server", "start-dev",
		"--ip", "127.0.0.1", "--port", "4000",
		"--namespace", "default",
		"--dynamic-config-value", "frontend.enableServerVersionCheck=false",
		"--log-level", "warn", "--log-format", "pretty",
		"--headless", "--db-filename", "x.db", "--ui-port", "5000",
		"--search-attribute", "TeamId=Keyword", "--search-attribute", "Size=int",
	}, nil)
	require.NoError(t, err)
	require.Equal(t, 4000, o.port)
	require.Equal(t, 5000, o.uiPort)
	require.True(t, o.headless)
	require.Equal(t, "x.db", o.dbFilename)
	require.Equal(t, []string{"default"}, o.namespaces)
	require.Equal(t, []string{"frontend.enableServerVersionCheck=false"}, o.dynamicConfig)
	require.Equal(t, []searchAttribute{
		{"TeamId", enumspb.INDEXED_VALUE_TYPE_KEYWORD}, {"Size", enumspb.INDEXED_VALUE_TYPE_INT},
	}, o.searchAttributes)
}

func TestParseFlagsFillsDefaults(t *testing.T) {
	t.Parallel()
	o, err := parseFlags([]string{"-n", "a", "--namespace", "b", "-p", "1", "--ip", "::1"}, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, o.namespaces)
	require.Equal(t, 1, o.port)
	require.Equal(t, "::1", o.uiIP)
	require.Equal(t, 1, o.historyShards)
	require.Equal(t, 168*time.Hour, o.retention)

	o, err = parseFlags([]string{"--postgres", "postgres://localhost", "--postgres-db", "engine"}, nil)
	require.NoError(t, err)
	require.Equal(t, 16, o.historyShards)
	require.Equal(t, "engine_visibility", o.postgresVisibilityDB)
	require.Equal(t, []string{"default"}, o.namespaces)
}

func TestParseFlagsRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"a command it does not have":  {[]string{"workflow", "list"}, "unknown command"},
		"a flag it does not have":     {[]string{"--bogus"}, "bogus"},
		"two databases":               {[]string{"--postgres", "x", "-f", "y"}, "exclude each other"},
		"one database for both":       {[]string{"--postgres", "x", "--postgres-db", "a", "--postgres-visibility-db", "a"}, "must differ"},
		"negative shards":             {[]string{"--history-shards", "-1"}, "1 or more"},
		"too few connections":         {[]string{"--postgres-max-conns", "1"}, "2 or more"},
		"a retention under a day":     {[]string{"--retention", "1h"}, "24h"},
		"a log level it has not":      {[]string{"--log-level", "loud"}, "loud"},
		"an attribute without a type": {[]string{"--search-attribute", "A"}, "NAME=Type"},
		"an attribute of no type":     {[]string{"--search-attribute", "A=Word"}, "Word"},
		"an attribute of two types":   {[]string{"--search-attribute", "A=Int", "--search-attribute", "A=Text"}, "given before as Int"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parseFlags(c.args, nil)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestHelpListsTheFlags(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	_, err := parseFlags([]string{"--help"}, &out)
	require.ErrorIs(t, err, flag.ErrHelp)
	require.Contains(t, out.String(), "-postgres-visibility-db")
}

func TestAssignColumns(t *testing.T) {
	t.Parallel()
	keyword, text := enumspb.INDEXED_VALUE_TYPE_KEYWORD, enumspb.INDEXED_VALUE_TYPE_TEXT
	aliases := map[string]string{"Keyword01": "TeamId"}

	changed, err := assignColumns(aliases, []searchAttribute{{"TeamId", keyword}})
	require.NoError(t, err)
	require.False(t, changed)

	changed, err = assignColumns(aliases, []searchAttribute{{"Outcome", keyword}, {"Note", text}})
	require.NoError(t, err)
	require.True(t, changed)
	require.Equal(t, map[string]string{"Keyword01": "TeamId", "Keyword02": "Outcome", "Text01": "Note"}, aliases)

	_, err = assignColumns(aliases, []searchAttribute{{"TeamId", text}})
	require.EqualError(t, err, "search attribute TeamId exists as Keyword, not Text")

	_, err = assignColumns(aliases, []searchAttribute{{"A", text}, {"B", text}, {"C", text}})
	require.EqualError(t, err, "search attribute C: no column of type Text is left")
}
