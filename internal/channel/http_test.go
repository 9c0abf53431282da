package channel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// client repeats at once and talks to loopback only.
func client(t *testing.T, o HTTPOptions) *HTTPClient {
	t.Helper()
	o.LoopbackOnly = true
	if o.FirstPause == 0 {
		o.FirstPause = time.Millisecond
	}
	c := NewHTTPClient(o)
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// server counts its calls and answers the nth, from 0, as told.
func server(t *testing.T, answer func(n int, w http.ResponseWriter, r *http.Request)) (string, *atomic.Int32) {
	t.Helper()
	var calls atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		answer(int(calls.Add(1))-1, w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, &calls
}

// cut ends the connection without an answer.
func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_ = conn.Close()
}

func fault(t *testing.T, err error) *Error {
	t.Helper()
	var e *Error
	require.ErrorAs(t, err, &e)
	return e
}

func TestRepeats(t *testing.T) {
	t.Parallel()
	fail := map[string]func(w http.ResponseWriter){
		"5xx": func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) },
		"cut": cut,
		"half a body": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("{"))
		},
	}
	for name, spoil := range fail {
		for kind, call := range map[string]Call{
			"GET": {Method: http.MethodGet}, "POST": {Body: []byte("{}")},
			"POST with key": {Body: []byte("{}"), Repeatable: true},
		} {
			t.Run(kind+" after "+name, func(t *testing.T) {
				t.Parallel()
				url, calls := server(t, func(n int, w http.ResponseWriter, _ *http.Request) {
					if n < 2 {
						spoil(w)
						return
					}
					_, _ = w.Write([]byte("done"))
				})
				call.URL = url
				ans, err := client(t, HTTPOptions{}).Do(t.Context(), call)
				if kind != "POST" {
					require.NoError(t, err)
					require.Equal(t, "done", string(ans.Body))
					require.EqualValues(t, 3, calls.Load())
					return
				}
				require.EqualValues(t, 1, calls.Load())
				if name == "5xx" {
					require.NoError(t, err)
					require.Equal(t, 503, ans.Status)
					return
				}
				require.Equal(t, Ambiguous, fault(t, err).Fault)
			})
		}
	}
}

// What a 4xx and a 429 mean is for the pipeline, whoever the provider is.
func TestNeverRepeatsConfirmed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 400, 404, 409, 429} {
		url, calls := server(t, func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		ans, err := client(t, HTTPOptions{}).Do(t.Context(), Call{URL: url, Body: []byte("{}"), Repeatable: true})
		require.NoError(t, err)
		require.Equal(t, status, ans.Status)
		require.EqualValues(t, 1, calls.Load())
	}
}

// Tries that get no connection write nothing; a POST may follow them.
func TestRepeatsDial(t *testing.T) {
	t.Parallel()
	url, calls := server(t, func(_ int, w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("done")) })
	c := client(t, HTTPOptions{})
	dial, dials := c.base.DialContext, 0
	c.base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if dials++; dials < 3 {
			return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
		}
		return dial(ctx, network, address)
	}
	ans, err := c.Do(t.Context(), Call{URL: url, Body: []byte("{}")})
	require.NoError(t, err)
	require.Equal(t, "done", string(ans.Body))
	require.Equal(t, 3, dials)
	require.EqualValues(t, 1, calls.Load())
}

func TestDialFails(t *testing.T) {
	t.Parallel()
	for name, cause := range map[string]error{
		"refused": &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED},
		"no name": &net.DNSError{Err: "no such host", IsNotFound: true},
		"timeout": context.DeadlineExceeded,
	} {
		c := client(t, HTTPOptions{})
		dials := 0
		c.base.DialContext = func(context.Context, string, string) (net.Conn, error) {
			dials++
			return nil, cause
		}
		_, err := c.Do(t.Context(), Call{URL: "http://127.0.0.1:9/v25.0/1/messages", Body: []byte("{}")})
		e := fault(t, err)
		require.Equal(t, Unavailable, e.Fault, name)
		require.Equal(t, "dial", e.Code)
		require.Equal(t, omniflow.ProviderDown, e.Reason)
		require.Equal(t, 3, dials)
		require.NotContains(t, err.Error(), "/v25.0/")
	}
}

// A server that does not speak TLS never sees the request.
func TestHandshakeFails(t *testing.T) {
	t.Parallel()
	url, calls := server(t, func(int, http.ResponseWriter, *http.Request) {})
	_, err := client(t, HTTPOptions{}).Do(t.Context(), Call{URL: "https" + strings.TrimPrefix(url, "http"), Body: []byte("{}")})
	require.Equal(t, Unavailable, fault(t, err).Fault)
	require.Equal(t, "dial", fault(t, err).Code)
	require.Zero(t, calls.Load())
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	hang := func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	t.Run("no answer within the time of one try", func(t *testing.T) {
		t.Parallel()
		url, _ := server(t, hang)
		_, err := client(t, HTTPOptions{AnswerWithin: 50 * time.Millisecond}).Do(t.Context(), Call{URL: url, Body: []byte("{}")})
		e := fault(t, err)
		require.Equal(t, Ambiguous, e.Fault)
		require.Equal(t, "timeout", e.Code)
	})
	t.Run("the caller gives up", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		url, _ := server(t, func(_ int, _ http.ResponseWriter, r *http.Request) {
			cancel()
			<-r.Context().Done()
		})
		_, err := client(t, HTTPOptions{}).Do(ctx, Call{URL: url, Body: []byte("{}"), Repeatable: true})
		e := fault(t, err)
		require.Equal(t, Ambiguous, e.Fault)
		require.Equal(t, "cancelled", e.Code)
		require.ErrorIs(t, err, context.Canceled)
	})
	t.Run("time runs out between two tries", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		url, calls := server(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			time.AfterFunc(100*time.Millisecond, cancel)
		})
		_, err := client(t, HTTPOptions{FirstPause: time.Hour}).Do(ctx, Call{URL: url, Body: []byte("{}"), Repeatable: true})
		e := fault(t, err)
		require.Equal(t, Ambiguous, e.Fault, "the first try may have been taken")
		require.Equal(t, "http_502", e.Code)
		require.EqualValues(t, 1, calls.Load())
	})
}

