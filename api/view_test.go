package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

func TestDetailCountsTheLedger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, accounts := w.shop()
	w.exec(`UPDATE conversations SET last_customer_message_at = now()`)
	id, path := c.broadcastOf("sales_staff")
	w.plan(c, id)
	rows := w.ids(`SELECT m.id FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE m.broadcast_id = $1
ORDER BY c.channel`, id) // facebook, instagram, line, whatsapp
	require.Len(t, rows, 4)
	w.exec(`UPDATE messages SET state = 'read', attempt = 1, attempted_at = now(), sent_at = now(), provider_id = 'mid1' WHERE id = $1`, rows[0])
	w.exec(`UPDATE messages SET state = 'failed', code = 'window_closed' WHERE id = $1`, rows[1])
	w.exec(`UPDATE messages SET state = 'unknown' WHERE id = $1`, rows[3])
	w.exec(`UPDATE broadcast_lanes SET control = 'paused', control_reason = 'typo', control_by = $2 WHERE channel_account_id = $1`, accounts["line"], c.ids["supervisor"])
	w.exec(`UPDATE members SET name = '陳小姐' WHERE id = $1`, c.ids["supervisor"])
	w.exec(`UPDATE limiters SET rate = 100, adjusted_at = now() + interval '1 hour', closed_until = now() + interval '1 hour', reason = 'throttled' WHERE name = 'multicast'`)
	w.exec(`UPDATE channel_accounts SET state = 'stopped', stop_code = '190' WHERE id = $1`, accounts["facebook"])
	w.exec(`INSERT INTO attempts (message_id, team_id, attempt, http_status, latency_ms, at, provider_id) VALUES ($1, $2, 1, 200, 35, now() + interval '100 milliseconds', 'mid1')`, rows[0], c.id)
	w.exec(`INSERT INTO message_events (message_id, team_id, state, at, attempt) VALUES ($1, $2, 'read', now() + interval '1 second', 1)`, rows[0], c.id)

	var detail broadcastBody
	w.do("GET", path, c.token["sales_staff"], nil).into(200, &detail)
	require.True(t, detail.Counts.Balanced(), "%+v", detail.Counts)
	require.Equal(t, 4, detail.Counts.Planned)
	require.Equal(t, 4, detail.Counts.Recipients)
	require.Equal(t, [4]int{1, 1, 1, 1}, [4]int{detail.Counts.Queued, detail.Counts.Read, detail.Counts.Failed, detail.Counts.Unknown})
	require.Len(t, detail.Lanes, 4)
	facebook, line := detail.Lanes[0], detail.Lanes[2]
	require.Equal(t, "stopped", facebook.AccountState)
	require.Equal(t, "190", facebook.StopCode)
	require.Equal(t, omniflow.Advice(omniflow.Facebook, "190"), facebook.NextStep)
	require.Empty(t, line.NextStep, "who paused it knows why")
	require.Equal(t, 1, facebook.Counts.Read)
	require.EqualValues(t, "paused", line.Control)
	require.Equal(t, "typo", line.ControlReason)
	require.Equal(t, c.ids["supervisor"], line.ControlBy)
	require.Equal(t, "陳小姐", line.ControlByName)
	require.Equal(t, "陳小姐", line.Waiting.ByName)
	require.Empty(t, facebook.ControlByName, "nobody did anything there")
	require.Equal(t, "Member", detail.ActorName)
	require.InDelta(t, 100, line.RateNow, 0.001)
	require.InDelta(t, 200, line.LimitPerSecond, 0.001, "LINE broadcasts wait for multicast slots")
	require.NotNil(t, line.ClosedUntil)
	require.Equal(t, "throttled", line.Reason)

	var page listBody[recipientBody]
	var all []recipientBody
	for after := ""; ; after = page.Next {
		page = listBody[recipientBody]{}
		w.do("GET", path+"/recipients?limit=3&after="+after, c.token["sales_staff"], nil).into(200, &page)
		all = append(all, page.Items...)
		if page.Next == "" {
			break
		}
	}
	require.Len(t, all, 4)
	seen := map[uuid.UUID]bool{}
	for _, r := range all {
		seen[r.MessageID] = true
	}
	require.Len(t, seen, 4, "every row once")
	for query, want := range map[string]int{"state=failed": 1, "channel=line": 1, "code=window_closed": 1, "state=sent": 0} {
		w.do("GET", path+"/recipients?"+query, c.token["sales_staff"], nil).into(200, &page)
		require.Len(t, page.Items, want, query)
	}
	w.do("GET", path+"/recipients?state=nonsense", c.token["sales_staff"], nil).problem(422, "bad_query")
	w.do("GET", path+"/recipients?after=x", c.token["sales_staff"], nil).problem(422, "input_invalid")

	conversation := w.ids(`SELECT conversation_id FROM messages WHERE id = $1`, rows[0])[0]
	var timeline struct{ Items []timelineItemBody }
	w.do("GET", path+"/recipients/"+conversation.String()+"/timeline", c.token["sales_staff"], nil).into(200, &timeline)
	var kinds []string
	for _, item := range timeline.Items {
		kinds = append(kinds, item.Kind)
	}
	require.ElementsMatch(t, []string{"planned", "wait", "attempt", "state", "webhook"}, kinds)
	require.Equal(t, "planned", kinds[0])
	w.do("GET", path+"/recipients/"+uuid.NewString()+"/timeline", c.token["sales_staff"], nil).problem(404, "not_found")
}

