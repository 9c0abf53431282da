package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/apiclient"
)

func TestConversationCommands(t *testing.T) {
	t.Parallel()
	const one = `{"id":"c1","channel":"line","name":"王小明","state":"handling","follower_id":null,"follower_name":"Jess","unread":2,"waiting":"over_30m","window":"open","version":3,"workflow_id":"conversation/t/c1","result":"exists_ask_takeover"}`
	for _, test := range []struct {
		args   []string
		answer string
		asked  string
		says   string
	}{
		{[]string{"conversation", "list", "--view", "my_handling", "--waiting", "--sort", "waiting"}, `{"items":[` + one + `],"next":"n"}`,
			"GET /v1/conversations?limit=50&sort=waiting&view=my_handling&waiting=true", "more: --after n"},
		{[]string{"conversation", "list", "--member-region", "north", "--member-store", "s"}, `{"items":[` + one + `]}`,
			"GET /v1/conversations?limit=50&member_region=north&member_store=s", "王小明"},
		{[]string{"conversation", "show", "c1"}, one, "GET /v1/conversations/c1", "conversation   c1\ncustomer       王小明\nchannel        line\nstate          handling\n" +
			"follower       Jess\ncollaborators  -\nunread         2\nwaiting        30m+\nwindow         open\npinned         no\nlast message   -\nversion        3\nworkflow       conversation/t/c1\n"},
		{[]string{"conversation", "show", "c1"}, `{"id":"c1","window":"template_only","hint":"超過 24 小時"}`, "GET /v1/conversations/c1", "window         template_only: 超過 24 小時\n"},
		{[]string{"conversation", "follow", "c1", "--version", "3"}, one, `POST /v1/conversations/c1:follow {"version":3}`, "handling"},
		{[]string{"conversation", "transfer", "c1", "--to", "m1"}, one, `POST /v1/conversations/c1:transfer {"receiver_id":"m1"}`, "handling"},
		{[]string{"conversation", "take-over", "c1", "--reason", "away"}, one, `POST /v1/conversations/c1:take-over {"reason":"away"}`, "handling"},
		{[]string{"conversation", "pin", "c1"}, one, "POST /v1/conversations/c1:pin", "conversation c1 pinned\n"},
		{[]string{"conversation", "unpin", "c1"}, one, "POST /v1/conversations/c1:unpin", "conversation c1 no longer pinned\n"},
		{[]string{"conversation", "view", "c1"}, one, "POST /v1/conversations/c1:view", "conversation c1 viewed\n"},
		{[]string{"conversation", "list"}, `{"items":[]}`, "GET /v1/conversations?limit=50", "none\n"},
		{[]string{"conversation", "create", "--account", "a1", "--phone", "+85291234567"}, one,
			`POST /v1/conversations {"channel_account_id":"a1","phone":"+85291234567"}`, "Jess has it (handling): --take-over"},
		{[]string{"conversation", "log", "c1"}, `{"items":[{"at":"2026-01-02T03:04:05Z","kind":"log","event":"end","text":"Jess 結束了對話。"}]}`, "GET /v1/conversations/c1/log", "Jess 結束了對話。"},
		{[]string{"conversation", "log", "c1"}, `{"items":[{"at":"2026-01-02T03:04:05Z","kind":"log","event":"keyword_assignment","from":"closed","to":"handling","actor":"系統","follower":"Jess"}]}`,
			"GET /v1/conversations/c1/log", "keyword_assignment  closed  handling  系統   Jess      -"},
		{[]string{"conversation", "messages", "c1"}, `{"items":[{"id":"x1","direction":"out","origin":"reminder","state":"read","text":"還在嗎"}],"next":"n"}`,
			"GET /v1/conversations/c1/messages?limit=50", "還在嗎"},
		{[]string{"conversation", "messages", "c1"}, `{"items":[{"id":"x1","direction":"in","text":"L 號","quoted_id":"wamid.1","quoted_text":"藍色？"}]}`,
			"GET /v1/conversations/c1/messages?limit=50", "(to: 藍色？) L 號"},
		{[]string{"conversation", "messages", "c1"}, `{"items":[{"id":"x1","direction":"in","text":"","media":[{"id":"f1","kind":"image","name":"cat.png","state":"stored"},
			{"id":null,"kind":"video","state":"unavailable","code":"media_unavailable"}]}]}`, "GET /v1/conversations/c1/messages?limit=50",
			"[image cat.png stored f1] [video unavailable media_unavailable]"},
		{[]string{"conversation", "messages", "c1"}, `{"items":[{"id":"x1","direction":"in","sticker":{"package_id":"446","sticker_id":"1988"}}]}`,
			"GET /v1/conversations/c1/messages?limit=50", "[sticker 446/1988]"},
		{[]string{"conversation", "send", "c1", "--text", "hi", "--quote", "x1"}, `{"id":"x2","state":"queued"}`,
			`POST /v1/conversations/c1/messages {"kind":"text","text":"hi","quoted_message_id":"x1"}`, "message x2 is queued"},
		{[]string{"conversation", "send", "c1", "--shopping-link", "https://a.b/c"}, `{"id":"x2","state":"queued"}`,
			`POST /v1/conversations/c1/messages {"kind":"shopping_link","text":"https://a.b/c"}`, "message x2 is queued"},
		{[]string{"conversation", "send", "c1", "--media", "f1", "--kind", "file"}, `{"id":"x2","state":"queued"}`,
			`POST /v1/conversations/c1/messages {"kind":"file","media_id":"f1"}`, "message x2 is queued"},
		{[]string{"conversation", "resend", "c1", "x2"}, `{"id":"x2","state":"queued"}`, "POST /v1/conversations/c1/messages/x2:resend", "message x2 is queued"},
		{[]string{"keyword", "add", "--keyword", "k", "--reply", "r"}, `{"id":"k1"}`, `POST /v1/keyword-rules {"keyword":"k","match":"exact","reply":"r"}`, "k1 saved"},
		{[]string{"keyword", "replace", "k1", "--keyword", "k", "--ask-human"}, `{"id":"k1"}`, `PUT /v1/keyword-rules/k1 {"keyword":"k","match":"exact","ask_human":true}`, "k1 saved"},
		{[]string{"keyword", "list"}, `{"items":[{"id":"k1","keyword":"k","assign_to":"00000000-0000-0000-0000-000000000000"}]}`, "GET /v1/keyword-rules?limit=50", "k1"},
		{[]string{"keyword", "remove", "k1"}, ``, "DELETE /v1/keyword-rules/k1", "k1 deleted"},
	} {
		t.Run(test.args[0]+" "+test.args[1], func(t *testing.T) {
			t.Parallel()
			s := newShell(t, answer(200, test.answer))
			code, out, errs := s.run(t.Context(), test.args...)
			require.Zero(t, code, errs)
			require.Equal(t, []string{test.asked}, s.requests)
			require.Contains(t, out, test.says)
		})
	}
	s := newShell(t, answer(422, `{"code":"invalid_transition","detail":"it is followed by Jess","status":422,"rule":"D-CNV-5"}`))
	code, _, errs := s.run(t.Context(), "conversation", "follow", "c1")
	require.Equal(t, 1, code)
	require.Contains(t, errs, "followed by Jess")
	code, _, _ = s.run(t.Context(), "conversation", "transfer", "c1")
	require.Equal(t, 2, code, "--to is required")
}

