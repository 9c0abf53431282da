package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

var (
	// metricRead is a metric of ours in a query, with what Prometheus adds to
	// the name of a histogram.
	metricRead = regexp.MustCompile(`\bomniflow_[a-z0-9_]+`)
	// metricMade is a metric's name in Go: the whole of a string literal.
	metricMade = regexp.MustCompile(`"(omniflow_[a-z0-9_]+)"`)
	// whatRead is a value of the label by which counts of several things are told apart.
	whatRead = regexp.MustCompile(`what=~?\\?"([a-z_]+)`)
	// whatMade is such a value in Go.
	whatMade = regexp.MustCompile(`"([a-z_]+)"`)
	// alertMade is the name of an alert with all that is said about it, alertRead
	// such a name elsewhere.
	alertMade = regexp.MustCompile(`(?s)- alert: Omniflow(\w+)\n(.*?severity: (page|ticket))`)
	alertRead = regexp.MustCompile(`\bOmniflow([A-Z]\w*)`)
	// settingRead is a variable of ours that a file of deploy sets.
	settingRead = regexp.MustCompile(`\b(OMNIFLOW_[A-Z_]+|DATABASE_[A-Z_]+|[A-Z]+_BASE_URL)\b`)
	// starterCall is a command of the starter: its words, up to what is no word.
	starterCall = regexp.MustCompile(`\bstarter ([a-z]+(?: [a-z]+)?)`)
	// starterWord is the word under which the starter knows a command.
	starterWord = regexp.MustCompile(`(?:Use: |group\()"([a-z]+)|apiclient\.(Pause|Resume|Cancel),`)
)

func deployed(t *testing.T) []source {
	t.Helper()
	var files []source
	for _, f := range trackedFiles(t) {
		if strings.HasPrefix(f.path, "deploy/") && !strings.HasPrefix(f.path, "deploy/temporal/") {
			files = append(files, f)
		}
	}
	require.NotEmpty(t, files)
	return files
}

func TestDeployFilesParse(t *testing.T) {
	t.Parallel()
	files := deployed(t)
	report(t, "files under deploy that cannot be read", unreadable(files))
	for _, want := range []string{"deploy/compose.yaml", "deploy/kubernetes/kustomization.yaml", "deploy/alerts/omniflow.yaml", "deploy/dashboards/omniflow.json"} {
		require.True(t, slices.ContainsFunc(files, func(f source) bool { return f.path == want }), "%s is looked at", want)
	}
}

// unreadable returns the YAML and JSON files that do not parse or hold nothing.
func unreadable(files []source) []string {
	var findings []string
	for _, f := range files {
		documents, err := documentsOf(f)
		switch {
		case err != nil:
			findings = append(findings, fmt.Sprintf("%s: %v", f.path, err))
		case documents == 0:
			findings = append(findings, f.path+": holds nothing")
		}
	}
	return findings
}

// documentsOf counts the documents of a YAML or JSON file; any other is one.
func documentsOf(f source) (int, error) {
	decode := yaml.NewDecoder(bytes.NewReader(f.text)).Decode
	switch path.Ext(f.path) {
	case ".yaml", ".yml":
	case ".json":
		decode = json.NewDecoder(bytes.NewReader(f.text)).Decode
	default:
		return 1, nil
	}
	for n := 0; ; n++ {
		var document any
		if err := decode(&document); errors.Is(err, io.EOF) {
			return n, nil
		} else if err != nil {
			return n, err
		}
		if _, ok := document.(map[string]any); !ok {
			return n, errors.New("a document is no mapping")
		}
	}
}

func TestDeployReadsMetricsThatExist(t *testing.T) {
	t.Parallel()
	made := namesIn(trackedFiles(t), isProgram, metricMade)
	require.Contains(t, made, "omniflow_attempts_total")
	read := 0
	for _, f := range deployed(t) {
		read += len(metricRead.FindAll(queriesOnly(f), -1))
	}
	require.Greater(t, read, 40, "alerts and dashboards are looked at")
	report(t, "metrics that no program exports", unknownMetrics(deployed(t), made))
}

// queriesOnly is the text of an alert or dashboard, nothing of any other file.
func queriesOnly(f source) []byte {
	if strings.HasPrefix(f.path, "deploy/alerts/") || strings.HasPrefix(f.path, "deploy/dashboards/") {
		return f.text
	}
	return nil
}

func unknownMetrics(files []source, made []string) []string {
	var findings []string
	for _, f := range files {
		for _, name := range metricRead.FindAllString(string(queriesOnly(f)), -1) {
			base := name
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				base = strings.TrimSuffix(base, suffix)
			}
			if !slices.Contains(made, name) && !slices.Contains(made, base) {
				findings = append(findings, f.path+": "+name)
			}
		}
	}
	slices.Sort(findings)
	return slices.Compact(findings)
}

// TestDeployReadsLabelsThatExist: a query by a label value that nobody exports is
// silent for ever.
func TestDeployReadsLabelsThatExist(t *testing.T) {
	t.Parallel()
	made := namesIn(trackedFiles(t), func(p string) bool { return strings.HasPrefix(p, "worker/") && isProgram(p) }, whatMade)
	require.Contains(t, made, "undecided")
	var findings []string
	read := 0
	for _, f := range deployed(t) {
		for _, m := range whatRead.FindAllStringSubmatch(string(queriesOnly(f)), -1) {
			if read++; !slices.Contains(made, m[1]) {
				findings = append(findings, f.path+": what="+m[1])
			}
		}
	}
	require.Greater(t, read, 6, "alerts and dashboards are looked at")
	report(t, "label values that no program exports", findings)
}