// An earlier try that was perhaps taken outlives a later one that got nowhere.
func TestAmbiguityStays(t *testing.T) {
	t.Parallel()
	url, _ := server(t, func(_ int, w http.ResponseWriter, _ *http.Request) { cut(w) })
	c := client(t, HTTPOptions{})
	dial, dials := c.base.DialContext, 0
	c.base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if dials++; dials > 1 {
			return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
		}
		return dial(ctx, network, address)
	}
	_, err := c.Do(t.Context(), Call{URL: url, Body: []byte("{}"), Repeatable: true})
	require.Equal(t, Ambiguous, fault(t, err).Fault)
}

func TestAnswerLimits(t *testing.T) {
	t.Parallel()
	for size, fits := range map[int]bool{maxAnswerBytes: true, maxAnswerBytes + 1: false} {
		url, _ := server(t, func(_ int, w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, size)) })
		ans, err := client(t, HTTPOptions{}).Do(t.Context(), Call{URL: url, Body: []byte("{}")})
		if fits {
			require.NoError(t, err)
			require.Len(t, ans.Body, size)
			continue
		}
		e := fault(t, err)
		require.Equal(t, Ambiguous, e.Fault)
		require.Equal(t, "too_large", e.Code)
		require.Equal(t, 200, e.HTTPStatus)
	}
}

// A redirect is an answer: following it would send the token and the message
// somewhere else.
func TestFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	other, hits := server(t, func(int, http.ResponseWriter, *http.Request) {})
	url, _ := server(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other, http.StatusTemporaryRedirect)
	})
	ans, err := client(t, HTTPOptions{}).Do(t.Context(), Call{URL: url, Token: "t", Body: []byte("{}")})
	require.NoError(t, err)
	require.Equal(t, http.StatusTemporaryRedirect, ans.Status)
	require.Zero(t, hits.Load())
}

func TestLoopbackOnly(t *testing.T) {
	t.Parallel()
	c := client(t, HTTPOptions{})
	dialled := false
	c.base.DialContext = func(context.Context, string, string) (net.Conn, error) {
		dialled = true
		return nil, errors.New("dialled")
	}
	for _, url := range []string{"https://graph.facebook.com/v25.0/1/messages", "http://192.0.2.1/", "http://localhost.example/"} {
		_, err := c.Do(t.Context(), Call{URL: url, Body: []byte("{}")})
		require.Equal(t, Misconfigured, fault(t, err).Fault)
		require.ErrorIs(t, err, errNotLoopback)
	}
	require.False(t, dialled)
}

// What cannot be called stops the account, and the address is not quoted: its
// user part or query might be a secret.
func TestBadAddress(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"http://127.0.0.1:0:secret/", "gopher://127.0.0.1/?secret", "://secret", ""} {
		_, err := client(t, HTTPOptions{}).Do(t.Context(), Call{URL: url, Body: []byte("{}")})
		require.Contains(t, []Fault{Misconfigured, Unavailable}, fault(t, err).Fault, url)
		require.NotContains(t, fmt.Sprint(err), "secret")
	}
}

// What travels: the token in its header, nothing that makes net/http repeat.
func TestHeaders(t *testing.T) {
	t.Parallel()
	var got http.Header
	url, _ := server(t, func(_ int, _ http.ResponseWriter, r *http.Request) { got = r.Header.Clone() })
	_, err := client(t, HTTPOptions{}).Do(t.Context(), Call{
		URL: url, Token: "t0ken", Body: []byte("{}"), Header: map[string]string{"X-Line-Retry-Key": "k"},
	})
	require.NoError(t, err)
	require.Equal(t, "Bearer t0ken", got.Get("Authorization"))
	require.Equal(t, "application/json", got.Get("Content-Type"))
	require.Equal(t, "k", got.Get("X-Line-Retry-Key"))
	require.Empty(t, got.Values("Idempotency-Key"))
	require.Empty(t, got.Values("X-Idempotency-Key"))
}

func TestPause(t *testing.T) {
	t.Parallel()
	for try, longest := range []time.Duration{200, 400, 800, 800} {
		for range 100 {
			d := pause(200, 800, try, nil)
			require.LessOrEqual(t, d, longest)
			require.GreaterOrEqual(t, d, longest/2)
		}
	}
}
