package line

import (
	"encoding/json"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/channel/channeltest"
	"omniflow/internal/omniflow"
)

func made(baseURL string, client *channel.HTTPClient) channel.Provider { return New(baseURL, client) }

// TestErrors has one row for each line of section 6 that a send can get.
func TestErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		status  int
		message string
		want    channel.Rule
	}{
		{"section 6, 400 body", 400, "The request body has 1 error(s)", channel.Terminal(omniflow.ProviderRejected)},
		{"section 6, 400 property", 400, "The property, messages, in the request body is invalid (line: 1, column: 2)", channel.Terminal(omniflow.ProviderRejected)},
		{"section 6, 400 JSON", 400, "The request body could not be parsed as JSON (line: 1, column: 1)", channel.Terminal(omniflow.ProviderRejected)},
		{"section 6, 400 target", 400, "Failed to send messages", channel.Terminal(omniflow.Unreachable)},
		{"section 6, 401", 401, "Authentication failed due to the following reason: invalid token", channel.Stop(omniflow.AccountStopped)},
		{"section 6, 403", 403, "Access to this API is not available for your account", channel.Stop(omniflow.AccountStopped)},
		{"section 6, 404", 404, "Not found", channel.Terminal(omniflow.ProviderRejected)},
		{"section 5, 409 of nothing", 409, "Conflict", channel.Lost()},
		{"section 6, 410", 410, "The content is gone", channel.Terminal(omniflow.ProviderRejected)},
		{"section 6, 413", 413, "Too large", channel.Terminal(omniflow.ProviderRejected)},
		{"section 6, 415", 415, "The content type, text/plain, is not supported", channel.Terminal(omniflow.ProviderRejected)},
		{"section 6, 422", 422, "Could not send", channel.Terminal(omniflow.Unreachable)},
		{"section 6, 429 rate", 429, "The API rate limit has been exceeded. Try again later.", channel.Throttle(channel.ScopeAccount, time.Second)},
		{"section 6, 429 month", 429, "You have reached your monthly limit.", channel.Stop(omniflow.QuotaExhausted)},
		{"section 6, 429 one user", 429, "Slow down", channel.Throttle(channel.ScopeMessage, time.Minute)},
		{"section 6, 5xx", 500, "Internal server error", channel.Lost()},
		{"section 6, 5xx", 503, "", channel.Lost()},
		{"section 6, unlisted", 418, "I am a teapot", channel.Terminal(omniflow.ProviderRejected)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			body, err := json.Marshal(map[string]string{"message": test.message})
			require.NoError(t, err)
			e := sendFails(t, test.status, string(body))
			require.Equal(t, test.want, channel.Rule{Fault: e.Fault, Scope: e.Scope, Reason: e.Reason, RetryAfter: e.RetryAfter})
			require.Equal(t, test.status, e.HTTPStatus)
			require.Equal(t, "a-trace", e.Trace)
		})
	}
}

// An answer that is not LINE's says nothing about the message.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	for status, body := range map[int]string{
		200: `{"sentMess`, 302: "", 400: "<html>bad gateway</html>", 404: "page not found", 502: "<html>", 504: "",
	} {
		e := sendFails(t, status, body)
		require.Equal(t, channel.Ambiguous, e.Fault, status)
		require.Equal(t, omniflow.OutcomeUnknown, e.Reason)
	}
}

// sendFails sends one message to a server that answers so.
func sendFails(t *testing.T, status int, body string) *channel.Error {
	t.Helper()
	p := channeltest.Answering(t, made, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Line-Request-Id", "a-trace")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
	_, err := p.Send(t.Context(), account, channel.Message{
		RetryKey: uuid.New(), Recipient: "U1", Contents: hello,
	})
	var e *channel.Error
	require.ErrorAs(t, err, &e)
	return e
}

var (
	account = channel.Account{ExternalID: "U0", Secrets: channel.Secrets{Token: "t"}}
	hello   = []omniflow.Content{{Kind: omniflow.Text, Text: "hi"}}
)

// A 409 is a success, and a push gets the ids of the call that won.
func TestConflictIsSuccess(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]string{"section 5, with the id": "winner", "section 6, text only": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := channeltest.Answering(t, made, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Line-Request-Id", "loser")
				if header != "" {
					w.Header().Set("X-Line-Accepted-Request-Id", header)
				}
				w.WriteHeader(http.StatusConflict)
				_, _ = w.Write([]byte(`{"message":"The retry key is already accepted","sentMessages":[{"id":"461230966842064897"}]}`))
			})
			receipt, err := p.Send(t.Context(), account, channel.Message{RetryKey: uuid.New(), Recipient: "U1", Contents: hello})
			require.NoError(t, err)
			require.Equal(t, "461230966842064897", receipt.ProviderID)
			require.Equal(t, http.StatusConflict, receipt.HTTPStatus)
			want := "loser"
			if header != "" {
				want = header
			}
			require.Equal(t, want, receipt.Trace)
		})
	}
}

// One key for every message would make LINE deliver the first and no other.
func TestNoRetryKey(t *testing.T) {
	t.Parallel()
	p := channeltest.Answering(t, made, func(http.ResponseWriter, *http.Request) { t.Error("a call was made") })
	_, err := p.Send(t.Context(), account, channel.Message{Recipient: "U1", Contents: hello})
	var e *channel.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, channel.Rejected, e.Fault)
}

// Each answer that stops an account has advice for a person.
func TestEveryStopHasAdvice(t *testing.T) {
	t.Parallel()
	stops := 0
	for _, r := range rows {
		if r.rule.Fault == channel.Misconfigured {
			stops++
			require.True(t, omniflow.Advised(omniflow.LINE, strconv.Itoa(r.status)), r.status)
		}
	}
	require.Equal(t, 3, stops)
}
