package main

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// text is a broadcast of n texts to audience.
func text(n int, audience m) m {
	messages := make([]m, n)
	for i := range messages {
		messages[i] = m{"kind": "text", "text": fmt.Sprintf("text %d", i+1)}
	}
	return m{"kind": "broadcast_message", "audience": audience, "messages": messages}
}

// template is a template broadcast to audience.
func template(audience m, name string, params ...string) m {
	return m{"kind": "broadcast_template", "audience": audience,
		"messages": []m{{"kind": "template", "template": m{"name": name, "language": "zh_TW", "params": params}}}}
}

// TestBadInputChangesNothing is every row of the table of refusals: a problem
// with its code, no row changed in any table, and no run started.
func TestBadInputChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, accounts := w.shop()
	other := w.company("omo", "sales_staff")
	plain := w.company("standard")
	foreignConversations := func() []uuid.UUID {
		foreign := other.account("line", "Lforeign", nil)
		other.importFile("?follower_id="+other.ids["sales_staff"]+"&line_account="+foreign,
			header+"X1,,,,,line,U0000000000000000000000000000000f,,,\n")
		return w.ids(`SELECT id FROM conversations WHERE team_id = $1`, other.id)
	}()
	staff, agent := c.token["sales_staff"], c.token["cs_agent"]
	all := m{"all": true}
	w.do("POST", c.path+"/templates", c.admin, m{"waba_id": "waba1", "name": "spring", "language": "zh_TW", "body_params": 1}).into(201, &m{})
	w.do("POST", c.path+"/templates", c.admin, m{"waba_id": "waba1", "name": "winter", "language": "zh_TW", "body_params": 0, "state": "rejected"}).into(201, &m{})
	second := c.account("whatsapp", "Wsecond", m{"waba_id": "waba2"})
	c.importFile("?follower_id="+c.ids["sales_manager"]+"&whatsapp_account="+second, header+"M1,,TW,0921050329,,whatsapp,,,,\n")
	c.importFile("?follower_id="+c.ids["sales_manager"]+"&whatsapp_account="+accounts["whatsapp"], header+"M2,,TW,0921050330,,whatsapp,,,,\n")
	followedByManager := w.ids(`SELECT id FROM conversations WHERE follower_id = $1`, c.ids["sales_manager"])
	mine := w.ids(`SELECT id FROM conversations WHERE follower_id = $1`, c.ids["sales_staff"])
	webchat, group := uuid.New(), uuid.New()
	for id, kind := range map[uuid.UUID][2]string{webchat: {"webchat", "one_to_one"}, group: {"line", "line_group"}} {
		identity := uuid.New()
		w.exec(`INSERT INTO channel_identities (id, team_id, contact_id, channel_account_id, external_id)
SELECT $1, team_id, contact_id, channel_account_id, $2 FROM channel_identities WHERE team_id = $3 LIMIT 1`, identity, id.String(), c.id)
		w.exec(`INSERT INTO conversations (id, team_id, contact_id, channel_identity_id, channel_account_id, channel, type, state, follower_id)
SELECT $1, i.team_id, i.contact_id, i.id, i.channel_account_id, $2, $3, 'closed', $4 FROM channel_identities i WHERE i.id = $5`,
			id, kind[0], kind[1], c.ids["sales_staff"], identity)
	}
	w.exec(`UPDATE conversations SET state = 'handling' WHERE id = ANY ($1)`, []uuid.UUID{webchat, group})
	// Sales staff of a team that has lost the plan (EX-120).
	poorTeam := w.company("omo", "sales_staff")
	w.exec(`UPDATE teams SET plan = 'standard' WHERE team_id = $1`, poorTeam.id)
	goneID, gone := c.member("sales_staff")
	w.exec(`UPDATE members SET state = 'deactivated' WHERE id = $1`, goneID)
	before := w.counts() // stays as it is all the time, so the rows may run side by side
	csv := func(body string) []string { return []string{"POST", c.path + "/imports", c.admin, body} }
	named := func(ids ...uuid.UUID) m { return m{"conversation_ids": ids} }
	for _, row := range []struct {
		name   string
		method string
		path   string
		token  string
		body   any
		status int
		code   string
	}{
		{"unknown role", "POST", c.path + "/members", c.admin, m{"name": "A", "role": "boss"}, 422, "role_invalid"},
		{"sales role without the OMO plan (ROL-02)", "POST", plain.path + "/members", plain.admin, m{"name": "A", "role": "sales_staff"}, 403, "plan_required"},
		{"unknown plan", "POST", "/v1/teams", w.platform, m{"name": "A", "plan": "gold"}, 422, "input_invalid"},
		{"unknown flag", "POST", "/v1/teams", w.platform, m{"name": "A", "plan": "omo", "flags": []string{"magic"}}, 422, "input_invalid"},
		{"unknown timezone", "POST", "/v1/teams", w.platform, m{"name": "A", "plan": "omo", "timezone": "Mars/Base"}, 422, "input_invalid"},
		{"reconciles too soon", "POST", "/v1/teams", w.platform, m{"name": "A", "plan": "omo", "reconcile_after_seconds": -1}, 422, "input_invalid"},
		{"a failure rate over 100 %", "POST", "/v1/teams", w.platform, m{"name": "A", "plan": "omo", "stop_failure_percent": 101}, 422, "input_invalid"},
		{"a failure rate below 0", "POST", "/v1/teams", w.platform, m{"name": "A", "plan": "omo", "stop_failure_percent": -1}, 422, "input_invalid"},
		{"a member makes a team", "POST", "/v1/teams", c.admin, m{"name": "A", "plan": "omo"}, 403, "permission_denied"},
		{"an agent makes a member", "POST", c.path + "/members", agent, m{"name": "A", "role": "cs_agent"}, 403, "permission_denied"},
		{"foreign team's id", "POST", other.path + "/members", c.admin, m{"name": "A", "role": "cs_agent"}, 404, "not_found"},
		{"token for a foreign member", "POST", c.path + "/tokens", c.admin, m{"member_id": other.ids["sales_staff"]}, 404, "not_found"},
		{"token for a deactivated member", "POST", c.path + "/tokens", c.admin, m{"member_id": goneID}, 403, "actor_inactive"},
		{"machine key for a foreign member", "POST", c.path + "/machine-keys", c.admin, m{"member_id": other.ids["sales_staff"], "name": "k"}, 404, "not_found"},
		{"no token", "POST", "/v1/broadcasts", "", text(1, all), 401, "unauthenticated"},
		{"invented token", "POST", "/v1/broadcasts", "omk_abc", text(1, all), 401, "unauthenticated"},
		{"deactivated member (D-ROL-4)", "POST", "/v1/broadcasts", gone, text(1, all), 403, "actor_inactive"},
		{"the platform broadcasts", "POST", "/v1/broadcasts", w.platform, text(1, all), 403, "permission_denied"},

		{"account on an unknown channel", "POST", c.path + "/channel-accounts", c.admin, m{"channel": "wechat", "name": "A", "external_id": "1", "secrets": m{"token": "a", "app_secret": "b"}}, 422, "channel_unknown"},
		{"account too fast", "POST", c.path + "/channel-accounts", c.admin, m{"channel": "facebook", "name": "A", "external_id": "1", "rate_per_second": 301, "secrets": m{"token": "a", "app_secret": "b"}}, 422, "rate_invalid"},
		{"account that stands still", "POST", c.path + "/channel-accounts", c.admin, m{"channel": "facebook", "name": "A", "external_id": "1", "rate_per_second": 0, "secrets": m{"token": "a", "app_secret": "b"}}, 422, "rate_invalid"},
		{"account that is connected already", "POST", other.path + "/channel-accounts", other.admin, m{"channel": "facebook", "name": "A", "external_id": "F" + c.id[24:], "secrets": m{"token": "a", "app_secret": "b"}}, 422, "channel_account_invalid"},
		{"rate above the documented one", "PUT", c.path + "/channel-accounts/" + accounts["whatsapp"] + "/rate", c.admin, m{"rate_per_second": 1001, "reason": "r"}, 422, "rate_invalid"},

		{"EX-120 a CS agent broadcasts", "POST", "/v1/broadcasts", agent, text(1, all), 403, "permission_denied"},
		{"EX-120 sales staff without the OMO plan", "POST", "/v1/broadcasts", poorTeam.token["sales_staff"], text(1, all), 403, "plan_required"},
		{"EX-116 six messages", "POST", "/v1/broadcasts", staff, text(6, all), 422, "broadcast_message_count"},
		{"no message", "POST", "/v1/broadcasts", staff, text(0, all), 422, "broadcast_message_count"},
		{"unknown kind", "POST", "/v1/broadcasts", staff, m{"kind": "spam", "audience": all, "messages": []m{}}, 422, "input_invalid"},
		{"empty text", "POST", "/v1/broadcasts", staff, m{"kind": "broadcast_message", "audience": m{"channels": []string{"line"}}, "messages": []m{{"kind": "text", "text": " "}}}, 422, "message_empty"},
		{"text too long for Instagram", "POST", "/v1/broadcasts", staff, m{"kind": "broadcast_message", "audience": m{"channels": []string{"instagram"}}, "messages": []m{{"kind": "text", "text": strings.Repeat("字", 334)}}}, 422, "message_too_long"},
		{"nobody selected", "POST", "/v1/broadcasts", staff, text(1, m{}), 422, "broadcast_empty"},
		{"empty audience", "POST", "/v1/broadcasts", staff, text(1, m{"tags": []string{"nobody has this"}}), 422, "broadcast_empty"},
		{"nothing in my handling", "POST", "/v1/broadcasts", other.token["sales_staff"], text(1, m{"stores": []string{"信義店"}}), 422, "broadcast_empty"},
		{"EX-119 followed by somebody else", "POST", "/v1/broadcasts", staff, text(1, named(followedByManager[0])), 422, "recipient_not_allowed"},
		{"EX-119 a sales manager and a customer of the team list", "POST", "/v1/broadcasts", c.token["sales_manager"], text(1, named(mine[0])), 422, "recipient_not_allowed"},
		{"a foreign conversation", "POST", "/v1/broadcasts", staff, text(1, named(foreignConversations[0], mine[0])), 422, "recipient_not_allowed"},
		{"a group (D-BRD-4)", "POST", "/v1/broadcasts", staff, text(1, named(group)), 422, "recipient_not_allowed"},
		{"a web-chat recipient", "POST", "/v1/broadcasts", staff, text(1, named(webchat)), 422, "broadcast_channel_unsupported"},
		{"a web-chat filter", "POST", "/v1/broadcasts", staff, text(1, m{"channels": []string{"webchat"}}), 422, "broadcast_channel_unsupported"},
		{"an unknown template", "POST", "/v1/broadcasts", staff, template(m{"channels": []string{"whatsapp"}}, "autumn"), 422, "template_invalid"},
		{"a template that is not approved", "POST", "/v1/broadcasts", staff, template(m{"channels": []string{"whatsapp"}}, "winter"), 422, "template_invalid"},
		{"a template with too few parameters", "POST", "/v1/broadcasts", staff, template(m{"channels": []string{"whatsapp"}}, "spring"), 422, "template_invalid"},
		{"a template to LINE", "POST", "/v1/broadcasts", staff, template(m{"channels": []string{"line"}}, "spring", "x"), 422, "template_invalid"},
		{"a template to two WABAs (BRD-09)", "POST", "/v1/broadcasts", c.token["sales_manager"], template(m{"all": true}, "spring", "x"), 422, "broadcast_waba_conflict"},
		{"malformed JSON", "POST", "/v1/broadcasts", staff, `{"kind":`, 400, "input_invalid"},
		{"an unknown member of the request", "POST", "/v1/broadcasts", staff, m{"kind": "broadcast_message", "audience": all, "messages": []m{}, "tenant": 1}, 422, "input_invalid"},
		{"not an id", "GET", "/v1/broadcasts/seven", staff, nil, 422, "input_invalid"},
		{"a page too long", "GET", "/v1/broadcasts?limit=201", staff, nil, 422, "input_invalid"},
		{"an invented cursor", "GET", "/v1/broadcasts?after=seven", staff, nil, 422, "input_invalid"},
		{"a NUL in a name", "POST", c.path + "/members", c.admin, `{"name":"a\u0000b","role":"cs_agent"}`, 422, "input_invalid"},
		{"a NUL in a broadcast's name", "POST", "/v1/broadcasts", staff, `{"kind":"broadcast_message","name":"a\u0000","audience":{"all":true,"channels":["line"]},"messages":[{"kind":"text","text":"x"}]}`, 422, "input_invalid"},
		{"a NUL in a tag", "POST", "/v1/broadcasts", staff, `{"kind":"broadcast_message","audience":{"tags":["\u0000"]},"messages":[{"kind":"text","text":"x"}]}`, 422, "input_invalid"},
		{"a NUL in a filter", "GET", "/v1/broadcasts/" + uuid.NewString() + "/recipients?state=%00", staff, nil, 422, "bad_query"},
		{"a year of patience too many", "POST", "/v1/teams", w.platform, m{"name": "A", "plan": "omo", "give_up_after_seconds": 1 << 40}, 422, "input_invalid"},
		{"no such address", "GET", "/v1/tenants", staff, nil, 404, "not_found"},
		{"an agent watches", "GET", "/v1/broadcasts", agent, nil, 403, "permission_denied"},
		{"sales staff see dead letters", "GET", "/v1/dead-letters", staff, nil, 403, "permission_denied"},

		{"CSV with a header in another encoding", "", "", "", csv("customer_id,channel,channel_user_id,phone,\xb3\xaf\n"), 422, "csv_invalid"},
		{"CSV without a required column", "", "", "", csv("customer_id,channel\nC1,line\n"), 422, "csv_column_missing"},
		{"CSV that is empty", "", "", "", csv(""), 422, "csv_invalid"},
		{"CSV in another encoding", "", "", "", csv(header + "C1,\xb3\xaf,TW,0921050328,,whatsapp,,,,\n"), 422, "csv_invalid"},
		{"import for a foreign follower", "POST", c.path + "/imports?follower_id=" + other.ids["sales_staff"], c.admin, fourChannels, 404, "not_found"},
		{"import for a deactivated follower", "POST", c.path + "/imports?follower_id=" + goneID, c.admin, fourChannels, 422, "receiver_inactive"},
		{"import to a foreign account", "POST", other.path + "/imports?line_account=" + accounts["line"], other.admin, fourChannels, 404, "not_found"},
		{"import to an account of another channel", "POST", c.path + "/imports?line_account=" + accounts["facebook"], c.admin, fourChannels, 422, "channel_account_invalid"},
		{"import where two accounts fit", "POST", c.path + "/imports", c.admin, fourChannels, 422, "channel_account_invalid"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := w.in(t)
			if parts, ok := row.body.([]string); ok {
				row.method, row.path, row.token, row.body = parts[0], parts[1], parts[2], parts[3]
			}
			got := w.do(row.method, row.path, row.token, row.body)
			got.problem(row.status, row.code)
			require.Equal(t, before, w.counts())
			starts, updates := w.engine.calls()
			require.Empty(t, starts)
			require.Empty(t, updates)
		})
	}
}