func TestConversationWatchEndsWithTheConversation(t *testing.T) {
	t.Parallel()
	s := newShell(t, func(w http.ResponseWriter, r *http.Request) {
		body := `{"id":"c1","state":"closed","follower_name":"Jess","waiting":"none"}`
		if strings.HasSuffix(r.URL.Path, "/messages") {
			body = `{"items":[{"id":"2","at":"2026-01-02T03:05:05Z","direction":"out","origin":"survey","state":"sent","text":"how was it"},
				{"id":"1","at":"2026-01-02T03:04:05Z","direction":"in","text":"hello"}]}`
		}
		_, _ = io.WriteString(w, body)
	})
	code, out, errs := s.run(t.Context(), "conversation", "watch", "c1")
	require.Zero(t, code, errs)
	require.Regexp(t, `(?s)^\S+  customer  hello\n\S+  survey    how was it \[sent\]\nconversation is closed, followed by Jess, waiting -, version 0\n$`, out)
}

func TestConversationWaits(t *testing.T) {
	t.Parallel()
	since := time.Now()
	for _, test := range []struct {
		c    apiclient.Conversation
		want string
	}{
		{apiclient.Conversation{State: "handling", Waiting: "none"}, "-"},
		{apiclient.Conversation{State: "handling", Waiting: "none", WaitingSince: &since}, "<30m"},
		{apiclient.Conversation{State: "pending_human", Waiting: "none", WaitingSince: &since}, "<30m"},
		{apiclient.Conversation{State: "pending_human", Waiting: "over_30m", WaitingSince: &since}, "30m+"},
		{apiclient.Conversation{State: "handling", Waiting: "over_2h", WaitingSince: &since}, "2h+"},
		{apiclient.Conversation{State: "pending_bot", Waiting: "none", WaitingSince: &since}, "-"},
		{apiclient.Conversation{State: "closed", Waiting: "none", WaitingSince: &since}, "-"},
	} {
		require.Equal(t, test.want, waits(test.c), "%+v", test.c)
	}
}

// TestConversationLogWithoutSystemRows: what was written into the conversation
// about a step says the same once more.
func TestConversationLogWithoutSystemRows(t *testing.T) {
	t.Parallel()
	const log = `{"items":[{"at":"2026-01-02T03:04:05Z","kind":"log","event":"follow","text":"followed"},
		{"at":"2026-01-02T03:04:05Z","kind":"system","event":"follow","text":"told"}]}`
	s := newShell(t, answer(200, log))
	code, out, errs := s.run(t.Context(), "conversation", "log", "c1")
	require.Zero(t, code, errs)
	require.Contains(t, out, "followed")
	require.NotContains(t, out, "told")
	code, out, errs = s.run(t.Context(), "conversation", "log", "c1", "--all")
	require.Zero(t, code, errs)
	require.Contains(t, out, "told")
}
