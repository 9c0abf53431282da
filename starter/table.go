package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
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

// table writes rows under a header, for people.
func (a *app) table(header []string, rows [][]string) error {
	if a.json {
		return nil
	}
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, strings.ToUpper(strings.Join(header, "\t")))
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print table: %w", err)
	}
	return nil
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
