package apiclient

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// call is one request as a test's server saw it.
type call struct {
	method, url, key, auth, contentType, body string
}

// api is a server that answers call number i, from 0, with answer(i), and
// remembers the calls.
func api(t *testing.T, answer func(i int, w http.ResponseWriter, r *http.Request)) (*Client, func() []call) {
	t.Helper()
	var mu sync.Mutex
	var calls []call
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client has gone
		}
		mu.Lock()
		i := len(calls)
		calls = append(calls, call{r.Method, r.URL.String(), r.Header.Get("Idempotency-Key"),
			r.Header.Get("Authorization"), r.Header.Get("Content-Type"), string(body)})
		mu.Unlock()
		answer(i, w, r)
	}))
	t.Cleanup(server.Close)
	c := New(server.URL, "tok", Retries(4), Pauses(time.Millisecond, 2*time.Millisecond), Patience(20*time.Millisecond))
	return c, func() []call {
		mu.Lock()
		defer mu.Unlock()
		return append([]call(nil), calls...)
	}
}

func reply(w http.ResponseWriter, status int, body string) {
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // the client may have gone
}

// cut closes the connection without an answer.
func cut(http.ResponseWriter) { panic(http.ErrAbortHandler) }

func TestRequests(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	tests := []struct {
		name string
		do   func(c *Client) error
		want call
	}{
		{"create team", func(c *Client) error {
			_, err := c.CreateTeam(ctx, NewTeam{Name: "n", Plan: "omo", ReconcileAfterSeconds: 30})
			return err
		}, call{"POST", "/v1/teams", "", "Bearer tok", "application/json", `{"name":"n","plan":"omo","reconcile_after_seconds":30}`}},
		{"create token", func(c *Client) error { _, err := c.CreateToken(ctx, "T", "M", time.Hour); return err },
			call{"POST", "/v1/teams/T/tokens", "", "Bearer tok", "application/json", `{"member_id":"M","expires_in_seconds":3600}`}},
		{"ids are escaped", func(c *Client) error { _, err := c.Broadcast(ctx, "a/b?c"); return err },
			call{"GET", "/v1/broadcasts/a%2Fb%3Fc", "", "Bearer tok", "", ""}},
		{"import", func(c *Client) error {
			_, err := c.ImportCustomers(ctx, "T", []byte("a,b\n"), ImportOptions{FollowerID: "M", Accounts: map[string]string{"line": "L", "facebook": ""}})
			return err
		}, call{"POST", "/v1/teams/T/imports?follower_id=M&line_account=L", "", "Bearer tok", "text/csv; charset=utf-8", "a,b\n"}},
		{"resume account", func(c *Client) error { return c.ResumeAccount(ctx, "T", "A", "paid") },
			call{"POST", "/v1/teams/T/channel-accounts/A:resume", "", "Bearer tok", "application/json", `{"reason":"paid"}`}},
		{"rate of an account", func(c *Client) error { return c.SetAccountRate(ctx, "T", "A", 5, "why") },
			call{"PUT", "/v1/teams/T/channel-accounts/A/rate", "", "Bearer tok", "application/json", `{"rate_per_second":5,"reason":"why"}`}},
		{"pause a lane", func(c *Client) error { _, err := c.Control(ctx, "B", Pause, "A", ""); return err },
			call{"POST", "/v1/broadcasts/B:pause", "", "Bearer tok", "application/json", `{"channel_account_id":"A"}`}},
		{"replay", func(c *Client) error { return c.ReplayDeadLetter(ctx, "D") },
			call{"POST", "/v1/dead-letters/D:replay", "", "Bearer tok", "", ""}},
		{"recipients", func(c *Client) error {
			_, err := c.Recipients(ctx, "B", RecipientFilter{State: "failed"}, Page{Limit: 9, After: "x"})
			return err
		}, call{"GET", "/v1/broadcasts/B/recipients?after=x&limit=9&state=failed", "", "Bearer tok", "", ""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, calls := api(t, func(_ int, w http.ResponseWriter, _ *http.Request) { reply(w, 200, `{}`) })
			require.NoError(t, tt.do(c))
			got := calls()
			require.Len(t, got, 1)
			if tt.want.method == http.MethodPost {
				require.Len(t, got[0].key, 36, "a random Idempotency-Key")
				got[0].key = ""
			}
			require.Equal(t, tt.want, got[0])
		})
	}
}