func TestRefusalShowsRuleAndChineseText(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.shop()
	second := c.account("whatsapp", "Wsecond", m{"waba_id": "waba2"})
	c.importFile("?follower_id="+c.ids["sales_staff"]+"&whatsapp_account="+second, header+"M1,,TW,0921050329,,whatsapp,,,,\n")
	p := w.do("POST", "/v1/broadcasts", c.token["sales_staff"], template(m{"channels": []string{"whatsapp"}}, "spring")).problem(422, "broadcast_waba_conflict")
	require.Equal(t, "BRD-09", p.Rule)
	require.Equal(t, "請重新選擇對話事件。訊息範本僅支援發送相同WhatsApp商業帳號的顧客", p.Message)
}

// curl -d says that it sends a form.
func TestABodyThatIsNotSaidToBeJSONIsToldSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.company("standard")
	p := w.do("POST", c.path+"/members", c.admin, m{"name": "x", "role": "cs_agent"}, "Content-Type", "application/x-www-form-urlencoded").problem(415, "input_invalid")
	require.Contains(t, p.Detail, "send Content-Type: application/json")
}

func TestLongBodiesAreRefusedUnread(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.shop()
	before := w.counts()

	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	fmt.Fprintf(conn, "POST %s/imports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: text/csv\r\nContent-Length: %d\r\n\r\ncustomer_id", c.path, c.admin, 200<<20)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err, "answered although 200 MB were never sent")
	require.Equal(t, http.StatusRequestEntityTooLarge, res.StatusCode)
	require.NoError(t, res.Body.Close())

	// Without a length the body is cut where it becomes too long.
	reader := &endless{text: []byte(header)}
	r, err := http.NewRequestWithContext(t.Context(), "POST", w.url+c.path+"/imports", reader)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+c.admin)
	r.Header.Set("Content-Type", "text/csv")
	streamed, err := http.DefaultClient.Do(r)
	if err == nil { // the server may close the connection before the client has read the answer
		require.Equal(t, http.StatusRequestEntityTooLarge, streamed.StatusCode)
		require.NoError(t, streamed.Body.Close())
	}
	require.Less(t, reader.sent.Load(), int64(200<<20))
	require.Equal(t, before, w.counts())
}