func TestProgressStreamsUntilDone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.shop()
	id, path := c.broadcastOf("sales_staff")
	w.do("GET", "/v1/broadcasts/"+uuid.NewString()+"/progress", c.token["sales_staff"], nil).problem(404, "not_found")

	r, err := http.NewRequestWithContext(t.Context(), "GET", w.url+path+"/progress", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+c.token["sales_staff"])
	r.Header.Set("Accept", "text/event-stream")
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	lines := bufio.NewScanner(res.Body)
	var events []string
	for lines.Scan() {
		name, isEvent := strings.CutPrefix(lines.Text(), "event: ")
		if !isEvent {
			continue
		}
		events = append(events, name)
		require.True(t, lines.Scan())
		var detail broadcastBody
		require.NoError(t, json.Unmarshal([]byte(strings.TrimPrefix(lines.Text(), "data: ")), &detail))
		require.Equal(t, id, detail.ID)
		switch len(events) {
		case 1:
			w.plan(c, id)
		case 2:
			require.Equal(t, 4, detail.Counts.Planned)
			w.exec(`UPDATE broadcasts SET finished_at = now(), state = 'finished', outcome = 'completed' WHERE id = $1`, id)
		}
	}
	require.NoError(t, lines.Err())
	require.Equal(t, []string{"progress", "progress", "done"}, events)
}

func TestProgressEndsWhenTheProgramIsToldToStop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.shop()
	_, path := c.broadcastOf("sales_staff")
	r, err := http.NewRequestWithContext(t.Context(), "GET", w.url+path+"/progress", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+c.token["sales_staff"])
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	require.True(t, lines.Scan())
	begin := time.Now()
	w.s.drain()
	for lines.Scan() {
		require.NotContains(t, lines.Text(), "done")
	}
	require.Less(t, time.Since(begin), 3*time.Second)
	var state readiness
	w.do("GET", "/readyz", "", nil).into(503, &state)
	require.Contains(t, state.Checks["process"], "draining")
}

func TestReadyzTellsWhichPartIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var state readiness
	w.do("GET", "/readyz", "", nil).into(200, &state)
	require.Equal(t, readiness{Status: "ready", Checks: map[string]string{"database": "ok", "temporal": "ok", "process": "ok"}}, state)
	w.engine.fail(fmt.Errorf("dial 10.0.0.1: secret"), nil)
	got := w.do("GET", "/readyz", "", nil)
	got.into(503, &state)
	require.Equal(t, "ok", state.Checks["database"])
	require.NotEqual(t, "ok", state.Checks["temporal"])
	require.NotContains(t, string(got.Body), "secret")
	w.engine.fail(nil, nil)
	w.store.Close()
	w.do("GET", "/readyz", "", nil).into(503, &state)
	require.NotEqual(t, "ok", state.Checks["database"])
	require.Equal(t, "ok", state.Checks["temporal"])
	require.Equal(t, 200, w.do("GET", "/healthz", "", nil).Status, "the process lives")
}

func TestABugIsAnsweredAndLogged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	routes := newRouter(w.s)
	routes.HandleFunc("GET /bug", func(http.ResponseWriter, *http.Request) { panic("a map of nil") })
	out := httptest.NewRecorder()
	routes.ServeHTTP(out, httptest.NewRequest(http.MethodGet, "/bug", nil))
	reply{t: t, Status: out.Code, Header: out.Header(), Body: out.Body.Bytes()}.problem(500, "internal_error")
	require.NotContains(t, out.Body.String(), "nil")
	require.Contains(t, w.log.String(), "a map of nil")
	require.Contains(t, w.log.String(), `"status":500`)
}
