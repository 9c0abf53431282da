package main

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// office is a company with members of several roles and an account on each channel.
type office struct {
	*company
	w        *world
	accounts map[string]string
}

func (w *world) office() *office {
	w.t.Helper()
	c := w.company("omo", "supervisor", "cs_manager", "cs_agent", "marketing", "sales_staff", "sales_manager")
	o := &office{company: c, w: w, accounts: map[string]string{}}
	for _, ch := range []string{"line", "facebook", "instagram", "whatsapp"} {
		o.accounts[ch] = c.account(ch, ch[:1]+c.id[24:], m{"waba_id": "waba1"})
	}
	for role, name := range map[string]string{"supervisor": "Amy", "cs_agent": "Jess", "sales_staff": "Tom", "cs_manager": "Kim"} {
		w.exec(`UPDATE members SET name = $2 WHERE id = $1`, c.ids[role], name)
	}
	return o
}

// conversation puts one with a LINE customer into a state, followed by who has
// the role; "": nobody.
func (o *office) conversation(name, state, role string) string {
	o.w.t.Helper()
	contact, identity, id := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	var follower *string
	if role != "" {
		who := o.ids[role]
		follower = &who
	}
	o.w.exec(`INSERT INTO contacts (id, team_id, name, phone, email, note, tags) VALUES ($1, $2, $3, '+886921050328', 'a@b.tw', 'likes tea', '{VIP}')`, contact, o.id, name)
	o.w.exec(`INSERT INTO channel_identities (id, team_id, contact_id, channel_account_id, external_id) VALUES ($1, $2, $3, $4, $5)`, identity, o.id, contact, o.accounts["line"], id.String())
	o.w.exec(`INSERT INTO conversations (id, team_id, contact_id, channel_identity_id, channel_account_id, channel, state, follower_id, followed_at, last_message_at, last_customer_message_at, customer_messages)
		VALUES ($1, $2, $3, $4, $5, 'line', $6, $7, now(), now(), now(), 3)`, id, o.id, contact, identity, o.accounts["line"], state, follower)
	return id.String()
}

// one asks as role for a conversation, or does something to it.
func (o *office) one(role, method, path string, body any) conversationBody {
	o.w.t.Helper()
	var out conversationBody
	o.w.do(method, "/v1/conversations/"+path, o.token[role], body).into(200, &out)
	return out
}

// refusal is the problem of asking the same.
func (o *office) refusal(role, method, path string, body any, status int, code string) Problem {
	o.w.t.Helper()
	return o.w.do(method, "/v1/conversations/"+path, o.token[role], body).problem(status, code)
}

// list gives the names in a list, in order.
func (o *office) list(role, query string) []string {
	o.w.t.Helper()
	names := []string{}
	for after := ""; ; {
		var page listBody[conversationBody]
		o.w.do("GET", "/v1/conversations?limit=2&"+query+"&after="+url.QueryEscape(after), o.token[role], nil).into(200, &page)
		for _, c := range page.Items {
			names = append(names, c.Name)
		}
		if after = page.Next; after == "" {
			return names
		}
	}
}

