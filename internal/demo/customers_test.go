package main

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"omniflow/internal/customercsv"
	"omniflow/internal/omniflow"
	"omniflow/internal/truth"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// file generates n customers and reads the file back.
func file(t *testing.T, n int, seed uint64) (book, [][]string, string) {
	t.Helper()
	var out bytes.Buffer
	b, err := generate(&out, n, seed, noon)
	require.NoError(t, err)
	text, ok := strings.CutPrefix(out.String(), "\ufeff")
	require.True(t, ok, "byte-order mark")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	require.NoError(t, err)
	require.Equal(t, header[:], rows[0])
	return b, rows[1:], out.String()
}

func TestGenerateCounts(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 10, 777} {
		b, rows, _ := file(t, n, 1)
		require.Equal(t, n, b.good)
		require.Len(t, rows, b.rows())
		require.Positive(t, b.bad)
		recipients := map[string]map[string]bool{}
		for _, p := range b.people {
			if recipients[p.Channel] == nil {
				recipients[p.Channel] = map[string]bool{}
			}
			recipients[p.Channel][p.Recipient] = true
		}
		total := 0
		for channel, want := range b.counts() {
			require.Len(t, recipients[channel], want, channel)
			total += want
		}
		require.Equal(t, n, total)
	}
	require.Equal(t, map[string]int{"whatsapp": 2200, "line": 1750, "facebook": 600, "instagram": 450}, split(5000))
}

func TestGenerateIsDeterministic(t *testing.T) {
	t.Parallel()
	_, _, one := file(t, 500, 7)
	_, _, same := file(t, 500, 7)
	_, _, other := file(t, 500, 8)
	require.Equal(t, one, same)
	require.NotEqual(t, one, other)
}

// The import's own reader takes exactly the good rows, and reads the same
// recipients out of them.
func TestImportTakesTheGoodRows(t *testing.T) {
	t.Parallel()
	b, _, raw := file(t, 2000, 1)
	report, err := customercsv.Each(strings.NewReader(raw), customercsv.Options{Now: noon}, func(r customercsv.Row) error {
		require.Equal(t, truth.Person{Channel: string(r.Channel), Recipient: r.ChannelUserID, Line: r.Line}, b.people[r.CustomerID])
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, b.rows(), report.Rows)
	require.Equal(t, b.good, report.Good)
	require.Len(t, report.Rejected, b.bad)
	require.Len(t, report.Duplicates, b.duplicates)
	reasons := map[omniflow.Code]bool{}
	for _, r := range report.Rejected {
		reasons[r.Reason] = true
	}
	require.GreaterOrEqual(t, len(reasons), 5)
}

// The file has every kind of mess that the demo promises.
func TestGenerateIsMessy(t *testing.T) {
	t.Parallel()
	_, rows, raw := file(t, 2000, 1)
	require.Contains(t, raw, "\r\n")
	require.Contains(t, raw, `"O'Brien, Kate"`)
	require.Contains(t, raw, `"蘇 ""小蘇"" 小姐"`)
	require.Contains(t, raw, "🌸小花")
	seen := map[string]int{}
	for _, row := range rows {
		if strings.HasSuffix(row[7], "Z") {
			seen["zulu time"]++
		}
		if strings.HasSuffix(row[7], "+00:00") {
			seen["offset time"]++
		}
		if strings.ContainsFunc(row[3], func(r rune) bool { return r > unicode.MaxASCII && unicode.IsDigit(r) }) {
			seen["full-width digits"]++
		}
		if row[1] == "N/A" {
			seen["no name"]++
		}
		if strings.Contains(row[9], "台北,信義店") {
			seen["comma in a tag"]++
		}
		if row[7] == "yesterday" {
			seen["no time"]++
			continue
		}
		at, err := time.Parse(time.RFC3339, row[7])
		require.NoError(t, err)
		switch ago := noon.Sub(at); {
		case ago < 23*time.Hour:
			seen["within a day"]++
		case ago > 24*time.Hour+30*time.Minute:
			seen["over a day"]++
		}
	}
	for _, what := range []string{"zulu time", "offset time", "full-width digits", "no name", "comma in a tag"} {
		require.Greater(t, seen[what], 5, what)
	}
	require.Equal(t, len(rows), seen["no time"]+seen["within a day"]+seen["over a day"], "nobody near the edge of the window")
	require.InDelta(t, 0.12, float64(seen["over a day"])/float64(len(rows)), 0.03)
}
