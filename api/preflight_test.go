package main

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
	"omniflow/internal/temporalclient"
	"omniflow/workflows"
)

func TestAPreflightAnswersAndChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, accounts := w.shop()
	w.exec(`UPDATE conversations SET last_customer_message_at = now() WHERE channel <> 'facebook'`)
	w.exec(`UPDATE conversations SET last_customer_message_at = now() - interval '9 days' WHERE channel = 'facebook'`)
	w.exec(`UPDATE channel_accounts SET quota_limit = 200, quota_used = 200, quota_read_at = now() WHERE id = $1`, accounts["line"])
	w.exec(`UPDATE channel_accounts SET state = 'stopped', stop_code = '190' WHERE id = $1`, accounts["instagram"])
	before := w.counts()
	var p preflightBody
	w.do("POST", "/v1/broadcasts:preflight?limit=3", c.token["sales_staff"], text(2, m{"all": true})).into(200, &p)
	require.True(t, p.WouldStart)
	require.Nil(t, p.Problem)
	require.Equal(t, []int{4, 3, 5}, []int{p.Recipients, p.Eligible, p.Rows}, "two messages are one call to LINE")
	require.Len(t, p.Items, 3)
	require.NotEmpty(t, p.Next)
	var rest preflightBody
	w.do("POST", "/v1/broadcasts:preflight?limit=3&after="+p.Next, c.token["sales_staff"], text(2, m{"all": true})).into(200, &rest)
	require.Len(t, rest.Items, 1)
	require.Empty(t, rest.Next)
	verdicts := map[string]string{}
	for _, v := range append(p.Items, rest.Items...) {
		verdicts[string(v.Channel)] = v.Verdict
	}
	require.Equal(t, map[string]string{"facebook": "window_closed", "instagram": "eligible", "line": "eligible", "whatsapp": "eligible"}, verdicts)
	lanes := map[string]preflightLane{}
	for _, l := range p.Lanes {
		lanes[string(l.Channel)] = l
	}
	require.EqualValues(t, "short", lanes["line"].Quota.State)
	require.Equal(t, 1, lanes["line"].Usage)
	require.EqualValues(t, "unknown", lanes["whatsapp"].Quota.State)
	require.Equal(t, 2, lanes["whatsapp"].Usage)
	require.Equal(t, []reasonBody{{Code: "window_closed", Recipients: 1}}, lanes["facebook"].Skipped)
	require.Equal(t, "190", lanes["instagram"].StopCode)
	require.NotEmpty(t, lanes["instagram"].NextStep)
	require.Nil(t, lanes["instagram"].ExpectedFinish)
	require.WithinDuration(t, time.Now(), *lanes["whatsapp"].ExpectedFinish, 10*time.Second)

	long := m{"kind": "broadcast_message", "audience": m{"all": true}, "messages": []m{{"kind": "text", "text": strings.Repeat("長", 400)}}}
	w.do("POST", "/v1/broadcasts:preflight", c.token["sales_staff"], long).into(200, &p)
	require.False(t, p.WouldStart)
	require.EqualValues(t, "message_too_long", p.Problem.Code)
	require.Equal(t, 2, p.Eligible, "Instagram takes 1,000 bytes")
	w.do("POST", "/v1/broadcasts:preflight", c.token["sales_staff"], text(6, m{"all": true})).problem(422, "broadcast_message_count")
	w.do("POST", "/v1/broadcasts:preflight", c.token["cs_agent"], text(1, m{"all": true})).problem(403, "permission_denied")
	require.Equal(t, before, w.counts())
}

func TestAStartAtAGivenTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.shop()
	staff := c.token["sales_staff"]
	before := w.counts()
	past := text(1, m{"all": true})
	past["start_at"] = time.Now().Add(-time.Minute)
	w.do("POST", "/v1/broadcasts", staff, past).problem(422, "start_time_past")
	past["start_at"] = time.Now().Add(2 * 366 * 24 * time.Hour)
	w.do("POST", "/v1/broadcasts", staff, past).problem(422, "input_invalid")
	require.Equal(t, before, w.counts(), "nothing is stored")
	starts, _ := w.engine.calls()
	require.Empty(t, starts)

	at := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	request := text(1, m{"all": true})
	request["start_at"], request["late_after_seconds"] = at, 60
	var accepted acceptedOutput
	w.do("POST", "/v1/broadcasts", staff, request).into(202, &accepted.Body)
	require.EqualValues(t, "scheduled", accepted.Body.State)
	starts, _ = w.engine.calls()
	require.Len(t, starts, 1)
	require.Contains(t, string(starts[0].Input), fmt.Sprintf(`"start_at": %q`, at.Format(time.RFC3339)))
	path := "/v1/broadcasts/" + accepted.Body.ID.String()
	var detail broadcastBody
	w.do("GET", path, staff, nil).into(200, &detail)
	require.EqualValues(t, "scheduled", detail.Waiting.Kind)
	require.Equal(t, at, detail.Waiting.Until.UTC())
	require.Equal(t, 60, detail.LateAfterSeconds)
	w.exec(`UPDATE broadcasts SET state = 'awaiting_approval' WHERE id = $1`, accepted.Body.ID)
	w.do("POST", path+":approve", staff, m{"reason": "still right"}).into(200, &detail)
	require.EqualValues(t, "approval", detail.Waiting.Kind)
	_, updates := w.engine.calls()
	require.Equal(t, workflows.UpdateApprove, updates[0].name)
	require.Equal(t, workflows.ControlInput{ActorID: uuid.MustParse(c.ids["sales_staff"]), Reason: "still right"}, updates[0].in)
}

// Hours without a time zone are the team's, as it is at the start.
func TestHoursOfABroadcast(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.shop()
	w.exec(`UPDATE conversations SET last_customer_message_at = now()`)
	staff := c.token["sales_staff"]
	request := text(1, m{"all": true})
	request["hours"] = m{"from": "09:00", "to": "09:00"}
	w.do("POST", "/v1/broadcasts", staff, request).problem(422, "input_invalid")
	request["hours"] = m{"from": "09:00", "to": "21:00", "timezone": "Mars/Base"}
	w.do("POST", "/v1/broadcasts", staff, request).problem(422, "input_invalid")

	opens := time.Now().UTC().Add(2 * time.Hour)
	request["hours"] = m{"from": opens.Format("15:04"), "to": opens.Add(time.Hour).Format("15:04"), "timezone": "UTC"}
	var p preflightBody
	w.do("POST", "/v1/broadcasts:preflight", staff, request).into(200, &p)
	require.NotEmpty(t, p.Lanes)
	for _, l := range p.Lanes {
		require.WithinDuration(t, opens, *l.ExpectedFinish, 2*time.Minute, "not before the hours begin")
	}
	request["hours"] = m{"from": "09:00", "to": "21:00"}
	var accepted acceptedOutput
	w.do("POST", "/v1/broadcasts", staff, request).into(202, &accepted.Body)
	stored, err := w.store.LoadRequest(t.Context(), uuid.MustParse(c.id), accepted.Body.ID)
	require.NoError(t, err)
	require.Equal(t, &omniflow.Hours{From: "09:00", To: "21:00", Timezone: "Asia/Taipei"}, stored.Hours)
}

// failAll plans a broadcast and fails its rows but that of LINE, which is sent.
func (w *world) failAll(c *company) (id uuid.UUID, path string) {
	w.exec(`UPDATE conversations SET last_customer_message_at = now()`)
	id, path = c.broadcastOf("sales_staff")
	w.plan(c, id)
	w.exec(`UPDATE messages m SET state = CASE WHEN c.channel = 'line' THEN 'sent' ELSE 'failed' END::message_state, attempt = 1, fence = 1,
		code = CASE c.channel WHEN 'line' THEN NULL WHEN 'facebook' THEN 'opted_out' ELSE 'retries_exhausted' END
		FROM conversations c WHERE c.id = m.conversation_id AND m.broadcast_id = $1`, id)
	return id, path
}

