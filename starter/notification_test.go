package main

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNotificationCommands(t *testing.T) {
	t.Parallel()
	const list = `{"items":[{"id":"n2","kind":"ended","text":"Jess 已將對話結束。","conversation_id":"c1"},
		{"id":"n1","kind":"customer_message","conversation_id":"c1","conversation_name":"王小明"}],"next":"n1","unread":7}`
	for _, test := range []struct {
		args   []string
		answer string
		asked  string
		says   []string
	}{
		{[]string{"list", "--unread"}, list, "GET /v1/notifications?limit=50&unread=true", []string{"Jess 已將對話結束。", "王小明 wrote", "7 unread\n", "more: --after n1"}},
		{[]string{"list", "--limit", "2", "--after", "n9"}, list, "GET /v1/notifications?after=n9&limit=2", []string{"customer_message"}},
		{[]string{"read", "n1", "n2"}, `{"unread":5}`, `POST /v1/notifications:read {"ids":["n1","n2"]}`, []string{"5 unread\n"}},
		{[]string{"read", "--up-to", "n2"}, `{"unread":0}`, `POST /v1/notifications:read {"up_to":"n2"}`, []string{"0 unread\n"}},
	} {
		t.Run(test.asked, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, answer(200, test.answer))
			code, out, errs := s.run(t.Context(), append([]string{"notification"}, test.args...)...)
			require.Zero(t, code, errs)
			require.Equal(t, []string{test.asked}, s.requests)
			for _, says := range test.says {
				require.Contains(t, out, says)
			}
		})
	}
	s := newShell(t, answer(200, `{}`))
	for _, args := range [][]string{{"read"}, {"read", "n1", "--up-to", "n2"}, {"list", "n1"}, {"forget"}} {
		code, _, _ := s.run(t.Context(), append([]string{"notification"}, args...)...)
		require.Equal(t, 2, code, "%v", args)
	}
	require.Empty(t, s.requests)
}

func TestNotificationWatchPrintsWhatComes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"for people":   {nil, `^\S+  c1  王小明 wrote\n\S+  c1  Jess 已將對話結束。\n$`},
		"for programs": {[]string{"--json"}, `^{"id":"n1",.*}\n{"id":"n2",.*"close_room":true.*}\n$`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			s := newShell(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Last-Event-ID") == "p2" { // all was printed
					cancel()
					return
				}
				_, _ = io.WriteString(w, `id: p0

event: notification
data: {"id":"n1","kind":"customer_message","conversation_id":"c1","conversation_name":"王小明"}

id: p2
event: notification
data: {"id":"n2","kind":"ended","conversation_id":"c1","text":"Jess 已將對話結束。","close_room":true}

`)
			})
			code, out, errs := s.run(ctx, append([]string{"notification", "watch"}, test.args...)...)
			require.Zero(t, code, errs)
			require.Regexp(t, test.want, out)
		})
	}
}
