package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rivo/uniseg"
	"github.com/stretchr/testify/require"
)

func TestTablesAlignAsATerminalShowsThem(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	a := &app{surroundings: surroundings{out: &out}}
	names := []string{"Jess", "陳小姐", "ﾊﾝｶｸ", "김민준", "é with a mark", "👩‍👩‍👧 family", "🇹🇼", "", "two\nlines\tand a tab", "\x1b[31mred", "bad \xff byte"}
	var rows [][]string
	for _, name := range names {
		rows = append(rows, []string{"1", name, "|", "last, never padded"})
	}
	require.NoError(t, a.table([]string{"id", "name", "bar", "end"}, rows))
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	require.Len(t, lines, len(names)+1, "a line a row")
	at := uniseg.StringWidth(lines[0][:strings.Index(lines[0], "BAR")])
	for i, line := range lines[1:] {
		before, _, found := strings.Cut(line, "|")
		require.True(t, found)
		require.Equal(t, at, uniseg.StringWidth(before), "%q", names[i])
		require.True(t, strings.HasSuffix(line, "never padded"))
		require.NotContains(t, line, "\x1b", "a customer's name does not steer the terminal")
	}
	require.Equal(t, "1   陳小姐", lines[2][:len("1   陳小姐")])
	require.Equal(t, "ID  NAME", lines[0][:8])
}

func TestARowOfAnyLengthIsPrinted(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	a := &app{surroundings: surroundings{out: &out}}
	require.NoError(t, a.table([]string{"a", "b"}, [][]string{{"1"}, {"1", "2", "3"}}))
	require.Equal(t, "A  B\n1\n1  2  3\n", out.String())
}

func TestNoRow(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	a := &app{surroundings: surroundings{out: &out}}
	require.NoError(t, a.table([]string{"a", "b"}, nil))
	require.Equal(t, "none\n", out.String())
	out.Reset()
	a.json = true
	require.NoError(t, a.table([]string{"a"}, nil))
	require.Empty(t, out.String())
}

func TestLongNamesAreShort(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"":                                  "",
		"Jess":                              "Jess",
		strings.Repeat("x", 24):             strings.Repeat("x", 24),
		"U0000000000000000000000000000abcd": "U0000000000000000000000…",
		strings.Repeat("王", 12):             strings.Repeat("王", 12),
		strings.Repeat("王", 13):             strings.Repeat("王", 11) + "…",
		"a" + strings.Repeat("王", 13):       "a" + strings.Repeat("王", 11) + "…",
		strings.Repeat("👩‍👩‍👧", 20):         strings.Repeat("👩‍👩‍👧", 11) + "…",
	} {
		got := short(name)
		require.Equal(t, want, got)
		require.LessOrEqual(t, uniseg.StringWidth(got), 24)
	}
}
