package channeltest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// Codes are the Graph codes of one meaning, as "code" or "code/subcode".
type Codes struct {
	Section string // of the provider's contract
	Fault   channel.Fault
	Scope   channel.Scope
	Reason  omniflow.Code
	Codes   string // separated by spaces
}

// Answering is a provider behind a server that answers as told.
func Answering(t *testing.T, maker Maker, answer http.HandlerFunc) channel.Provider {
	t.Helper()
	server := httptest.NewServer(answer)
	client := channel.NewHTTPClient(channel.HTTPOptions{LoopbackOnly: true, Tries: 1})
	t.Cleanup(func() {
		client.CloseIdleConnections()
		server.Close()
	})
	return maker(server.URL, client)
}

// GraphCodes sends one message for each code, to a server that answers with
// it, and asserts what comes back. name gives the code that is stored.
func GraphCodes(t *testing.T, maker Maker, rows []Codes, name func(code string) string) {
	t.Helper()
	p := Answering(t, maker, func(w http.ResponseWriter, r *http.Request) {
		code, subcode, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), "/")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `{"error":{"message":"(#%s) x","type":"OAuthException","code":%s,"error_subcode":"%s",
			"error_data":"a string","fbtrace_id":"AbC"}}`, code, code, subcode)
	})
	for _, row := range rows {
		for _, code := range strings.Fields(row.Codes) {
			t.Run("section "+row.Section+" code "+code, func(t *testing.T) {
				t.Parallel()
				a := channel.Account{ExternalID: "1", Secrets: channel.Secrets{Token: code}}
				_, err := p.Send(within(t, patience), a, channel.Message{
					Key: channel.Key{MessageID: uuid.New(), Attempt: 1}, Recipient: "886912345678",
					Contents: []omniflow.Content{{Kind: omniflow.Text, Text: "hi"}},
				})
				var e *channel.Error
				require.ErrorAs(t, err, &e)
				require.Equal(t, row.Fault, e.Fault)
				require.Equal(t, row.Scope, e.Scope)
				if row.Fault == channel.Misconfigured {
					shown := e.Code
					if row.Scope == channel.ScopeTemplate { // it stops a lane, with our reason
						shown = string(e.Reason)
					}
					require.True(t, omniflow.Advised(omniflow.WhatsApp, shown), "nobody says what to do about %s", shown)
				}
				require.Equal(t, row.Reason, e.Reason)
				require.Equal(t, name(code), e.Code)
				require.Equal(t, http.StatusBadRequest, e.HTTPStatus)
				require.Equal(t, "AbC", e.Trace)
				require.Equal(t, row.Fault == channel.Throttled, e.RetryAfter > 0 && e.Fault == channel.Throttled)
			})
		}
	}
}

// Covered asserts that rows test every key of rules.
func Covered(t *testing.T, rules map[string]channel.Rule, rows []Codes) {
	t.Helper()
	tested := map[string]bool{}
	for _, row := range rows {
		for _, code := range strings.Fields(row.Codes) {
			tested[code] = true
		}
	}
	for code := range rules {
		require.True(t, tested[code], "code %s has no test", code)
	}
}
