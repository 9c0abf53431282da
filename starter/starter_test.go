package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/keyring"
)

// shell runs command lines against a server that answers with handler.
type shell struct {
	env map[string]string
	in  string

	mu       sync.Mutex
	requests []string // "POST /v1/teams {…}"
	keys     []string // their idempotency keys
}

func newShell(t *testing.T, handler http.HandlerFunc) *shell {
	t.Helper()
	s := &shell{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client has gone
		}
		s.mu.Lock()
		s.requests = append(s.requests, strings.TrimSpace(r.Method+" "+r.URL.String()+" "+string(body)))
		s.keys = append(s.keys, r.Header.Get("Idempotency-Key"))
		s.mu.Unlock()
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	s.env = map[string]string{"OMNIFLOW_API_URL": server.URL, "OMNIFLOW_TOKEN": "tok", "OMNIFLOW_TEAM": "T"}
	return s
}

// answer is a handler that always says the same.
func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body) // the client may have gone
	}
}

func (s *shell) run(ctx context.Context, args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = run(ctx, args, surroundings{
		getenv: func(k string) string { return s.env[k] }, in: strings.NewReader(s.in), out: &o, err: &e,
	})
	return code, o.String(), e.String()
}

// laneRate is a broadcast B whose account has a rate that was set for a lane of
// the broadcast of; "" for the account.
func laneRate(of string) string {
	return `{"id":"B","state":"running","lanes":[{"channel":"line","channel_account_id":"A","control":"running","rate_now":10,"limit_per_second":20,
		"account_limit_per_second":200,"rate_of":"` + of + `","rate_by":"M","rate_by_name":"陳小姐","rate_at":"2026-05-04T03:00:00Z","waiting":{"kind":""}}]}`
}

func TestCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	secrets := write("s.json", `{"token":"a","app_secret":"b"}`)
	csv := write("c.csv", "customer_id\nC1\n")
	detail := `{"id":"B","name":"n","actor_id":"M","actor_name":"Jess","state":"running","workflow_id":"w","counts":{"planned":9,"sent":5},
		"lanes":[{"channel":"line","channel_account_id":"A","control":"paused","control_reason":"lunch",
		"waiting":{"kind":"paused","by":"M","by_name":"陳小姐","code":"lunch"},"counts":{"planned":9,"sent":5}}]}`
	tests := []struct {
		name, args, answer, request, out string
	}{
		{"team create", "team create --name n --reconcile-after 30s", `{"team_id":"T9"}`,
			`POST /v1/teams {"name":"n","plan":"omo","reconcile_after_seconds":30}`, "team T9 made; next: export OMNIFLOW_TEAM=T9\n"},
		{"member create", "member create --name n --role sales_staff", `{"id":"M"}`,
			`POST /v1/teams/T/members {"name":"n","role":"sales_staff"}`, "member M made; next: starter token create --member M\n"},
		{"member list", "member list --limit 2", `{"items":[{"id":"M","name":"陳小姐","role":"sales_staff","store":"大安店","state":"active"},{"id":"N","name":"Jess","role":"cs_agent","state":"active"}],"next":"N"}`,
			"GET /v1/teams/T/members?limit=2", "ID  NAME    ROLE         STORE   STATE\nM   陳小姐  sales_staff  大安店  active\nN   Jess    cs_agent     -       active\nmore: --after N\n"},
		{"token create", "token create --team X --member M --expires-in 1h", `{"token":"t.o.k"}`,
			`POST /v1/teams/X/tokens {"member_id":"M","expires_in_seconds":3600}`, "t.o.k\n"},
		{"key create", "key create --member M --name n", `{"id":"K","key":"omk_x"}`,
			`POST /v1/teams/T/machine-keys {"member_id":"M","name":"n"}`, "omk_x\n"},
		{"account create", "account create --channel line --name n --external-id U1 --rate 5 --secrets " + secrets, `{"id":"A","webhook_path":"/webhooks/line/A"}`,
			`POST /v1/teams/T/channel-accounts {"channel":"line","name":"n","external_id":"U1","secrets":{"token":"a","app_secret":"b"},"rate_per_second":5}`,
			"account A made; register the webhook /webhooks/line/A at the provider\n"},
		{"account list", "account list --limit 2", `{"items":[{"id":"A","channel":"line","name":"n","state":"stopped","stop_code":"190",
			"limiters":[{"name":"messages","limit_per_second":120,"rate_now":60,"reason":"429"}]}],"next":"zz"}`,
			"GET /v1/teams/T/channel-accounts?limit=2", "ID  CHANNEL  NAME  STATE         LIMITS\nA   line     n     stopped: 190  messages 60 of 120/s (429)\nmore: --after zz\n"},
		{"an account with a lane's rate", "account list", `{"items":[{"id":"A","channel":"line","state":"active",
			"limiters":[{"name":"multicast","limit_per_second":20,"account_limit_per_second":200,"rate_now":20}]}],"next":""}`,
			"GET /v1/teams/T/channel-accounts?limit=50", "multicast 20 of 20/s, the account's own 200\n"},
		{"account rate", "account rate A --rate 7 --reason why", `{}`,
			`PUT /v1/teams/T/channel-accounts/A/rate {"rate_per_second":7,"reason":"why"}`, "account A may send 7 messages a second\n"},
		{"account resume", "account resume A --reason paid", `{}`,
			`POST /v1/teams/T/channel-accounts/A:resume {"reason":"paid"}`, "account A sends again\n"},
		{"template create", "template create --waba-id W --name hi --language zh_TW --body-params 2", `{"id":"X","name":"hi"}`,
			`POST /v1/teams/T/templates {"waba_id":"W","name":"hi","language":"zh_TW","body_params":2}`, "template hi registered as X\n"},
		{"a template with a picture at its head", "template create --waba-id W --name hi --language zh_TW --header image", `{"id":"X","name":"hi"}`,
			`POST /v1/teams/T/templates {"waba_id":"W","name":"hi","language":"zh_TW","body_params":0,"header":"image"}`, "template hi registered as X\n"},
		{"customer import", "customer import --follower M " + csv,
			`{"rows":3,"imported":1,"duplicates":[{"line":4,"of_line":2,"reason":"duplicate_identity"}],"rejected":[{"line":3,"reason":"phone_invalid","column":"phone"}],"warnings":[]}`,
			"POST /v1/teams/T/imports?follower_id=M customer_id\nC1",
			"3 rows: 1 imported, 0 updated, 1 duplicates, 1 rejected, 0 warnings\n" +
				"LINE  WHAT       COLUMN  REASON\n3     rejected   phone   phone_invalid\n4     duplicate  -       duplicate_identity (as line 2)\n"},
		{"group create", "group create --account A --name n --member +1 --member +2", `{"id":"G","workflow_id":"w","state":"reviewing"}`,
			`POST /v1/groups {"channel_account_id":"A","name":"n","members":["+1","+2"]}`, "group G accepted, workflow w\n"},
		{"group list", "group list --state failed", `{"items":[{"id":"G","title":"[群組] n","state":"failed","code":"review_timeout","view":"my_handling"}],"next":""}`,
			"GET /v1/groups?limit=50&state=failed", "ID  TITLE     STATE   CODE            VIEW         CREATED\nG   [群組] n  failed  review_timeout  my_handling  -\n"},
		{"group watch", "group watch G", `{"id":"G","title":"t","state":"created","conversation_state":"handling","members":[{"id":"M","name":"陳小姐","state":"joined"}]}`,
			"GET /v1/groups/G", "group G t: created, handling, waits for -\nMEMBER  NAME    STATE   CODE  WAITS FOR\nM       陳小姐  joined  -     -\n"},
		{"group add", "group add G +886912345678", `{"id":"M","state":"inviting","waiting":{"for":"the number to join"}}`,
			`POST /v1/groups/G/members {"phone":"+886912345678"}`, "member M is inviting, waits for the number to join\n"},
		{"group remove", "group remove G M", `{"id":"M","state":"remove_pending"}`, "DELETE /v1/groups/G/members/M", "member M is remove_pending, waits for -\n"},
		{"group approve", "group approve G M", `{"id":"M","state":"inviting"}`, "POST /v1/groups/G/members/M:approve", "member M is inviting, waits for -\n"},
		{"group send", "group send G --text hi", `{"id":"X","state":"queued"}`, `POST /v1/groups/G/messages {"kind":"text","text":"hi"}`, "message X is queued\n"},
		{"group transfer", "group transfer G --to M", `{"id":"G","title":"t","state":"created"}`, `POST /v1/groups/G:transfer {"receiver_id":"M"}`,
			"group G t: created, -, waits for -\nno members\n"},
		{"broadcast list", "broadcast list", `{"items":[{"id":"B","state":"finished","outcome":"completed","counts":{"planned":3,"read":3}}],"next":""}`,
			"GET /v1/broadcasts?limit=50", "ID  NAME  STATE                CREATED  PLANNED  QUEUED  SENDING  SENT  RECEIVED  READ  FAILED  SKIPPED  CANCELLED  UNKNOWN\n" +
				"B   -     finished, completed  -        3        0       0        0     0         3     0       0        0          0\n"},
		{"broadcast show", "broadcast show B", detail, "GET /v1/broadcasts/B", "broadcast B n by Jess: running, workflow w\n" +
			"CHANNEL  ACCOUNT  CONTROL         PLANNED  QUEUED  SENDING  SENT  RECEIVED  READ  FAILED  SKIPPED  CANCELLED  UNKNOWN  RATE  WAITING\n" +
			"line     A        paused (lunch)  9        0       0        5     0         0     0       0        0          0        -     paused by 陳小姐 (lunch)\n" +
			"total                             9        0       0        5     0         0     0       0        0          0              \n"},
		{"a lane whose rate was set", "broadcast show B", laneRate("B"), "GET /v1/broadcasts/B",
			"rate of line A: 20/s until this lane has ended, then 200/s; set by 陳小姐 at "},
		{"a lane that another one slows", "broadcast show B", laneRate("C"), "GET /v1/broadcasts/B",
			"rate of line A: 20/s until the lane of broadcast C has ended, then 200/s; set by 陳小姐 at "},
		{"a rate of the account's own", "broadcast show B", laneRate(""), "GET /v1/broadcasts/B", "rate of line A: 20/s, the account's own; set by 陳小姐 at "},
		{"a lane that is slower than its rate", "broadcast show B", laneRate("B"), "GET /v1/broadcasts/B", "  10 of 20/s  -\n"},
		{"broadcast check", "broadcast check --file " + write("b.json", `{"kind":"broadcast_message","audience":{"all":true},"messages":[{"kind":"text","text":"x"}]}`),
			`{"would_start":true,"recipients":9,"eligible":7,"rows":7,"lanes":[{"channel":"line","channel_account_id":"A","recipients":9,"eligible":7,"usage":7,
			"skipped":[{"code":"customer_blocked","recipients":2}],"quota":{"state":"short","limit":5,"used":3}}]}`,
			`POST /v1/broadcasts:preflight?limit=50 {"kind":"broadcast_message","audience":{"all":true},"messages":[{"kind":"text","text":"x"}]}`,
			"would start: 7 of 9 recipients are eligible, 7 messages\n" +
				"CHANNEL  ACCOUNT  ELIGIBLE  SKIPPED             USAGE  QUOTA                FINISH  ACCOUNT IS\n" +
				"line     A        7/9       customer_blocked 2  7      short (3 of 5 used)  -       ready\n"},
		{"a stopped lane says what to do", "broadcast show B", `{"id":"B","state":"running","lanes":[{"channel":"whatsapp","channel_account_id":"A","stop_code":"190","next_step":"make a token"}]}`,
			"GET /v1/broadcasts/B", "next for whatsapp A: make a token\n"},
		{"a stopped account says what to do", "account list", `{"items":[{"id":"A","channel":"line","state":"stopped","stop_code":"403","next_step":"change the plan"}],"next":""}`,
			"GET /v1/teams/T/channel-accounts?limit=50", "next for line A: change the plan\n"},
		{"broadcast approve", "broadcast approve B --reason late", detail, `POST /v1/broadcasts/B:approve {"reason":"late"}`, "broadcast B n"},
		{"broadcast retry", "broadcast retry B --scope list --conversation V,W", `{"id":"C","retry_of":"B","rows":3,"reasons":[{"code":"opted_out","rows":2}]}`,
			`POST /v1/broadcasts/B:retry {"scope":"list","conversation_ids":["V","W"]}`,
			"broadcast C repeats 3 messages of B\n2 of them failed with opted_out, which a retry will hardly mend\n"},
		{"broadcast retry with another template", "broadcast retry B --scope rest --template spring --language zh_TW --param a --header image=P", `{"id":"C","retry_of":"B","rows":3,"reasons":[]}`,
			`POST /v1/broadcasts/B:retry {"scope":"rest","template":{"name":"spring","language":"zh_TW","params":["a"],"header":{"kind":"image","media_id":"P"}}}`,
			"broadcast C repeats 3 messages of B\n"},
		{"audit with names", "audit B", `{"items":[{"actor_id":"M","actor_name":"陳小姐","action":"broadcast.pause","object":"B"}],"next":""}`,
			"GET /v1/audit?limit=50&object=B", "AT  ACTOR   ACTION           OBJECT  REASON\n-   陳小姐  broadcast.pause  B       -\n"},
		{"audit", "audit B", `{"items":[{"actor_id":"M","action":"broadcast.pause","object":"B","reason":"lunch"}],"next":""}`,
			"GET /v1/audit?limit=50&object=B", "AT  ACTOR  ACTION           OBJECT  REASON\n-   M      broadcast.pause  B       lunch\n"},
		{"broadcast pause", "broadcast pause B --account A --reason lunch", detail, `POST /v1/broadcasts/B:pause {"reason":"lunch","channel_account_id":"A"}`, "paused (lunch)"},
		{"broadcast rate", "broadcast rate B --account A --rate 3", detail, `POST /v1/broadcasts/B:rate {"channel_account_id":"A","rate_per_second":3}`, "broadcast B n"},
		{"recipients", "broadcast recipients B --state failed --code x", `{"items":[{"conversation_id":"V","customer_id":"C1","channel":"line","ordinal":1,"state":"failed","code":"x","attempt":2}],"next":""}`,
			"GET /v1/broadcasts/B/recipients?code=x&limit=50&state=failed", "CONVERSATION  CUSTOMER  CHANNEL  MESSAGE  STATE   CODE  ATTEMPT  SENT\nV             C1        line     1        failed  x     2        -\n"},
		{"timeline", "broadcast timeline B V", `{"items":[{"kind":"attempt","attempt":1,"http_status":500,"latency_ms":12,"code":"provider_unavailable"}]}`,
			"GET /v1/broadcasts/B/recipients/V/timeline", "AT  MESSAGE  KIND     STATE  CODE                  UNTIL  ATTEMPT  HTTP  MS  PROVIDER ID  TRACE\n-   0        attempt  -      provider_unavailable  -      1        500   12  -            -\n"},
		{"dead letters", "deadletter list", `{"items":[{"id":"D","channel":"line","reason":"no message"}],"next":""}`,
			"GET /v1/dead-letters?limit=50", "ID  CHANNEL  CREATED  REPLAYED  REASON\nD   line     -        -         no message\n"},
		{"replay", "deadletter replay D", `{}`, "POST /v1/dead-letters/D:replay", "dead letter D goes through the relay again\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, answer(200, tt.answer))
			code, out, errs := s.run(context.Background(), strings.Fields(tt.args)...)
			require.Zero(t, code, errs)
			require.Empty(t, errs)
			require.Contains(t, out, tt.out)
			require.Equal(t, []string{tt.request}, s.requests)

			code, out, _ = s.run(context.Background(), append([]string{"--json"}, strings.Fields(tt.args)...)...)
			require.Zero(t, code)
			require.Equal(t, tt.answer+"\n", out, "--json prints the answer as it came")
		})
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	const known, invalid = "01a1f917-f04c-736b-8e47-429ded45f956", `{"code":"input_invalid","errors":[{"message":"must be an id","location":"body"}]}`
	const anID = " must be an id such as 01a1f917-f04c-736b-8e47-429ded45f955, not a number or a name\n"
	tests := []struct {
		name, args string
		status     int
		answer     string
		code       int
		errs       string
	}{
		{"a rule says no", "broadcast show B", 422, `{"code":"broadcast_message_count","detail":"6 messages,\n at most 5","rule":"BRD-05"}`, 1,
			"starter: broadcast_message_count: 6 messages, at most 5 (BRD-05)\n"},
		{"a known next step", "broadcast show B", 401, `{"code":"unauthenticated","detail":"no token"}`, 1,
			"starter: unauthenticated: no token; set OMNIFLOW_TOKEN to a valid token (starter token create, or starter token platform)\n"},
		{"unknown command", "team bogus", 200, ``, 2, "starter: usage: unknown command \"bogus\" for \"starter team\"; see starter team --help\n"},
		{"unknown flag", "team create --nam n", 200, ``, 2, "starter: usage: unknown flag: --nam; see starter team create --help\n"},
		{"missing flag", "team create", 200, ``, 2, "starter: usage: required flag(s) \"name\" not set; see starter team create --help\n"},
		{"missing argument", "broadcast show", 200, ``, 2, "starter: usage: accepts 1 arg(s), received 0; see starter broadcast show --help\n"},
		{"no database", "migrate", 200, ``, 2, "starter: usage: DATABASE_URL is not set; see starter migrate --help\n"},
		{"an unknown word", "bogus", 200, ``, 2, "starter: usage: unknown command \"bogus\" for \"starter\"; see starter --help\n"},
		{"a page too long", "conversation list --limit 999", 200, ``, 2,
			"starter: usage: invalid argument \"999\" for \"--limit\" flag: limit is 1 to 200; see starter conversation list --help\n"},
		{"messages of a group, too many", "group messages G --limit 0", 200, ``, 2,
			"starter: usage: invalid argument \"0\" for \"--limit\" flag: limit is 1 to 200; see starter group messages --help\n"},
		{"a flag that is no id", "token create --member nope", 422, invalid, 1, "starter: input_invalid: --member \"nope\"" + anID},
		{"a receiver that is no id", "conversation transfer " + known + " --to nope", 422, invalid, 1, "starter: input_invalid: --to \"nope\"" + anID},
		{"a filter that is no id", "conversation list --member nope", 422, `{"code":"bad_query","detail":"member is the id of a member","rule":"SRC-04"}`, 1,
			"starter: bad_query: --member \"nope\"" + anID},
		{"an argument that is no id", "conversation resend " + known + " 7", 422, invalid, 1, "starter: input_invalid: MESSAGE \"7\"" + anID},
		{"several that are none", "conversation collaborator add 1 " + known + " Lin", 422, invalid, 1,
			"starter: input_invalid: CONVERSATION \"1\" and MEMBER \"Lin\"" + anID},
		{"ids in a list", "broadcast retry " + known + " --scope list --conversation " + known + ",x", 422, invalid, 1, "starter: input_invalid: --conversation \"x\"" + anID},
		{"a conversation of somebody else", "conversation show " + known, 403, `{"code":"permission_denied","rule":"D-ROL-3","detail":"another member follows it"}`, 1,
			"starter: permission_denied: another member follows it (D-ROL-3)\n"},
		{"a number that is no id", "group add " + known + " 12", 422, `{"code":"input_invalid","detail":"no"}`, 1, "starter: input_invalid: no\n"},
		{"a refusal of something else", "conversation transfer C --to M", 422, `{"code":"receiver_inactive","detail":"no"}`, 1,
			"starter: receiver_inactive: no\n"},
		{"no such file", "customer import nowhere.csv", 200, ``, 1, "starter: open nowhere.csv: no such file or directory\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, answer(tt.status, tt.answer))
			code, out, errs := s.run(context.Background(), strings.Fields(tt.args)...)
			require.Equal(t, tt.code, code)
			require.Empty(t, out)
			require.Equal(t, tt.errs, errs)
		})
	}
}

