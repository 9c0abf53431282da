package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAutoCloseCommands(t *testing.T) {
	t.Parallel()
	const rule = `{"id":"r1","channels":["line","whatsapp"],"duration_seconds":3600,"grace_seconds":90,"reminder":"還在嗎？","exclude_pinned":true,"quiet_from":"22:00","quiet_until":"08:00"}`
	for _, test := range []struct {
		name   string
		args   []string
		answer string
		asked  string
		says   string
	}{
		{"add says what the API stored", []string{"add", "--name", "n", "--channel", "line", "--after", "1h", "--reminder", "r"}, rule,
			`POST /v1/auto-close-rules {"name":"n","channels":["line"],"enabled":true,"duration_seconds":3600,"grace_seconds":120,"reminder":"r"}`,
			"auto-close rule r1: conversations on line, whatsapp end after 1h0m0s of silence\nfirst a reminder, and the end 1m30s after it: 還在嗎？\n" +
				"pinned conversations stay open\nquiet hours: 22:00 to 08:00, in the team's zone\n"},
		{"a rule without anything", []string{"add", "--name", "n", "--channel", "line"}, `{"id":"r1","channels":["line"],"duration_seconds":86400,"grace_seconds":120}`,
			`POST /v1/auto-close-rules {"name":"n","channels":["line"],"enabled":true,"duration_seconds":86400,"grace_seconds":120}`,
			"auto-close rule r1: conversations on line end after 24h0m0s of silence\nno reminder\npinned conversations end too\nquiet hours: none\n"},
		{"a 0 is sent as it is given", []string{"add", "--name", "n", "--channel", "line", "--after", "0s", "--grace", "0s"}, rule,
			`POST /v1/auto-close-rules {"name":"n","channels":["line"],"enabled":true,"duration_seconds":0,"grace_seconds":0}`, "r1"},
		{"list", []string{"list"}, `{"items":[{"id":"r1","name":"n","channels":["line"],"duration_seconds":90}]}`, "GET /v1/auto-close-rules", "1m30s"},
		{"remove", []string{"remove", "r1"}, ``, "DELETE /v1/auto-close-rules/r1", "r1 deleted\n"},
		{"the survey", []string{"survey"}, `{"text":"s","channels":["line","facebook"]}`, `GET /v1/teams/T/survey`, "survey on line, facebook: s\n"},
		{"no survey", []string{"survey"}, `{"text":""}`, `GET /v1/teams/T/survey`, "no survey\n"},
		{"set the survey", []string{"survey", "--text", "s"}, `{"text":"s"}`, `PUT /v1/teams/T/survey {"text":"s"}`, "survey on every channel: s\n"},
		{"on some channels", []string{"survey", "--text", "s", "--channel", "line"}, `{"text":"s"}`, `PUT /v1/teams/T/survey {"text":"s","channels":["line"]}`, "survey on line: s\n"},
		{"remove the survey", []string{"survey", "--remove"}, `{"text":""}`, `PUT /v1/teams/T/survey {"text":""}`, "no survey\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, answer(200, test.answer))
			code, out, errs := s.run(t.Context(), append([]string{"auto-close"}, test.args...)...)
			require.Zero(t, code, errs)
			require.Equal(t, []string{test.asked}, s.requests)
			require.Contains(t, out, test.says)
		})
	}
	for says, args := range map[string][]string{
		"--after is whole seconds, not 1.5s":              {"add", "--name", "n", "--channel", "line", "--after", "1500ms"},
		"--grace is whole seconds, not 500ms":             {"add", "--name", "n", "--channel", "line", "--grace", "500ms"},
		"--text is empty; --remove takes the survey away": {"survey", "--text", ""},
		"--channel goes with --text":                      {"survey", "--channel", "line"},
		"[remove text] were all set":                      {"survey", "--remove", "--text", "s"},
	} {
		s := newShell(t, answer(200, `{}`))
		code, _, errs := s.run(t.Context(), append([]string{"auto-close"}, args...)...)
		require.Equal(t, 2, code)
		require.Contains(t, errs, says)
		require.Empty(t, s.requests)
	}
}
