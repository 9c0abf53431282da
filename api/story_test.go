package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/workflows"
)

const header = "customer_id,name,country,phone,email,channel,channel_user_id,last_message_at,store,tags\n"

// fourChannels is a file with one customer on each channel.
const fourChannels = header +
	"C1,陳一,TW,0921050328,,whatsapp,,2026-11-16T00:31:07Z,板橋店,新品\n" +
	"C2,林二,,,,line,U00000000000000000000000000000001,2026-11-16T00:31:07Z,信義店,新品\n" +
	"C3,王三,,,,facebook,10000001,2026-11-16T00:31:07Z,信義店,會員\n" +
	"C4,李四,,,,instagram,20000001,2026-11-16T00:31:07Z,信義店,會員\n"

// shop is a company on the OMO plan with an account on each channel and the
// customers of fourChannels followed by its sales staff.
func (w *world) shop() (*company, map[string]string) {
	w.t.Helper()
	c := w.company("omo", "sales_staff", "sales_manager", "cs_agent", "supervisor")
	prefix := c.id[24:]
	accounts := map[string]string{
		"line":      c.account("line", "L"+prefix, nil),
		"facebook":  c.account("facebook", "F"+prefix, nil),
		"instagram": c.account("instagram", "I"+prefix, nil),
		"whatsapp":  c.account("whatsapp", "W"+prefix, m{"waba_id": "waba1"}),
	}
	report := c.importFile("?follower_id="+c.ids["sales_staff"], fourChannels)
	require.Equal(w.t, 4, report.Imported, "%+v", report)
	return c, accounts
}

func TestBroadcastFromTeamToAcceptance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.shop()

	var accepted struct {
		ID         string
		WorkflowID string `json:"workflow_id"`
		State      string
	}
	w.do("POST", "/v1/broadcasts", c.token["sales_staff"], m{"kind": "broadcast_message", "name": "spring",
		"audience": m{"all": true}, "messages": []m{{"kind": "text", "text": "您好"}}}).into(202, &accepted)
	require.Equal(t, "accepted", accepted.State)
	require.Equal(t, "broadcast/"+c.id+"/"+accepted.ID, accepted.WorkflowID)

	starts, _ := w.engine.calls()
	require.Len(t, starts, 1)
	require.Equal(t, "SendBroadcast", starts[0].Workflow)
	require.Equal(t, accepted.WorkflowID, starts[0].WorkflowID)
	require.Equal(t, "broadcast_message to 4 customers on 4 channels", starts[0].Summary)
	var input workflows.SendBroadcastInput
	require.NoError(t, json.Unmarshal(starts[0].Input, &input))
	require.Equal(t, accepted.ID, input.BroadcastID.String())
	require.Empty(t, w.ids(`SELECT id FROM outbox WHERE started_at IS NULL`), "the promise is kept")

	var detail broadcastBody
	w.do("GET", "/v1/broadcasts/"+accepted.ID, c.token["sales_manager"], nil).into(200, &detail)
	require.Equal(t, "spring", detail.Name)
	require.Equal(t, c.ids["sales_staff"], detail.ActorID.String())
	require.Empty(t, detail.Lanes)
	require.Zero(t, detail.Counts.Planned)

	var list listBody[broadcastBody]
	w.do("GET", "/v1/broadcasts?limit=1", c.token["supervisor"], nil).into(200, &list)
	require.Len(t, list.Items, 1)
	require.Equal(t, accepted.ID, list.Next)
	w.do("GET", "/v1/broadcasts?limit=1&after="+list.Next, c.token["supervisor"], nil).into(200, &list)
	require.Empty(t, list.Items)
	require.Empty(t, list.Next)

	log := w.log.String()
	for _, secret := range []string{"陳一", "0921050328", "+886921050328", "您好", c.admin, "t-W", "s-W"} {
		require.NotContains(t, log, secret)
	}
	require.Contains(t, log, `"route":"/v1/broadcasts"`)
}

func TestOpenAPINamesEveryOperation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var doc struct {
		OpenAPI string `json:"openapi"`
		Paths   map[string]map[string]json.RawMessage
	}
	w.do("GET", "/openapi.json", "", nil).into(200, &doc)
	require.True(t, strings.HasPrefix(doc.OpenAPI, "3.1"))
	require.Contains(t, doc.Paths["/v1/broadcasts/{id}:pause"], "post")
	require.Contains(t, doc.Paths["/v1/teams/{team_id}/channel-accounts/{id}:resume"], "post")
	require.Contains(t, string(doc.Paths["/v1/broadcasts"]["post"]), "Problem")
}

// The viewer of the reference comes out of the program: a page without any
// other host in it, and every part that it names.
func TestDocsLoadNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	page := w.do("GET", "/docs", "", nil)
	require.Equal(t, 200, page.Status)
	require.Contains(t, page.Header.Get("Content-Security-Policy"), "default-src 'none'")
	require.Contains(t, string(page.Body), "/openapi.json")
	parts := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(string(page.Body), -1)
	require.GreaterOrEqual(t, len(parts), 3)
	for _, part := range parts {
		require.True(t, strings.HasPrefix(part[1], "/docs/"), "%s is not ours", part[1])
		served := w.do("GET", part[1], "", nil)
		require.Equal(t, 200, served.Status, part[1])
		require.NotEmpty(t, served.Body)
	}
	require.Equal(t, 404, w.do("GET", "/docs/nothing.js", "", nil).Status)
}
