package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// result is one line of the table and one element of bench.json.
type result struct {
	Scenario string  `json:"scenario"`
	Metric   string  `json:"metric"`
	Value    float64 `json:"value"`
	Unit     string  `json:"unit"`
	Budget   string  `json:"budget"`
	OK       *bool   `json:"ok"` // null where there is no budget

	note string // spread or ratio, for the table
}

// report gathers results.
type report struct {
	results []result
}

// add takes a figure without a budget.
func (r *report) add(scenario, metric string, value float64, unit, note string) {
	r.results = append(r.results, result{Scenario: scenario, Metric: metric, Value: value, Unit: unit, note: note})
}

// atLeast takes a figure that must not be below its budget.
func (r *report) atLeast(scenario, metric string, value, budget float64, unit, note string) {
	r.judged(scenario, metric, value, "≥ "+number(budget), value >= budget, unit, note)
}

// atMost takes a figure that must not be above its budget.
func (r *report) atMost(scenario, metric string, value, budget float64, unit, note string) {
	r.judged(scenario, metric, value, "≤ "+number(budget), value <= budget, unit, note)
}

func (r *report) judged(scenario, metric string, value float64, budget string, ok bool, unit, note string) {
	r.results = append(r.results, result{scenario, metric, value, unit, budget, &ok, note})
}

// missed counts the budgets that were not kept.
func (r *report) missed() int {
	n := 0
	for _, x := range r.results {
		if x.OK != nil && !*x.OK {
			n++
		}
	}
	return n
}

// table prints every result.
func (r *report) table(out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "scenario\tmetric\tvalue\tunit\tbudget\tok\tspread")
	for _, x := range r.results {
		ok := ""
		if x.OK != nil {
			ok = map[bool]string{true: "yes", false: "NO"}[*x.OK]
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", x.Scenario, x.Metric, number(x.Value), x.Unit, x.Budget, ok, x.note)
	}
	return t.Flush()
}

// keep takes over what an earlier run has left at path about scenarios that
// this one did not run.
func (r *report) keep(path string) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var before []result
	if err == nil {
		err = json.Unmarshal(data, &before)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	ran := map[string]bool{}
	for _, x := range r.results {
		ran[x.Scenario] = true
	}
	before = slices.DeleteFunc(before, func(x result) bool { return ran[x.Scenario] })
	r.results = append(before, r.results...)
	return nil
}

// write stores the results as JSON.
func (r *report) write(path string) error {
	data, err := json.MarshalIndent(r.results, "", "  ")
	if err == nil {
		err = os.WriteFile(path, append(data, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// number writes a figure with three or four significant digits and thousands
// separated.
func number(v float64) string {
	switch {
	case v == float64(int64(v)) || v >= 1000 || v <= -1000:
		return thousands(strconv.FormatFloat(v, 'f', 0, 64))
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case v >= 0.1:
		return strconv.FormatFloat(v, 'f', 3, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

func thousands(digits string) string {
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// median of the values; 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	v := slices.Sorted(slices.Values(values))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// spread is the least and the most of several rounds.
func spread(values []float64) string {
	if len(values) < 2 {
		return ""
	}
	var all []string
	for _, v := range []float64{slices.Min(values), slices.Max(values)} {
		all = append(all, number(v))
	}
	return strings.Join(all, " to ") + fmt.Sprintf(" in %d rounds", len(values))
}