// TestCheckOfARefusedBroadcast: a script sees by the exit code that the start
// would be refused; a person sees why, and what would go where.
func TestCheckOfARefusedBroadcast(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "b.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"kind":"broadcast_message","audience":{"all":true},"messages":[{"kind":"text","text":"x"}]}`), 0o600))
	s := newShell(t, answer(200, `{"would_start":false,"recipients":9,"eligible":7,"problem":{"code":"broadcast_content_unsupported","detail":"video cannot be sent to [instagram]","rule":"BRD-06"},
		"lanes":[{"channel":"line","channel_account_id":"A","recipients":9,"eligible":7,"quota":{"state":"unknown"},"stop_code":"403","next_step":"change the plan"}]}`))
	for _, flags := range [][]string{nil, {"--recipients"}, {"--json"}} {
		code, out, errs := s.run(context.Background(), append([]string{"broadcast", "check", "--file", file}, flags...)...)
		require.Equal(t, 1, code)
		require.Equal(t, "starter: broadcast_content_unsupported: video cannot be sent to [instagram] (BRD-06)\n", errs)
		if flags == nil {
			require.Contains(t, out, "would be refused; 7 of 9 recipients would be eligible\n")
			require.Contains(t, out, "next for line A: change the plan\n")
		}
	}
}

