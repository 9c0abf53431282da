package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOptions(t *testing.T) {
	t.Parallel()
	o, err := parseOptions([]string{"-only", "cost,kill", "-rounds", "5"}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, 5, o.rounds)
	var wanted []string
	for _, s := range o.wanted() {
		wanted = append(wanted, s.name)
	}
	require.Equal(t, []string{"cost", "kill"}, wanted)
	for _, args := range [][]string{{"-only", "nothing"}, {"-rounds", "0"}, {"-n", "10"}, {"throughput"}, {"-fast"}} {
		_, err := parseOptions(args, io.Discard)
		require.Error(t, err, "%v", args)
	}
}

func TestOnlyFullRunsTheLongOnes(t *testing.T) {
	t.Parallel()
	short, err := parseOptions(nil, io.Discard)
	require.NoError(t, err)
	long, err := parseOptions([]string{"-full"}, io.Discard)
	require.NoError(t, err)
	for _, s := range short.wanted() {
		require.False(t, s.full, s.name)
	}
	require.Len(t, long.wanted(), len(programme()))
}

func TestResultsAreJudgedAndWritten(t *testing.T) {
	t.Parallel()
	r := &report{}
	r.add("a", "rate", 1234.5, "messages/s", "")
	r.atLeast("a", "ratio", 0.7, 0.7, "ratio", "")
	r.atMost("a", "bytes", 2001, 2000, "bytes", "")
	require.Equal(t, 1, r.missed())
	path := filepath.Join(t.TempDir(), "bench.json")
	require.NoError(t, r.write(path))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.JSONEq(t, `[
		{"scenario":"a","metric":"rate","value":1234.5,"unit":"messages/s","budget":"","ok":null},
		{"scenario":"a","metric":"ratio","value":0.7,"unit":"ratio","budget":"≥ 0.700","ok":true},
		{"scenario":"a","metric":"bytes","value":2001,"unit":"bytes","budget":"≤ 2,000","ok":false}]`, string(text))
	var table strings.Builder
	require.NoError(t, r.table(&table))
	require.Contains(t, table.String(), "NO")
}

func TestFigures(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{0: "0", 1234567: "1,234,567", 999.4: "999.4", 0.0054: "0.0054", 0.4567: "0.457", -1500: "-1,500"} {
		require.Equal(t, want, number(v))
	}
	require.Zero(t, median(nil))
	require.InDelta(t, 2, median([]float64{3, 1, 2}), 0)
	require.InDelta(t, 2.5, median([]float64{4, 1, 2, 3}), 0)
	require.Empty(t, spread([]float64{1}))
	require.Equal(t, "1 to 3 in 2 rounds", spread([]float64{3, 1}))
}

func TestAProcessWithASpaceInItsName(t *testing.T) {
	t.Parallel()
	p := parseStat([]byte("42 (a ) b) S 7 42 42 0 -1 4194560 1 2 3 4 150 50 25 15 20 0 9 0 100 12345 300 18446744073709551615"))
	require.Equal(t, 7, p.parent)
	require.Equal(t, 2*time.Second, p.used)
	require.Equal(t, 400*time.Millisecond, p.usedEnded)
	require.Equal(t, int64(300*os.Getpagesize()), p.rssBytes)
	require.Zero(t, parseStat([]byte("42 (half")))
}

func TestATreeOfProcessesAddsUp(t *testing.T) {
	t.Parallel()
	all := processes{1: {used: time.Second}, 2: {parent: 1, used: time.Second, usedEnded: time.Second}, 3: {parent: 2, used: time.Second}, 4: {parent: 9, used: time.Hour}}
	require.Equal(t, 4*time.Second, all.tree(1))
	require.Equal(t, "b 200, a 100", usage{"a": time.Second, "b": 2 * time.Second, "idle": 0}.per(10_000))
}

func TestShareUsedLeavesTheFirstSecondOut(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var at []time.Time
	for i := range 50 {
		at = append(at, start.Add(time.Duration(i)*100*time.Millisecond))
	}
	require.InDelta(t, 1, shareUsed(at, 10, 3*time.Second), 1e-9)
	require.InDelta(t, 0.5, shareUsed(at, 20, 3*time.Second), 1e-9)
	require.Zero(t, shareUsed(nil, 10, time.Second))
}