func TestStepsOfAConversation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	id := o.conversation("a", "pending_human", "")
	got := o.one("cs_agent", "POST", id+":follow", nil)
	require.Equal(t, []any{"handling", "Jess", "my_handling", int64(0)}, []any{string(got.State), got.FollowerName, string(got.View), got.Unread}, "D-UNR-1")
	p := o.refusal("sales_staff", "POST", id+":follow", nil, 422, "invalid_transition")
	require.Contains(t, p.Detail, "Jess")
	require.Equal(t, "D-CNV-5", p.Rule)
	require.Equal(t, "沒有權限查看此顧客對話", o.refusal("sales_staff", "POST", id+":take-over", nil, 403, "permission_denied").Message)
	o.refusal("marketing", "POST", id+":take-over", nil, 403, "permission_denied")
	o.refusal("supervisor", "POST", id+":transfer", m{"receiver_id": o.ids["cs_manager"]}, 422, "not_follower")
	o.refusal("supervisor", "POST", id+":end", nil, 422, "not_follower")
	o.refusal("cs_agent", "POST", id+":transfer", nil, 422, "input_invalid")
	o.refusal("cs_agent", "POST", id+":transfer", m{"receiver_id": o.ids["cs_agent"]}, 422, "receiver_is_follower")
	o.refusal("cs_agent", "POST", id+":transfer", m{"receiver_id": o.ids["marketing"]}, 422, "receiver_invalid")
	o.refusal("cs_agent", "POST", id+":transfer", m{"receiver_id": uuid.New()}, 404, "not_found")
	gone, _ := o.member("cs_agent")
	w.exec(`UPDATE members SET state = 'deactivated' WHERE id = $1`, gone)
	o.refusal("cs_agent", "POST", id+":transfer", m{"receiver_id": gone}, 422, "receiver_inactive")
	o.refusal("cs_agent", "POST", id+":reopen", nil, 422, "invalid_transition")
	got = o.one("cs_agent", "POST", id+":transfer", m{"receiver_id": o.ids["sales_staff"], "version": got.Version})
	require.Equal(t, []any{"handling", "Tom", "team_handling"}, []any{string(got.State), got.FollowerName, string(got.View)})
	require.NotContains(t, o.refusal("cs_agent", "GET", id, nil, 403, "permission_denied").Detail, "Tom", "D-ROL-3")
	require.Contains(t, o.refusal("supervisor", "POST", id+":take-over", m{"version": 1}, 422, "invalid_transition").Detail, "somebody was faster")
	ahead := o.refusal("supervisor", "POST", id+":take-over", m{"version": 99}, 422, "invalid_transition").Detail
	require.Equal(t, fmt.Sprintf("you gave version 99, it is %d; read it again", got.Version), ahead, "nobody was")
	got = o.one("sales_staff", "POST", id+":end", m{"reason": "done"})
	require.Equal(t, []any{"closed", "Tom", "my_closed"}, []any{string(got.State), got.FollowerName, string(got.View)})
	o.refusal("sales_staff", "POST", id+":end", nil, 422, "invalid_transition")
	o.refusal("cs_agent", "POST", id+":reopen", nil, 403, "permission_denied")
	got = o.one("supervisor", "POST", id+":reopen", nil)
	require.Equal(t, []any{"handling", "Amy"}, []any{string(got.State), got.FollowerName})
	var log struct{ Items []groupLogBody }
	w.do("GET", "/v1/conversations/"+id+"/log", o.token["supervisor"], nil).into(200, &log)
	var texts []string
	for _, item := range log.Items {
		texts = append(texts, item.Kind+" "+item.Text)
	}
	require.Equal(t, []string{"log Jess 跟進了對話。", "system Jess 跟進了對話。", "log Jess 將對話轉給了 Tom。", "system Tom 跟進了對話。", "log Tom 結束了對話。", "log Amy 重啟了對話。"}, texts)

	transferred := log.Items[2]
	require.Equal(t, []any{"handling", "handling", "Jess", "Tom"}, []any{string(transferred.From), string(transferred.To), transferred.Actor, transferred.Follower}, "CNV-19")

	pending := o.conversation("b", "pending_bot", "")
	o.refusal("marketing", "POST", pending+":end", nil, 403, "permission_denied")
	got = o.one("sales_staff", "POST", pending+":end", nil)
	require.Nil(t, got.FollowerID, "D-CNV-2")
	require.Equal(t, "team_closed", string(got.View))
	other := w.in(t).office()
	other.refusal("supervisor", "POST", id+":take-over", nil, 404, "not_found")
	other.refusal("supervisor", "GET", id, nil, 404, "not_found")
	other.refusal("supervisor", "POST", id+":pin", nil, 404, "not_found")
	other.refusal("supervisor", "POST", id+":view", nil, 404, "not_found")
}