// TestTheRunbookKnowsItsAlerts: who is got up finds the alert in the runbook, and
// every alert that is named there rings.
func TestTheRunbookKnowsItsAlerts(t *testing.T) {
	t.Parallel()
	var alerts, runbook string
	for _, f := range deployed(t) {
		switch f.path {
		case "deploy/alerts/omniflow.yaml":
			alerts = string(f.text)
		case "deploy/README.md":
			runbook = string(f.text)
		}
	}
	require.Greater(t, len(alertMade.FindAllString(alerts, -1)), 25, "the alerts are looked at")
	report(t, "alerts that runbook and rules do not share", unknownAlerts(alerts, runbook))
}

// unknownAlerts returns the alerts that the runbook names and no rule has, and
// those that get somebody up and the runbook does not name. In a list the
// runbook gives the prefix once.
func unknownAlerts(alerts, runbook string) []string {
	var findings []string
	var made []string
	for _, m := range alertMade.FindAllStringSubmatch(alerts, -1) {
		made = append(made, m[1])
		if m[3] == "page" && !regexp.MustCompile(`\b(Omniflow)?`+m[1]+`\b`).MatchString(runbook) {
			findings = append(findings, "not in the runbook: "+m[1])
		}
	}
	for _, m := range alertRead.FindAllStringSubmatch(runbook, -1) {
		if !slices.Contains(made, m[1]) {
			findings = append(findings, "no rule: "+m[1])
		}
	}
	return findings
}

func TestDeployNamesWhatThereIs(t *testing.T) {
	t.Parallel()
	settings := namesIn(trackedFiles(t), isProgram, regexp.MustCompile(`"((?:OMNIFLOW|DATABASE)_[A-Z_]+|[A-Z]+_BASE_URL)"`))
	require.Contains(t, settings, "DATABASE_URL")
	words := namesIn(trackedFiles(t), func(p string) bool { return strings.HasPrefix(p, "starter/") && isProgram(p) }, starterWord)
	require.Subset(t, words, []string{"broadcast", "pause", "replay", "migrate"})
	report(t, "variables and commands that no program knows", unknownWords(deployed(t), settings, words))
}

// unknownWords returns the variables that files set and no program reads, and
// the words given to the starter that it does not know. The second word of a
// call counts only where the first is a group, which a lone word never shows.
func unknownWords(files []source, settings, words []string) []string {
	var findings []string
	for _, f := range files {
		text := string(f.text)
		for _, name := range settingRead.FindAllString(text, -1) {
			if !slices.Contains(settings, name) {
				findings = append(findings, f.path+": "+name)
			}
		}
		for _, call := range starterCall.FindAllStringSubmatch(text, -1) {
			parts := strings.Fields(call[1])
			if !slices.Contains(words, parts[0]) {
				continue // prose about the starter
			}
			for _, word := range parts[1:] {
				if parts[0] != "migrate" && !slices.Contains(words, word) {
					findings = append(findings, f.path+": starter "+call[1])
				}
			}
		}
	}
	slices.Sort(findings)
	return slices.Compact(findings)
}

// isProgram is true of Go files that are no tests.
func isProgram(name string) bool {
	return path.Ext(name) == ".go" && !strings.HasSuffix(name, "_test.go")
}

// namesIn gathers, in lower case where it is a Go name, the first group that
// matched of what pattern finds.
func namesIn(files []source, in func(string) bool, pattern *regexp.Regexp) []string {
	var found []string
	for _, f := range files {
		if !in(f.path) {
			continue
		}
		for _, m := range pattern.FindAllStringSubmatch(string(f.text), -1) {
			for _, group := range m[1:] {
				if group != "" && strings.ToUpper(group) != group {
					group = strings.ToLower(group)
				}
				if group != "" {
					found = append(found, group)
				}
			}
		}
	}
	return found
}

func TestDeployChecksFind(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"b.yaml: holds nothing", "c.json: unexpected EOF", "e.yaml: a document is no mapping"}, unreadable([]source{
		{"a.yaml", []byte("a: 1\n---\nb: 2\n")}, {"b.yaml", []byte("# nothing\n")}, {"c.json", []byte(`{"a":`)},
		{"d.json", []byte(`{}`)}, {"e.yaml", []byte("- a\n")}, {"f.sh", nil},
	}))

	made := []string{"omniflow_a_seconds", "omniflow_b_total"}
	require.Equal(t, []string{"deploy/alerts/x.yaml: omniflow_c_total"}, unknownMetrics([]source{
		{"deploy/alerts/x.yaml", []byte("rate(omniflow_a_seconds_bucket[5m]) omniflow_b_total omniflow_c_total")},
		{"deploy/README.md", []byte("omniflow_d_total")},
	}, made))

	rules := "- alert: OmniflowA\n labels: {severity: page}\n- alert: OmniflowB\n labels: {severity: ticket}\n- alert: OmniflowC\n labels: {severity: page}\n"
	require.Equal(t, []string{"not in the runbook: C", "no rule: D"}, unknownAlerts(rules, "| OmniflowD, A | AC |"))

	require.Equal(t, []string{"x: OMNIFLOW_NO", "x: starter broadcast stop"}, unknownWords([]source{
		{"x", []byte("OMNIFLOW_LISTEN OMNIFLOW_NO; starter broadcast pause B; starter broadcast stop B; the starter is small")},
	}, []string{"OMNIFLOW_LISTEN"}, []string{"broadcast", "pause"}))
}