func TestAddressWithoutScheme(t *testing.T) {
	t.Parallel()
	s := newShell(t, answer(200, `{}`))
	s.env["OMNIFLOW_API_URL"] = "127.0.0.1:8080"
	code, _, errs := s.run(t.Context(), "conversation", "list")
	require.Equal(t, 2, code)
	require.Equal(t, "starter: usage: OMNIFLOW_API_URL must begin with http:// or https://, not be \"127.0.0.1:8080\"; see starter conversation list --help\n", errs)
	s.env["OMNIFLOW_JWT_KEYS"] = keyring.NewKey("k1")
	code, _, errs = s.run(t.Context(), "token", "platform")
	require.Zero(t, code, errs)
}

func TestPlatformToken(t *testing.T) {
	t.Parallel()
	s := newShell(t, answer(200, ``))
	code, _, errs := s.run(context.Background(), "token", "platform")
	require.Equal(t, 2, code)
	require.Contains(t, errs, "OMNIFLOW_JWT_KEYS is not set")
	s.env["OMNIFLOW_JWT_KEYS"] = keyring.NewKey("k1")
	code, out, errs := s.run(context.Background(), "token", "platform", "--expires-in", "10m")
	require.Zero(t, code, errs)
	tokens, err := keyring.ParseTokens(s.env["OMNIFLOW_JWT_KEYS"])
	require.NoError(t, err)
	claims, err := tokens.Verify(strings.TrimSpace(out), time.Now())
	require.NoError(t, err)
	require.Equal(t, keyring.ScopePlatform, claims.Scope)
	_, err = tokens.Verify(strings.TrimSpace(out), time.Now().Add(11*time.Minute))
	require.ErrorIs(t, err, keyring.ErrToken)
	require.Empty(t, s.requests)
}

func TestExportWritesTheFileAsItComes(t *testing.T) {
	t.Parallel()
	s := newShell(t, answer(200, "\ufeffcustomer_id\nC1\n"))
	code, out, errs := s.run(context.Background(), "broadcast", "export", "B")
	require.Zero(t, code, errs)
	require.Equal(t, "\ufeffcustomer_id\nC1\n", out)
	path := filepath.Join(t.TempDir(), "out.csv")
	code, out, errs = s.run(context.Background(), "broadcast", "export", "B", "--file", path)
	require.Zero(t, code, errs)
	require.Empty(t, out)
	written, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "\ufeffcustomer_id\nC1\n", string(written))
	require.Equal(t, []string{"GET /v1/broadcasts/B/recipients.csv", "GET /v1/broadcasts/B/recipients.csv"}, s.requests)
}