func TestStepsOfACollaboration(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	id := o.conversation("a", "handling", "cs_agent")
	for i, role := range []string{"sales_staff", "cs_manager"} {
		w.exec(`INSERT INTO collaborators (conversation_id, member_id, team_id, position) VALUES ($1, $2, $3, $4)`, id, o.ids[role], o.id, i+1)
	}
	o.refusal("supervisor", "POST", id+":take-over", nil, 422, "not_collaborator")   // EX-085
	o.refusal("sales_staff", "POST", id+":take-over", nil, 403, "permission_denied") // COL-20
	o.refusal("sales_staff", "POST", id+":transfer", m{"receiver_id": o.ids["cs_manager"]}, 422, "not_follower")
	p := o.refusal("cs_manager", "POST", id+":end", nil, 422, "collaborator_cannot_close") // EX-086
	require.Equal(t, "協作者無法結束對話", p.Message)
	o.refusal("cs_agent", "POST", id+":transfer", m{"receiver_id": o.ids["supervisor"]}, 422, "receiver_not_collaborator") // EX-083
	got := o.one("cs_manager", "POST", id+":take-over", nil)
	require.Equal(t, "Kim", got.FollowerName)
	require.Equal(t, []string{o.ids["sales_staff"], o.ids["cs_agent"]}, []string{got.Collaborators[0].String(), got.Collaborators[1].String()}, "D-COL-4")
	require.Equal(t, "my_handling", string(o.one("cs_agent", "GET", id, nil).View), "CNV-04")
	got = o.one("cs_manager", "POST", id+":transfer", m{"receiver_id": o.ids["sales_staff"]}) // EX-082
	require.Equal(t, "Tom", got.FollowerName)
	o.one("sales_staff", "POST", id+":end", nil) // EX-087
	got = o.one("cs_agent", "POST", id+":reopen", nil)
	require.Equal(t, []any{"handling", "Tom"}, []any{string(got.State), got.FollowerName}, "EX-089")
	o.one("sales_staff", "POST", id+":end", nil)
	got = o.one("supervisor", "POST", id+":reopen", nil)
	require.Equal(t, "Tom", got.FollowerName, "EX-090")
	o.refusal("supervisor", "POST", id+":take-over", nil, 422, "not_collaborator")
}

func TestEX043EX044EX045Unread(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	unread := func(role, id string) int64 { return o.one(role, "GET", id, nil).Unread }
	id := o.conversation("a", "handling", "cs_agent")
	require.EqualValues(t, 3, o.one("supervisor", "POST", id+":view", nil).Unread, "EX-043 viewing under team")
	require.EqualValues(t, 3, unread("cs_agent", id))
	require.Equal(t, []string{"a"}, o.list("cs_agent", "unread=true"))
	require.Zero(t, o.one("cs_agent", "POST", id+":view", nil).Unread, "UNR-02")
	require.EqualValues(t, 3, unread("supervisor", id))
	require.Empty(t, o.list("cs_agent", "unread=true"))
	require.Equal(t, []string{"a"}, o.list("supervisor", "unread=true"), "UNR-08")

	pending := o.conversation("b", "pending_human", "")
	require.EqualValues(t, 3, o.one("cs_agent", "POST", pending+":view", nil).Unread, "D-UNR-1")

	both := o.conversation("c", "handling", "cs_agent")
	w.exec(`INSERT INTO collaborators (conversation_id, member_id, team_id, position) VALUES ($1, $2, $3, 1)`, both, o.ids["sales_staff"], o.id)
	require.EqualValues(t, 3, o.one("supervisor", "POST", both+":view", nil).Unread, "EX-045")
	require.Zero(t, o.one("cs_agent", "POST", both+":view", nil).Unread, "EX-044")
	require.EqualValues(t, 3, unread("sales_staff", both), "EX-044")
}

// A reply reads for everybody, but in a collaboration for its sender alone.
func TestEX043EX044WhoseUnreadAReplyClears(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	unread := func(id string, roles ...string) (out []int64) {
		for _, role := range roles {
			out = append(out, o.one(role, "GET", id, nil).Unread)
		}
		return out
	}
	id := o.conversation("a", "handling", "cs_agent")
	require.Equal(t, []int64{3, 3, 3}, unread(id, "cs_agent", "supervisor", "cs_manager"))
	o.send("supervisor", id, m{"kind": "text", "text": "x"})
	require.Equal(t, []int64{0, 0, 0}, unread(id, "cs_agent", "supervisor", "cs_manager"), "EX-043: the follower's too")
	require.Empty(t, o.list("cs_agent", "unread=true"))

	both := o.conversation("b", "handling", "cs_agent")
	w.exec(`INSERT INTO collaborators (conversation_id, member_id, team_id, position) VALUES ($1, $2, $3, 1)`, both, o.ids["sales_staff"], o.id)
	o.send("cs_agent", both, m{"kind": "text", "text": "x"})
	require.Equal(t, []int64{0, 3, 3}, unread(both, "cs_agent", "sales_staff", "supervisor"), "EX-044")
	require.Equal(t, []string{"b"}, o.list("sales_staff", "unread=true"))
	o.send("sales_staff", both, m{"kind": "text", "text": "y"})
	require.Equal(t, []int64{0, 0, 3}, unread(both, "cs_agent", "sales_staff", "supervisor"))
}

