package main

import (
	"net/url"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// notified is what role was told, newest first.
func (o *office) notified(role, query string) notificationListBody {
	o.w.t.Helper()
	var out notificationListBody
	o.w.do("GET", "/v1/notifications?"+query, o.token[role], nil).into(200, &out)
	return out
}

// texts are those of notified, oldest first; a room that closes is marked.
func (o *office) texts(role string) []string {
	o.w.t.Helper()
	var out []string
	for _, n := range o.notified(role, "").Items {
		text := n.Text
		if n.CloseRoom {
			text += " ✕"
		}
		out = append([]string{text}, out...)
	}
	return out
}

func TestEX077EX079EX082EX087EX091MembersAreTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.together()
	w.exec(`UPDATE members SET name = 'Jess B' WHERE id = $1`, o.ids["cs_agent"])
	w.exec(`UPDATE members SET name = 'Jess' WHERE id = $1`, o.ids["administrator"])
	id := o.conversation("王小明", "handling", "cs_agent")
	five := o.named("cs_agent", "A", "B", "C", "D")
	for range 2 {
		w.do("POST", "/v1/conversations/"+id+"/collaborators", o.token["cs_agent"], members(append(five, o.ids["administrator"])...), "Idempotency-Key", "k").into(200, new(conversationBody))
	}
	for _, who := range []string{"A", "B", "C", "D", "administrator"} {
		require.Equal(t, []string{"Jess B (客服人員) 將你加入 Jess B 的協作對話。"}, o.texts(who), "EX-077")
	}
	o.one("A", "POST", id+":leave", nil)
	require.Equal(t, "已退出 王小明 的協作對話。 ✕", o.texts("A")[1], "EX-091")
	o.one("administrator", "POST", id+"/collaborators", members(o.ids["supervisor"]))
	require.Equal(t, []string{"Jess (管理員) 將你加入 Jess B 的協作對話。"}, o.texts("supervisor"), "EX-079")
	o.one("administrator", "DELETE", id+"/collaborators/"+five[1], nil)
	require.Equal(t, "Jess (管理員) 將你退出 王小明 的協作對話。 ✕", o.texts("B")[1], "NTF-04")
	o.one("cs_agent", "POST", id+":transfer", m{"receiver_id": five[2]})
	require.Equal(t, "Jess B (客服人員) 已將 1 個對話移轉給你。", o.texts("C")[1], "EX-082")
	o.one("supervisor", "POST", id+":take-over", nil)
	require.Equal(t, "Amy (主管) 已接手 1 個你的對話。", o.texts("C")[2])
	o.refusal("C", "POST", id+":end", nil, 422, "collaborator_cannot_close")
	o.one("supervisor", "POST", id+":end", nil)
	require.Equal(t, "Amy 已將對話結束。 ✕", o.texts("C")[3], "EX-087")
	require.Equal(t, []string{"Amy 已將對話結束。 ✕"}, o.texts("cs_agent"), "the former follower collaborates")
	require.Len(t, o.texts("supervisor"), 1)
	require.Empty(t, o.texts("cs_manager"))
}

// TestDNTF3NTF02WhatCustomersWriteIsTold: by signed webhooks, each of which
// comes twice, once in another envelope.
func TestDNTF3NTF02EX088WhatCustomersWriteIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.together()
	who := o.customer("line", lineUser(1))
	id := who.does("嗨", "").ID.String()
	require.Len(t, w.ids(`SELECT id FROM notifications`), 0, "nobody in particular while it is pending")
	o.one("cs_agent", "POST", id+":follow", nil)
	o.one("supervisor", "POST", id+":join", nil)
	writes := func() {
		body := who.body("還在嗎", "", time.Now())
		o.post("line", body)
		o.post("line", append(append([]byte(`{"copy":true,`), body[1:]...), '\n'))
		require.Equal(t, 1, o.drain().Messages)
		o.post("line", append(append([]byte(`{"late":true,`), body[1:]...), '\n'))
		require.Zero(t, o.drain().Messages)
	}
	writes()
	for _, role := range []string{"cs_agent", "supervisor"} {
		got := o.notified(role, "").Items
		require.Len(t, got, 1, role)
		require.Equal(t, []any{omniflow.NotifiedCustomerMessage, "", lineUser(1), id, false},
			[]any{got[0].Kind, got[0].Text, got[0].ConversationName, got[0].ConversationID.String(), got[0].CloseRoom})
		require.Equal(t, w.ids(`SELECT id FROM inbound_messages ORDER BY id DESC LIMIT 1`), []uuid.UUID{*got[0].MessageID})
	}
	o.one("cs_agent", "POST", id+":end", nil)
	writes()
	require.Len(t, o.texts("cs_agent"), 2, "EX-088: handled again")
	require.Len(t, o.texts("supervisor"), 3, "with the end of it")
	require.Empty(t, o.texts("cs_manager"))
	require.Empty(t, o.texts("administrator"))
}

func TestReadingWhatOneWasTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	who := o.customer("facebook", "70000001")
	o.one("cs_agent", "POST", who.does("hi", "").ID.String()+":follow", nil)
	for range 5 {
		who.does("hi", "")
	}
	var ids []uuid.UUID
	for after := ""; ; {
		page := o.notified("cs_agent", "limit=2&after="+url.QueryEscape(after))
		require.Equal(t, 5, page.Unread)
		for _, n := range page.Items {
			require.Nil(t, n.ReadAt)
			ids = append(ids, n.ID)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	require.Len(t, ids, 5)
	read := func(body m) (left int) {
		var out struct{ Unread int }
		w.do("POST", "/v1/notifications:read", o.token["cs_agent"], body).into(200, &out)
		return out.Unread
	}
	require.Equal(t, 3, read(m{"ids": []uuid.UUID{ids[1], ids[4]}}))
	require.Equal(t, 3, read(m{"ids": []uuid.UUID{ids[1], ids[4]}}))
	require.Len(t, o.notified("cs_agent", "unread=true").Items, 3)
	require.Equal(t, 1, read(m{"up_to": ids[1]}))
	left := o.notified("cs_agent", "unread=true")
	require.Equal(t, []any{1, ids[0]}, []any{left.Unread, left.Items[0].ID})
	require.NotNil(t, o.notified("cs_agent", "").Items[4].ReadAt)
	require.Zero(t, read(m{"up_to": ids[0]}))
	require.Empty(t, o.notified("cs_agent", "unread=true").Items)
}

// TestBadNotificationRequests: each refusal, and nothing is changed by it. What
// is another member's or another team's does not exist.
func TestBadNotificationRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	who := o.customer("facebook", "70000001")
	o.one("cs_agent", "POST", who.does("hi", "").ID.String()+":follow", nil)
	who.does("hi", "")
	mine := o.notified("cs_agent", "").Items[0].ID
	stranger := w.company("omo", "supervisor")
	gone, token := o.member("cs_agent")
	w.exec(`UPDATE members SET state = 'deactivated' WHERE id = $1`, gone)
	many := make([]uuid.UUID, 201)
	const read = "/v1/notifications:read"
	for name, c := range map[string]struct {
		method, path, token string
		body                any
		headers             []string
		status              int
		code                string
	}{
		"nobody":                     {"GET", "/v1/notifications", "", nil, nil, 401, "unauthenticated"},
		"the platform":               {"GET", "/v1/notifications", w.platform, nil, nil, 403, "permission_denied"},
		"a deactivated member":       {"GET", "/v1/notifications", token, nil, nil, 403, "actor_inactive"},
		"too many":                   {"GET", "/v1/notifications?limit=201", o.token["cs_agent"], nil, nil, 422, "input_invalid"},
		"no page":                    {"GET", "/v1/notifications?after=x", o.token["cs_agent"], nil, nil, 422, "input_invalid"},
		"no boolean":                 {"GET", "/v1/notifications?unread=perhaps", o.token["cs_agent"], nil, nil, 422, "input_invalid"},
		"read by nobody":             {"POST", read, "", m{"up_to": mine}, nil, 401, "unauthenticated"},
		"read by the platform":       {"POST", read, w.platform, m{"up_to": mine}, nil, 403, "permission_denied"},
		"read nothing":               {"POST", read, o.token["cs_agent"], m{}, nil, 422, "input_invalid"},
		"read an empty list":         {"POST", read, o.token["cs_agent"], m{"ids": []string{}}, nil, 422, "input_invalid"},
		"read these and those":       {"POST", read, o.token["cs_agent"], m{"ids": []uuid.UUID{mine}, "up_to": mine}, nil, 422, "input_invalid"},
		"read what is no id":         {"POST", read, o.token["cs_agent"], m{"ids": []string{"1"}}, nil, 422, "input_invalid"},
		"read too many":              {"POST", read, o.token["cs_agent"], m{"ids": many}, nil, 422, "input_invalid"},
		"read what there is not":     {"POST", read, o.token["cs_agent"], m{"ids": []uuid.UUID{mine, uuid.New()}}, nil, 404, "not_found"},
		"another member's":           {"POST", read, o.token["supervisor"], m{"ids": []uuid.UUID{mine}}, nil, 404, "not_found"},
		"up to another member's":     {"POST", read, o.token["supervisor"], m{"up_to": mine}, nil, 404, "not_found"},
		"another team's":             {"POST", read, stranger.token["supervisor"], m{"ids": []uuid.UUID{mine}}, nil, 404, "not_found"},
		"up to another team's":       {"POST", read, stranger.token["supervisor"], m{"up_to": mine}, nil, 404, "not_found"},
		"watched by nobody":          {"GET", "/v1/notifications/events", "", nil, nil, 401, "unauthenticated"},
		"watched by the platform":    {"GET", "/v1/notifications/events", w.platform, nil, nil, 403, "permission_denied"},
		"watched by a former member": {"GET", "/v1/notifications/events", token, nil, nil, 403, "actor_inactive"},
		"watched from nowhere":       {"GET", "/v1/notifications/events", o.token["cs_agent"], nil, []string{"Last-Event-ID", mine.String()}, 422, "input_invalid"},
		"watched from a bad place":   {"GET", "/v1/notifications/events", o.token["cs_agent"], nil, []string{"Last-Event-ID", mine.String() + ":9:1:"}, 422, "input_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w.in(t).do(c.method, c.path, c.token, c.body, c.headers...).problem(c.status, c.code)
			require.Len(t, w.ids(`SELECT id FROM notifications WHERE read_at IS NULL`), 1)
		})
	}
	for _, other := range []string{o.token["supervisor"], stranger.token["supervisor"]} {
		var list notificationListBody
		w.do("GET", "/v1/notifications", other, nil).into(200, &list)
		require.Equal(t, []int{0, 0}, []int{len(list.Items), list.Unread})
	}
}