func TestRetriesKeepTheKey(t *testing.T) {
	t.Parallel()
	c, calls := api(t, func(i int, w http.ResponseWriter, _ *http.Request) {
		switch i {
		case 0:
			reply(w, 503, `busy`)
		case 1:
			cut(w)
		case 2:
			reply(w, 409, `{"code":"idempotency_in_progress"}`)
		default:
			reply(w, 202, `{"id":"B","workflow_id":"w","state":"accepted"}`)
		}
	})
	got, err := c.StartBroadcast(context.Background(), BroadcastRequest{Kind: "broadcast_message"}, "my-key")
	require.NoError(t, err)
	require.Equal(t, Accepted{ID: "B", WorkflowID: "w", State: "accepted"}, got)
	all := calls()
	require.Len(t, all, 4)
	for _, x := range all {
		require.Equal(t, all[0], x, "key and body are the same at every try")
	}
	require.Equal(t, "my-key", all[0].key)
}

func TestWhatIsNotRetried(t *testing.T) {
	t.Parallel()
	for status, code := range map[int]string{400: "input_invalid", 401: "unauthenticated", 404: "not_found", 409: "idempotency_key_reused", 500: "internal_error"} {
		c, calls := api(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
			reply(w, status, `{"detail":"d","rule":"SYS-01","code":"`+code+`"}`)
		})
		_, err := c.Broadcast(context.Background(), "B")
		var p *Problem
		require.ErrorAs(t, err, &p)
		require.Equal(t, status, p.Status)
		require.Equal(t, code+": d (SYS-01)", p.Error())
		require.Len(t, calls(), 1)
	}
}

func TestGivesUpAfterItsRetries(t *testing.T) {
	t.Parallel()
	c, calls := api(t, func(_ int, w http.ResponseWriter, _ *http.Request) { reply(w, 502, `<html>bad gateway</html>`) })
	_, err := c.Broadcast(context.Background(), "B")
	require.EqualError(t, err, "api_unavailable: answer 502 bad gateway")
	require.Len(t, calls(), 5)

	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	gone := New(dead.URL, "", Retries(2), Pauses(time.Millisecond, time.Millisecond))
	_, err = gone.Broadcast(context.Background(), "B")
	var u *Unreachable
	require.ErrorAs(t, err, &u)
	require.Equal(t, dead.URL, u.URL)
	require.ErrorContains(t, err, "connection refused")

	_, err = New("localhost:8080", "").Broadcast(context.Background(), "B")
	require.Error(t, err, "a URL without a scheme fails at once")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = c.Broadcast(ctx, "B")
	require.ErrorIs(t, err, context.Canceled)
}

func TestProblemOfASchemaViolation(t *testing.T) {
	t.Parallel()
	p := readProblem(422, []byte(`{"title":"Unprocessable Entity","status":422,"detail":"validation failed",
		"errors":[{"message":"expected required property kind","location":"body"},{"message":"unexpected\nproperty","location":"body.x"}]}`))
	require.Equal(t, "input_invalid: validation failed; body expected required property kind; x unexpected property", p.Error())
}

func TestAllRecipientsReadsEveryPage(t *testing.T) {
	t.Parallel()
	c, calls := api(t, func(i int, w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, []string{`{"items":[{"message_id":"1"},{"message_id":"2"}],"next":"n 1"}`, `{"items":[{"message_id":"3"}],"next":""}`}[i])
	})
	all, err := c.AllRecipients(context.Background(), "B", RecipientFilter{})
	require.NoError(t, err)
	require.Len(t, all, 3)
	require.Equal(t, "/v1/broadcasts/B/recipients?after=n+1&limit=200", calls()[1].url)
}

func TestRawSeesAnswers(t *testing.T) {
	t.Parallel()
	c, _ := api(t, func(_ int, w http.ResponseWriter, _ *http.Request) { reply(w, 200, `{"id":"B","new_field":1}`) })
	var raw string
	_, err := c.With(Raw(func(b []byte) { raw = string(b) })).Broadcast(context.Background(), "B")
	require.NoError(t, err)
	require.JSONEq(t, `{"id":"B","new_field":1}`, raw)
}
