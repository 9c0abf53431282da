package graph

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

func TestScalar(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`"12"`: "12", `12`: "12", `true`: "true", `null`: "", ` "a\u597d" `: "a好", `1.5`: "1.5",
	} {
		var s Scalar
		require.NoError(t, json.Unmarshal([]byte(in), &s), in)
		require.Equal(t, want, s.String())
	}
	for _, in := range []string{`{}`, `[1]`} {
		var s Scalar
		require.Error(t, json.Unmarshal([]byte(in), &s), in)
	}
	require.Equal(t, 7, Scalar("7").Int())
	require.Zero(t, Scalar("x").Int())
}

func TestTime(t *testing.T) {
	t.Parallel()
	seconds := time.Date(2025, 2, 12, 0, 43, 44, 0, time.UTC)
	require.Equal(t, seconds, Scalar("1739321024").Time(), "whatsapp.md section 4.6: seconds")
	require.Equal(t, seconds.Add(7*time.Millisecond), Scalar("1739321024007").Time(), "messenger.md section 12.2: ms")
	for _, s := range []Scalar{"", "0", "-5", "soon", "1e12", "9223372036854775807", "99999999999999999999"} {
		require.True(t, s.Time().IsZero(), s)
	}
}

// table is small; the channels test their own.
var small = Table{
	Rules: map[string]channel.Rule{
		"10":      channel.Stop(omniflow.AccountStopped),
		"10/7":    channel.Terminal(omniflow.WindowClosed),
		"613":     channel.Throttle(channel.ScopeAccount, time.Second),
		"2018300": channel.Terminal(omniflow.Unreachable),
	},
	Family: func(int, int) channel.Rule { return channel.Terminal(omniflow.ProviderRejected) },
}

func TestLookup(t *testing.T) {
	t.Parallel()
	require.Equal(t, small.Rules["10"], small.Rule(10, 0))
	require.Equal(t, small.Rules["10/7"], small.Rule(10, 7))
	require.Equal(t, small.Family(10, 8), small.Rule(10, 8), "a pair of its own is not the code alone")
	require.Equal(t, small.Rules["2018300"], small.Rule(10, 2018300), "listed without a code")
	require.Equal(t, small.Rules["2018300"], small.Rule(2018300, 0))

	code := small
	code.IgnoreSubcodes = true
	require.Equal(t, small.Rules["10"], code.Rule(10, 8))
	require.Equal(t, small.Rules["10/7"], code.Rule(10, 7))
}

func TestRead(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status int
		body   string
		id     string
		fault  channel.Fault
		code   string
	}{
		{"whatsapp.md 2.4", 200, `{"messaging_product":"whatsapp","messages":[{"id":"wamid.1"}]}`, "wamid.1", "", ""},
		{"messenger.md 2", 200, `{"recipient_id":"1","message_id":"m_1"}`, "m_1", "", ""},
		{"an id that is a number", 200, `{"message_id":17}`, "17", "", ""},
		{"half of an answer", 200, `{"message_id":"m_`, "", channel.Ambiguous, "truncated"},
		{"an answer without id", 200, `{}`, "", channel.Ambiguous, "truncated"},
		{"an empty answer", 200, ``, "", channel.Ambiguous, "truncated"},
		{"whatsapp.md 1.3: an error page", 400, `<html>`, "", channel.Ambiguous, "http_400"},
		{"a proxy's error", 502, `Bad Gateway`, "", channel.Ambiguous, "http_502"},
		{"an error without code", 500, `{"error":{"message":"x"}}`, "", channel.Ambiguous, "http_500"},
		{"a redirect", 302, `{}`, "", channel.Ambiguous, "http_302"},
		{"whatsapp.md 5.6: unknown 4xx", 400, `{"error":{"code":4711}}`, "", channel.Rejected, "4711"},
		{"whatsapp.md 5.6: unknown 5xx", 503, `{"error":{"code":4711}}`, "", channel.Ambiguous, "4711"},
		{"messenger.md 4: never by status", 500, `{"error":{"code":613}}`, "", channel.Throttled, "613"},
		{"an error under a 200", 200, `{"error":{"code":10}}`, "", channel.Misconfigured, "10"},
		{"a code in quotes", 400, `{"error":{"code":"10","error_subcode":"7"}}`, "", channel.Rejected, "10/7"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			id, err := small.read(channel.Answer{Status: test.status, Body: []byte(test.body)})
			require.Equal(t, test.id, id)
			if test.fault == "" {
				require.NoError(t, err)
				return
			}
			var e *channel.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, test.fault, e.Fault)
			require.Equal(t, test.code, e.Code)
			require.Equal(t, test.status, e.HTTPStatus)
		})
	}
}

// The usage header says in minutes how long to wait, when it is there.
func TestRegain(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]time.Duration{
		"":     time.Second,
		"junk": time.Second,
		`{"1":[{"type":"messenger","call_count":100,"estimated_time_to_regain_access":0}]}`:                          time.Second,
		`{"1":[{"estimated_time_to_regain_access":5}],"2":[{"estimated_time_to_regain_access":"7"}]}`:                7 * time.Minute,
		`{"1":[{"estimated_time_to_regain_access":99999999}]}`:                                                       24 * time.Hour,
		`{"1":[{"type":"whatsapp","call_count":12,"total_cputime":3,"total_time":4}],"3":[{"type":"pages"}],"4":[]}`: time.Second,
	} {
		_, err := small.read(channel.Answer{
			Status: 400, Body: []byte(`{"error":{"code":613}}`),
			Header: http.Header{"X-Business-Use-Case-Usage": {header}},
		})
		var e *channel.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, want, e.RetryAfter, header)
	}
}

func TestParseEnvelope(t *testing.T) {
	t.Parallel()
	each := func(e Entry) []channel.Event { return []channel.Event{Other(e.ID.String(), nil)} }
	for body, want := range map[string]int{
		`{"object":"page","entry":[{"id":1},{"id":"2"}]}`:      2,
		`[{"object":"page","entry":[{"id":"1"}]}]`:             1,
		`{"object":"page","entry":[]}`:                         0,
		`{"object":"page","entry":["x",{"id":"1"},{"id":{}}]}`: 3,
	} {
		events, err := Parse("page", []byte(body), each)
		require.NoError(t, err, body)
		require.Len(t, events, want, body)
	}
}
