package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// events is an open stream of notifications.
type events struct {
	t     *testing.T
	res   *http.Response
	lines *bufio.Scanner
	last  string // id
}

// watch opens the stream of role, after last if it is not "", and reads to its
// first id.
func (o *office) watch(t *testing.T, role, last string) *events {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", o.w.url+"/v1/notifications/events", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+o.token[role])
	r.Header.Set("Accept", "text/event-stream")
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = res.Body.Close() }) // it is closed, unless the test failed
	require.Equal(t, []any{200, "text/event-stream"}, []any{res.StatusCode, res.Header.Get("Content-Type")})
	e := &events{t: t, res: res, lines: bufio.NewScanner(res.Body)}
	for e.last == "" {
		_, ok := e.line()
		require.True(t, ok, e.lines.Err())
	}
	return e
}

// line reads one line and keeps its id; false at the end.
func (e *events) line() (string, bool) {
	e.t.Helper()
	ok := e.lines.Scan()
	if id, found := strings.CutPrefix(e.lines.Text(), "id: "); ok && found {
		e.last = id
	}
	return e.lines.Text(), ok
}

// next is the next notification.
func (e *events) next() notificationBody {
	e.t.Helper()
	var out notificationBody
	for {
		line, ok := e.line()
		require.True(e.t, ok, e.lines.Err())
		if data, found := strings.CutPrefix(line, "data: "); found {
			require.NoError(e.t, json.Unmarshal([]byte(data), &out))
			return out
		}
	}
}

func TestTheStreamTellsAtOnceAndGoesOnWhereItBroke(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	who := o.customer("line", lineUser(1))
	id := who.does("hi", "").ID.String()
	o.one("cs_agent", "POST", id+":follow", nil)
	who.does("before", "")
	e, other := o.watch(t, "cs_agent", ""), o.watch(t, "supervisor", "")
	begin := e.last
	who.does("one", "")
	first := e.next()
	require.Equal(t, "customer_message", string(first.Kind), "what was there before is in the list")
	require.NoError(t, e.res.Body.Close())
	o.one("supervisor", "POST", id+":take-over", nil)
	require.NotEqual(t, begin, e.last)
	e = o.watch(t, "cs_agent", e.last)
	require.Equal(t, "Amy (主管) 已接手 1 個你的對話。", e.next().Text, "and not the first again")
	o.one("supervisor", "POST", id+":transfer", m{"receiver_id": o.ids["cs_agent"]})
	require.Equal(t, "Amy (主管) 已將 1 個對話移轉給你。", e.next().Text)

	// From the beginning: all three, of which the first two have no id of their own or the last one's.
	again := o.watch(t, "cs_agent", begin)
	for i, kind := range []string{"customer_message", "taken_over", "transferred"} {
		got := again.next()
		require.Equal(t, kind, string(got.Kind))
		require.Equal(t, i == 2, again.last != begin, "an id once all of a look are out")
	}
	require.Equal(t, 4, o.notified("cs_agent", "").Unread, "being told is not reading")

	o.one("cs_agent", "POST", id+":transfer", m{"receiver_id": o.ids["supervisor"]})
	require.Equal(t, "Jess (客服人員) 已將 1 個對話移轉給你。", other.next().Text, "nothing of another member's came before")
}

func TestTheStreamStaysAliveAndEndsWithTheProgram(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	e := o.watch(t, "cs_agent", "")
	for comments := 0; comments < 2; {
		line, ok := e.line()
		require.True(t, ok)
		if strings.HasPrefix(line, ":") {
			comments++
		}
	}
	w.s.drain()
	for {
		line, ok := e.line()
		if !ok {
			break
		}
		require.NotContains(t, line, "event")
	}
	require.NoError(t, e.lines.Err())
}