func TestEX046EX047EX048Pins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	for step, do := range map[string]func(id string){
		"transferred": func(id string) { o.one("cs_agent", "POST", id+":transfer", m{"receiver_id": o.ids["supervisor"]}) },
		"ended":       func(id string) { o.one("cs_agent", "POST", id+":end", nil) },
		"followed":    func(id string) { o.one("supervisor", "POST", id+":take-over", nil) },
	} {
		id := o.conversation(step, "handling", "cs_agent")
		require.True(t, o.one("cs_agent", "POST", id+":pin", nil).Pinned)
		require.False(t, o.one("supervisor", "GET", id, nil).Pinned, "PIN-04")
		do(id)
		require.Empty(t, w.ids(`SELECT member_id FROM conversation_pins WHERE conversation_id = $1`, id), "EX-046 "+step)
	}
	both := o.conversation("EX-047", "handling", "cs_agent")
	w.exec(`INSERT INTO collaborators (conversation_id, member_id, team_id, position) VALUES ($1, $2, $3, 1)`, both, o.ids["sales_staff"], o.id)
	o.one("cs_agent", "POST", both+":pin", nil)
	o.one("sales_staff", "POST", both+":pin", nil)
	require.False(t, o.one("cs_agent", "POST", both+":unpin", nil).Pinned)
	require.True(t, o.one("sales_staff", "GET", both, nil).Pinned)
	o.one("cs_agent", "POST", both+":end", nil)
	require.False(t, o.one("sales_staff", "GET", both, nil).Pinned)
	o.refusal("supervisor", "POST", o.conversation("x", "handling", "cs_agent")+":pin", nil, 422, "pin_not_allowed")
	o.refusal("sales_staff", "POST", o.conversation("x", "handling", "cs_agent")+":pin", nil, 422, "pin_not_allowed")
	o.refusal("cs_agent", "POST", o.conversation("x", "pending_human", "")+":pin", nil, 422, "pin_not_allowed")
	o.refusal("cs_agent", "POST", o.conversation("x", "closed", "cs_agent")+":unpin", nil, 422, "pin_not_allowed")
}