func TestARetryIsANewBroadcast(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.shop()
	id, path := w.failAll(c)
	sent := w.ids(`SELECT conversation_id FROM messages WHERE broadcast_id = $1 AND state = 'sent'`, id)
	before := w.counts()
	w.do("POST", path+":retry", c.token["sales_staff"], m{"scope": "list", "conversation_ids": sent}).problem(422, "retry_not_allowed")
	w.do("POST", path+":retry", c.token["sales_staff"], m{"scope": "list"}).problem(422, "input_invalid")
	w.do("POST", path+":retry", c.token["sales_staff"], m{"scope": "unknown"}).problem(422, "retry_empty")
	w.do("POST", path+":retry", c.token["sales_staff"], m{"scope": "failed", "template": m{"name": "x", "language": "zh_TW"}}).problem(422, "template_invalid")
	w.do("POST", path+":retry", c.token["cs_agent"], m{"scope": "failed"}).problem(403, "permission_denied")
	require.Equal(t, before, w.counts(), "a refusal changes nothing")

	var retried retriedOutput
	w.do("POST", path+":retry", c.token["supervisor"], m{"scope": "failed", "reason": "mended"}, "Idempotency-Key", "k").into(202, &retried.Body)
	w.do("POST", path+":retry", c.token["supervisor"], m{"scope": "failed", "reason": "mended"}, "Idempotency-Key", "k").into(202, &retried.Body)
	require.Equal(t, 3, retried.Body.Rows)
	require.Equal(t, []retryReason{{Code: "retries_exhausted", Rows: 2, Recipients: 2, Mendable: true}, {Code: "opted_out", Rows: 1, Recipients: 1}}, retried.Body.Reasons)
	starts, _ := w.engine.calls()
	require.Len(t, starts, 2)
	require.Equal(t, temporalclient.SendBroadcast, starts[1].Workflow)
	var detail broadcastBody
	w.do("GET", path, c.token["sales_staff"], nil).into(200, &detail)
	require.Equal(t, []uuid.UUID{retried.Body.ID}, detail.Retries)
	w.do("GET", "/v1/broadcasts/"+retried.Body.ID.String(), c.token["sales_staff"], nil).into(200, &detail)
	require.Equal(t, id, *detail.RetryOf)
	require.Equal(t, c.ids["sales_staff"], detail.ActorID.String(), "in the name of the one whose customers they are")

	var log listBody[auditBody]
	w.do("GET", "/v1/audit?object="+id.String(), c.admin, nil).into(200, &log)
	require.Len(t, log.Items, 2, "its start, and its retry")
	retry := slices.IndexFunc(log.Items, func(a auditBody) bool { return a.Action == "broadcast.retry" })
	require.GreaterOrEqual(t, retry, 0)
	require.Equal(t, c.ids["supervisor"], log.Items[retry].ActorID)
	require.Equal(t, "Member", log.Items[retry].ActorName)
	require.Equal(t, "mended", log.Items[retry].Reason)
	w.do("GET", "/v1/audit", c.token["supervisor"], nil).problem(403, "permission_denied")
	other := w.company("omo")
	w.do("GET", "/v1/audit?object="+id.String(), other.admin, nil).into(200, &log)
	require.Empty(t, log.Items)
}

func TestTheExportIsSafeToOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.shop()
	id, path := w.failAll(c)
	w.exec(`UPDATE contacts SET customer_id = '=HYPERLINK("http://x.example","A,B")' WHERE id IN (
		SELECT c.contact_id FROM conversations c WHERE c.channel = 'facebook')`)
	w.exec(`UPDATE messages SET sent_at = '2026-05-04T01:02:03Z', provider_id = '-1' WHERE broadcast_id = $1 AND state = 'sent'`, id)
	reply := w.do("GET", path+"/recipients.csv", c.token["sales_staff"], nil)
	require.Equal(t, 200, reply.Status)
	require.Equal(t, "text/csv; charset=utf-8", reply.Header.Get("Content-Type"))
	body, found := strings.CutPrefix(string(reply.Body), "\ufeff")
	require.True(t, found, "a byte-order mark")
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"customer_id", "channel", "state", "code", "attempts", "sent_at", "received_at", "read_at", "provider_id", "conversation_id"}, rows[0])
	require.Len(t, rows, 5)
	byChannel := map[string][]string{}
	for _, row := range rows[1:] {
		byChannel[row[1]] = row
	}
	require.Equal(t, `'=HYPERLINK("http://x.example","A,B")`, byChannel["facebook"][0])
	require.Equal(t, []string{"failed", "opted_out", "1", "", "", "", ""}, byChannel["facebook"][2:9])
	require.Equal(t, []string{"sent", "", "1", "2026-05-04T01:02:03Z", "", "", "'-1"}, byChannel["line"][2:9])
	var timeline listBody[timelineItemBody]
	w.do("GET", path+"/recipients/"+byChannel["line"][9]+"/timeline", c.token["sales_staff"], nil).into(200, &timeline)
	require.NotEmpty(t, timeline.Items, "a line leads to its recipient's timeline")
	w.do("GET", "/v1/broadcasts/"+uuid.NewString()+"/recipients.csv", c.token["sales_staff"], nil).problem(404, "not_found")
}

func TestACellIsNoFormula(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"": "", "C-1": "C-1", "=1": "'=1", "+8869": "'+8869", "-1": "'-1", "@x": "'@x", "\tx": "'\tx", "\rx": "'\rx"} {
		require.Equal(t, want, plainCell(in))
	}
}

func TestATimelineTellsTheWholeStory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.shop()
	w.exec(`UPDATE conversations SET last_customer_message_at = now()`)
	id, path := c.broadcastOf("sales_staff")
	w.plan(c, id)
	row := w.ids(`SELECT m.id FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE m.broadcast_id = $1 AND c.channel = 'whatsapp'`, id)[0]
	conversation := w.ids(`SELECT conversation_id FROM messages WHERE id = $1`, row)[0]
	w.exec(`UPDATE broadcasts SET planned_at = '2026-05-04T01:00:00Z' WHERE id = $1`, id)
	w.exec(`INSERT INTO attempts (message_id, team_id, attempt, http_status, latency_ms, at, code, provider_id, trace) VALUES
		($1, $2, 1, 503, 1000, '2026-05-04T01:00:06Z', 'unavailable', '', 'tr1'), ($1, $2, 2, 0, 1000, '2026-05-04T01:00:09Z', 'reset', '', '')`, row, c.id)
	w.exec(`UPDATE messages SET state = 'unknown', code = 'outcome_unknown', attempt = 2, attempted_at = '2026-05-04T01:00:08Z', due_at = '2026-05-04T01:10:08Z' WHERE id = $1`, row)
	var out struct{ Items []timelineItemBody }
	w.do("GET", path+"/recipients/"+conversation.String()+"/timeline", c.token["sales_staff"], nil).into(200, &out)
	var story []string
	for _, i := range out.Items {
		line := i.At.UTC().Format("05") + " " + i.Kind + " " + i.State + " " + i.Code
		if i.Until != nil {
			line += " until " + i.Until.UTC().Format("04:05")
		}
		story = append(story, line)
	}
	require.Equal(t, []string{"00 planned  eligible", "00 wait queued limit until 00:05", "06 attempt  unavailable", "06 wait queued unavailable until 00:08",
		"09 attempt  reset", "09 wait unknown webhooks until 10:08", "09 state unknown outcome_unknown"}, story)
	require.Equal(t, "tr1", out.Items[2].Trace)
}