// endless is a body of one header and lines without a customer, up to 300 MB.
type endless struct {
	text []byte
	sent atomic.Int64 // the client may still be reading when its answer is there
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.text)
	e.text = e.text[n:]
	for i := n; i < len(p); i++ {
		p[i] = ' '
	}
	p[len(p)-1] = '\n'
	if sent := e.sent.Add(int64(len(p))); sent > 300<<20 {
		return 0, fmt.Errorf("read %d bytes: nobody stopped", sent)
	}
	return len(p), nil
}

func TestWebhookDoor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, accounts := w.shop()
	meta := func(ch, body string) []string {
		mac := hmac.New(sha256.New, []byte("s-"+strings.ToUpper(ch[:1])+c.id[24:]))
		mac.Write([]byte(body))
		return []string{"X-Hub-Signature-256", "sha256=" + hex.EncodeToString(mac.Sum(nil))}
	}
	lineSigned := func(body string) []string {
		mac := hmac.New(sha256.New, []byte("s-L"+c.id[24:]))
		mac.Write([]byte(body))
		return []string{"X-Line-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil))}
	}
	body := `{"object":"whatsapp_business_account","entry":[]}`
	path := "/webhooks/whatsapp/" + accounts["whatsapp"]
	before := w.counts()

	w.do("POST", path, "", body, "X-Hub-Signature-256", "sha256=00").problem(401, "signature_invalid")
	w.do("POST", path, "", body).problem(401, "signature_invalid")
	w.do("POST", path, "", body+" ", meta("whatsapp", body)...).problem(401, "signature_invalid")
	w.do("POST", "/webhooks/facebook/"+accounts["whatsapp"], "", body, meta("whatsapp", body)...).problem(404, "not_found")
	w.do("POST", "/webhooks/whatsapp/"+uuid.NewString(), "", body, meta("whatsapp", body)...).problem(404, "not_found")
	w.do("POST", "/webhooks/fax/"+accounts["whatsapp"], "", body).problem(404, "not_found")
	w.do("POST", "/webhooks/whatsapp/seven", "", body).problem(404, "not_found")
	long := strings.Repeat(" ", maxWebhookBytes+1)
	w.do("POST", path, "", long, meta("whatsapp", long)...).problem(413, "body_too_large")
	require.Equal(t, before, w.counts())

	for range 3 { // a replayed webhook is one webhook
		require.Equal(t, 200, w.do("POST", path, "", body, meta("whatsapp", body)...).Status)
	}
	lineBody := `{"destination":"U1","events":[]}`
	require.Equal(t, 200, w.do("POST", "/webhooks/line/"+accounts["line"], "", lineBody, lineSigned(lineBody)...).Status)
	after := w.counts()
	require.Equal(t, before["inbox"]+2, after["inbox"])
	after["inbox"] = before["inbox"]
	require.Equal(t, before, after, "the door only stores")

	got := w.do("GET", path+"?hub.mode=subscribe&hub.challenge=12345&hub.verify_token=v-W"+c.id[24:], "", nil)
	require.Equal(t, 200, got.Status)
	require.Equal(t, "12345", string(got.Body))
	w.do("GET", path+"?hub.mode=subscribe&hub.challenge=12345&hub.verify_token=wrong", "", nil).problem(403, "signature_invalid")
	w.do("GET", "/webhooks/line/"+accounts["line"], "", nil).problem(404, "not_found")
}

func TestWebhookIsRefusedWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, accounts := w.shop()
	body := `{}`
	mac := hmac.New(sha256.New, []byte("s-W"+c.id[24:]))
	mac.Write([]byte(body))
	signed := []string{"X-Hub-Signature-256", "sha256=" + hex.EncodeToString(mac.Sum(nil))}
	path := "/webhooks/whatsapp/" + accounts["whatsapp"]
	require.Equal(t, 200, w.do("POST", path, "", body, signed...).Status)
	w.store.Close()
	w.do("POST", path, "", body, signed...).problem(503, "database_unavailable") // and the provider sends again
}