func TestListsOfConversations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	ids := map[string]string{}
	for i, c := range []struct{ name, state, role string }{
		{"human", "pending_human", ""}, {"bot", "pending_bot", ""}, {"jess 1", "handling", "cs_agent"}, {"jess 2", "handling", "cs_agent"},
		{"tom", "handling", "sales_staff"}, {"jess closed", "closed", "cs_agent"}, {"nobody's", "closed", ""}, {"jess 3", "handling", "cs_agent"},
	} {
		ids[c.name] = o.conversation(c.name, c.state, c.role)
		w.exec(`UPDATE conversations SET last_message_at = now() + $2::interval, followed_at = CASE WHEN follower_id IS NULL THEN NULL ELSE now() - $2::interval END WHERE id = $1`,
			ids[c.name], time.Duration(i)*time.Minute)
	}
	o.one("cs_agent", "POST", ids["jess 1"]+":pin", nil)
	var lin memberBody
	w.do("POST", "/v1/teams/"+o.id+"/members", o.admin, m{"name": "Lin", "role": "sales_staff", "store": "大安店", "region": "北區"}).into(201, &lin)
	require.Equal(t, []string{"大安店", "北區"}, []string{lin.Store, lin.Region})
	w.exec(`UPDATE members SET (store, region) = (SELECT store, region FROM members WHERE id = $2) WHERE id = $1`, o.ids["sales_staff"], lin.ID)
	for _, c := range []struct {
		role, query string
		want        []string
	}{
		{"supervisor", "", []string{"jess 3", "nobody's", "jess closed", "tom", "jess 2", "jess 1", "bot", "human"}},
		{"supervisor", "sort=last_message", []string{"human", "bot", "jess 1", "jess 2", "tom", "jess closed", "nobody's", "jess 3"}},
		{"supervisor", "sort=-followed", []string{"jess 1", "jess 2", "tom", "jess closed", "jess 3", "nobody's", "bot", "human"}},
		{"cs_agent", "", []string{"jess 3", "nobody's", "jess closed", "jess 2", "jess 1", "bot", "human"}},
		{"sales_staff", "", []string{"nobody's", "tom", "bot", "human"}},
		{"cs_agent", "view=my_handling", []string{"jess 1", "jess 3", "jess 2"}}, // PIN-02
		{"cs_agent", "view=my_handling&sort=last_message", []string{"jess 1", "jess 2", "jess 3"}},
		{"cs_agent", "view=team_handling", []string{}},
		{"supervisor", "view=team_handling&member=" + o.ids["sales_staff"], []string{"tom"}},
		{"supervisor", "view=team_handling&member_role=sales_staff", []string{"tom"}},
		{"supervisor", "member_store=" + url.QueryEscape("信義店"), []string{}},
		{"supervisor", "member_region=" + url.QueryEscape("北區"), []string{"tom"}},
		{"supervisor", "member_region=" + url.QueryEscape("南區"), []string{}},
		{"sales_staff", "member_store=" + url.QueryEscape("大安店") + "&member_region=" + url.QueryEscape("北區"), []string{"tom"}},
		{"cs_agent", "view=my_closed", []string{"jess closed"}},
		{"cs_agent", "view=team_closed", []string{"nobody's"}},
		{"cs_agent", "view=pending_human", []string{"human"}},
		{"cs_agent", "view=pending_bot", []string{"bot"}},
		{"cs_agent", "channel=whatsapp", []string{}},
		{"cs_agent", "type=group", []string{}},
		{"supervisor", "follow=collaborative", []string{}},
		{"supervisor", "follow=followed&type=one_to_one&channel=line&tag=VIP", []string{"jess 3", "jess closed", "tom", "jess 2", "jess 1"}},
	} {
		got := o.list(c.role, c.query)
		if c.query == "sort=-followed" {
			require.Equal(t, c.want[:5], got[:5])
			require.ElementsMatch(t, c.want[5:], got[5:], "D-SRC-1: last")
			continue
		}
		require.Equal(t, c.want, got, "%s %s", c.role, c.query)
	}
	for _, query := range []string{"view=x", "channel=sms", "type=x", "follow=x", "sort=x", "member=x", "member_role=x", "member_region=%00", "search=" + url.QueryEscape(fmt.Sprintf("%0101d", 0))} {
		w.do("GET", "/v1/conversations?"+query, o.token["supervisor"], nil).problem(422, "bad_query")
	}
	w.do("GET", "/v1/conversations?after=x", o.token["supervisor"], nil).problem(422, "input_invalid")
	w.do("GET", "/v1/conversations", o.token["marketing"], nil).problem(403, "permission_denied")
	// A sales manager sees the customers of the team list (OMO-05).
	require.NotContains(t, o.list("sales_manager", ""), "tom")
	w.exec(`INSERT INTO contact_bindings (member_id, contact_id, team_id) SELECT $1, contact_id, team_id FROM conversations WHERE id = $2`, o.ids["sales_staff"], ids["tom"])
	require.Contains(t, o.list("sales_manager", ""), "tom")
	o.one("sales_manager", "GET", ids["tom"], nil)
	o.refusal("sales_manager", "POST", ids["tom"]+":take-over", nil, 403, "permission_denied")
}

