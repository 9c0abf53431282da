package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/rivo/uniseg"
)

// printRaw writes an answer of the API as it came.
func (a *app) printRaw(body []byte) {
	if body = bytes.TrimSpace(body); len(body) > 0 {
		fmt.Fprintf(a.out, "%s\n", body)
	}
}

// printJSON writes what no answer of the API is behind, for --json.
func (a *app) printJSON(v any) error {
	return json.NewEncoder(a.out).Encode(v)
}

// say writes a line for people; with --json the answer was printed instead.
func (a *app) say(format string, args ...any) {
	if !a.json {
		fmt.Fprintf(a.out, format+"\n", args...)
	}
}

// table writes rows under a header, for people: columns are as wide as what a
// terminal shows of them, in which a Chinese character takes two places. Of no
// row it says "none".
func (a *app) table(header []string, rows [][]string) error {
	if a.json {
		return nil
	}
	if len(rows) == 0 {
		a.say("none")
		return nil
	}
	lines := make([][]string, 1, len(rows)+1)
	for _, name := range header {
		lines[0] = append(lines[0], strings.ToUpper(name))
	}
	for _, row := range rows {
		lines = append(lines, printable(row))
	}
	var widths []int
	for _, cells := range lines {
		for i, cell := range cells {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], uniseg.StringWidth(cell))
		}
	}
	var out strings.Builder
	for _, cells := range lines {
		for i, cell := range cells {
			out.WriteString(cell)
			if i < len(cells)-1 {
				out.WriteString(strings.Repeat(" ", widths[i]-uniseg.StringWidth(cell)+gap))
			}
		}
		out.WriteByte('\n')
	}
	if _, err := io.WriteString(a.out, out.String()); err != nil {
		return fmt.Errorf("print table: %w", err)
	}
	return nil
}

// gap is how far columns are apart.
const gap = 2

// printable is a row without what would break its line or steer the terminal:
// names come from customers.
func printable(row []string) []string {
	clean := make([]string, len(row))
	for i, cell := range row {
		clean[i] = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return ' '
			}
			return r
		}, cell)
	}
	return clean
}

// nameWidth is how much of a customer's name a table shows.
const nameWidth = 24

// short is a name that is cut to nameWidth places, the last of which is then an
// ellipsis.
func short(name string) string {
	if uniseg.StringWidth(name) <= nameWidth {
		return name
	}
	cut, width := 0, 0
	for rest, state := name, -1; rest != ""; {
		var cluster string
		var wide int
		cluster, rest, wide, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if width += wide; width > nameWidth-1 {
			break
		}
		cut += len(cluster)
	}
	return name[:cut] + "…"
}

// more says how to see the next page.
func (a *app) more(next string) {
	if next != "" {
		a.say("more: --after %s", next)
	}
}

// when is a time in the shell's zone, "-" for none.
func when(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "-"
	}
	return t.Local().Format(time.DateTime)
}

// dash stands in for an empty cell.
func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