func TestAListStaysRightWhileItsRowsMove(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	ids := map[string]string{}
	for i := range 6 {
		name := string(rune('a' + i))
		ids[name] = o.conversation(name, "pending_human", "")
		w.exec(`UPDATE conversations SET last_message_at = now() - $2::interval WHERE id = $1`, ids[name], time.Duration(i+1)*time.Minute)
	}
	var first, second listBody[conversationBody]
	w.do("GET", "/v1/conversations?limit=3", o.token["supervisor"], nil).into(200, &first)
	// One of the first page is ended, another and a new one move to the top: nobody behind moves.
	w.exec(`UPDATE conversations SET last_message_at = now() WHERE id = $1`, ids["b"])
	o.conversation("new", "pending_human", "")
	o.one("supervisor", "POST", ids["a"]+":follow", nil)
	w.do("GET", "/v1/conversations?limit=3&after="+first.Next, o.token["supervisor"], nil).into(200, &second)
	var names []string
	for _, c := range append(first.Items, second.Items...) {
		names = append(names, c.Name)
	}
	require.Equal(t, []string{"a", "b", "c", "d", "e", "f"}, names)
	w.do("GET", "/v1/conversations?sort=followed&after="+first.Next, o.token["supervisor"], nil).problem(422, "input_invalid")
}

func TestSRC03SearchAndWTG05Waiting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	one, two, both := o.conversation("王小明", "handling", "cs_agent"), o.conversation("Chan_50%", "pending_human", ""), o.conversation("王小明 2", "handling", "cs_agent")
	w.exec(`INSERT INTO collaborators (conversation_id, member_id, team_id, position) VALUES ($1, $2, $3, 1)`, both, o.ids["sales_staff"], o.id)
	w.exec(`UPDATE contacts SET phone = '', email = 'Chan@Example.com', note = '', tags = '{}' WHERE name LIKE 'Chan%'`)
	w.exec(`INSERT INTO inbound_messages (id, team_id, conversation_id, channel_account_id, provider_id, kind, body, sent_at) VALUES ($1, $2, $3, $4, 'p', 'text', '{"text": "有 Red Shoes 嗎"}', now())`,
		uuid.New(), o.id, one, o.accounts["line"])
	w.exec(`INSERT INTO contents (id, team_id, body) VALUES ($1, $2, '[{"kind": "text", "text": "Blue hat"}]')`, two, o.id)
	w.exec(`INSERT INTO messages (id, team_id, channel_account_id, conversation_id, content_id, seq, recipient) VALUES ($1, $2, $3, $4, $4, 0, 'r')`, uuid.New(), o.id, o.accounts["line"], two)
	for search, want := range map[string][]string{"小明": {"王小明"}, "chan": {"Chan_50%"}, "921050": {"王小明"}, "EXAMPLE": {"Chan_50%"}, "TEA": {"王小明"}, "vip": {"王小明"},
		"red shoes": {"王小明"}, "BLUE": {"Chan_50%"}, "50%": {"Chan_50%"}, "_50": {"Chan_50%"}, "x%": {}, `\`: {}, " ": {"Chan_50%", "王小明", "王小明 2"}} {
		require.ElementsMatch(t, want, o.list("cs_agent", "search="+url.QueryEscape(search)), search)
	}
	w.exec(`UPDATE conversations SET waiting_since = now() - interval '40 minutes' WHERE id = $1`, one)
	w.exec(`UPDATE conversations SET waiting_since = now() - interval '3 hours' WHERE id = $1`, two)
	w.exec(`UPDATE conversations SET waiting_since = now() - interval '20 minutes' WHERE id = $1`, both)
	w.exec(`UPDATE conversations SET last_message_at = now() + interval '1 minute' WHERE id = $1`, one)
	require.Equal(t, []string{"Chan_50%", "王小明"}, o.list("cs_agent", "waiting=true"), "SRC-06: longest first")
	require.Equal(t, []string{"Chan_50%", "王小明"}, o.list("cs_agent", "waiting=true&sort=waiting"))
	require.Equal(t, []string{"王小明", "Chan_50%"}, o.list("cs_agent", "waiting=true&sort=-last_message"))
	require.Equal(t, []string{"Chan_50%", "王小明", "王小明 2"}, o.list("cs_agent", "sort=waiting"))
	require.Equal(t, "over_2h", o.one("cs_agent", "GET", two, nil).Waiting)
}
