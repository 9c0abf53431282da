package main

import (
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// together is an office whose team has collaborations.
func (w *world) together() *office {
	w.t.Helper()
	o := w.office()
	w.exec(`UPDATE teams SET flags = '{collaboration_enabled,whatsapp_group_enabled}' WHERE team_id = $1`, o.id)
	return o
}

// named adds members of a role by their names.
func (o *office) named(role string, names ...string) []string {
	o.w.t.Helper()
	var ids []string
	for _, name := range names {
		id, token := o.member(role)
		o.w.exec(`UPDATE members SET name = $2 WHERE id = $1`, id, name)
		o.ids[name], o.token[name] = id, token
		ids = append(ids, id)
	}
	return ids
}

// written are the log entries and system messages of a conversation, as read
// by role.
func (o *office) written(role, id string) []string {
	o.w.t.Helper()
	var log struct{ Items []groupLogBody }
	o.w.do("GET", "/v1/conversations/"+id+"/log", o.token[role], nil).into(200, &log)
	var out []string
	for _, item := range log.Items {
		out = append(out, item.Kind+" "+item.Text)
	}
	return out
}

func members(ids ...string) m { return m{"member_ids": ids} }

func TestEX077FiveCollaboratorsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.together()
	id := o.conversation("王小明", "handling", "cs_agent")
	five := o.named("cs_agent", "A", "B", "C", "D", "E")
	got := o.one("cs_agent", "POST", id+"/collaborators", members(five...))
	require.Len(t, got.Collaborators, 5)
	for i, c := range got.Collaborators {
		require.Equal(t, five[i], c.String(), "D-COL-4 by rank")
	}
	require.Equal(t, []string{"log Jess 將 A、B、C、D、E 加入了協作對話。", "system A 與其他 4 人加入了協作對話。"}, o.written("cs_agent", id))
	require.Equal(t, []any{"my_handling", int64(0)}, []any{string(o.one("A", "GET", id, nil).View), o.one("A", "GET", id, nil).Unread}, "D-UNR-1")
	require.Equal(t, int64(3), o.one("cs_agent", "GET", id, nil).Unread, "UNR-04: the follower's own count stays")
	o.refusal("supervisor", "POST", id+":join", nil, 422, "collaborator_limit")
	o.refusal("cs_agent", "POST", id+"/collaborators", members(o.ids["supervisor"]), 422, "collaborator_limit")

	got = o.one("cs_agent", "POST", id+"/collaborators:remove", members(five[2], five[0]))
	require.Len(t, got.Collaborators, 3)
	require.Equal(t, []string{"log Jess 將 A、C 退出了協作對話。", "system A 與其他 1 人退出了協作對話。"}, o.written("cs_agent", id)[2:], "D-COL-7 in the list's order")
	o.one("cs_agent", "DELETE", id+"/collaborators/"+five[1], nil)
	require.Equal(t, []string{"log B 退出了協作對話。", "system B 退出了協作對話。"}, o.written("cs_agent", id)[4:])
	o.refusal("A", "GET", id, nil, 403, "permission_denied")
	got = o.one("cs_agent", "POST", id+"/collaborators", members(five[0]))
	require.Equal(t, five[0], got.Collaborators[2].String(), "the last of the list")
	require.Equal(t, []string{"log Jess 將 A 加入了協作對話。", "system A 加入了協作對話。"}, o.written("cs_agent", id)[6:])
	require.Len(t, w.ids(`SELECT id FROM audit_log WHERE action LIKE 'conversation.collaborators_%' AND actor_id = $1`, o.ids["cs_agent"]), 4)
}

func TestEX079EX080WhoAddsCollaborators(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.together()
	id := o.conversation("a", "handling", "cs_agent")
	agent := o.named("cs_agent", "B")[0]
	o.refusal("administrator", "POST", id+"/collaborators", members(o.ids["supervisor"]), 403, "permission_denied")
	o.one("cs_agent", "POST", id+"/collaborators", members(o.ids["administrator"], agent))
	o.one("administrator", "POST", id+"/collaborators", members(o.ids["supervisor"]))
	require.Contains(t, o.written("cs_agent", id), "log Member 將 Amy 加入了協作對話。")
	o.refusal("B", "POST", id+"/collaborators", members(o.ids["cs_manager"]), 403, "permission_denied") // EX-080
	o.refusal("B", "DELETE", id+"/collaborators/"+o.ids["supervisor"], nil, 403, "permission_denied")
	o.refusal("sales_staff", "POST", id+":join", nil, 403, "permission_denied")
	o.refusal("B", "POST", id+":take-over", nil, 403, "permission_denied")
	o.one("cs_manager", "DELETE", id+"/collaborators/"+agent, nil) // COL-15: an admin-type role who takes no part
}

func TestEX081EX091JoinAnswerAndLeave(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.together()
	id := o.conversation("a", "handling", "cs_agent")
	say := func(role string) reply {
		return w.do("POST", "/v1/conversations/"+id+"/messages", o.token[role], m{"kind": "text", "text": "x"})
	}
	o.one("cs_agent", "POST", id+":pin", nil)
	say("supervisor").problem(422, "not_participant")
	joined := o.one("supervisor", "POST", id+":join", nil)
	require.Equal(t, []any{"my_handling", int64(0)}, []any{string(joined.View), joined.Unread})
	require.Equal(t, []string{"log Amy 加入了協作對話。", "system Amy 加入了協作對話。"}, o.written("supervisor", id))
	require.Equal(t, 202, say("supervisor").Status)
	require.True(t, o.one("cs_agent", "GET", id, nil).Pinned, "PIN-05")
	o.one("supervisor", "POST", id+":pin", nil)
	w.exec(`UPDATE conversations SET customer_messages = customer_messages + 2 WHERE id = $1`, id)
	o.refusal("cs_agent", "POST", id+":leave", nil, 422, "follower_cannot_leave")
	o.refusal("cs_manager", "POST", id+":leave", nil, 422, "not_collaborator")
	left := o.one("supervisor", "POST", id+":leave", nil)
	require.Equal(t, []any{"team_handling", int64(0), false, 0}, []any{string(left.View), left.Unread, left.Pinned, len(left.Collaborators)}, "D-PIN-1, D-COL-3")
	require.Equal(t, []string{"log Amy 退出了協作對話。", "system Amy 退出了協作對話。"}, o.written("supervisor", id)[2:])
	require.True(t, o.one("cs_agent", "GET", id, nil).Pinned, "who stays keeps the pin")
	require.Equal(t, int64(5), o.one("cs_agent", "GET", id, nil).Unread, "UNR-05")
	say("supervisor").problem(422, "not_participant")
}

func TestEX086EX089EX090EndingAndReopening(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.together()
	id := o.conversation("a", "handling", "cs_agent")
	o.one("supervisor", "POST", id+":join", nil)
	require.Equal(t, "協作者無法結束對話", o.refusal("supervisor", "POST", id+":end", nil, 422, "collaborator_cannot_close").Message)
	o.one("cs_agent", "POST", id+":end", nil)
	o.refusal("cs_agent", "POST", id+"/collaborators", members(o.ids["cs_manager"]), 422, "invalid_transition") // D-COL-2
	got := o.one("supervisor", "POST", id+":reopen", nil)
	require.Equal(t, []any{"handling", "Jess"}, []any{string(got.State), got.FollowerName})
	require.Equal(t, "log Amy 重啟了對話。", o.written("supervisor", id)[3], "EX-089 without a system message")
	o.one("cs_agent", "POST", id+":end", nil)
	o.one("cs_manager", "POST", id+":reopen", nil)
	o.refusal("cs_manager", "POST", id+":take-over", nil, 422, "not_collaborator")
	o.one("cs_manager", "POST", id+":join", nil)
	require.Equal(t, "Kim", o.one("cs_manager", "POST", id+":take-over", nil).FollowerName, "EX-090 once she has joined")
	o.one("cs_manager", "POST", id+":end", nil)
	got = o.one("supervisor", "POST", id+":leave", nil)
	require.Equal(t, []any{"closed", 1}, []any{string(got.State), len(got.Collaborators)}, "one goes from a closed one too")
}

func TestCollaboratorsOfAGroup(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	c.w.exec(`UPDATE teams SET flags = '{collaboration_enabled,whatsapp_group_enabled}' WHERE team_id = $1`, c.id)
	id := c.group("cs_agent", "created").String()
	at := func(role, method, path string, body any) reply {
		return c.w.do(method, "/v1/groups/"+id+path, c.token[role], body)
	}
	at("cs_agent", "POST", "/collaborators", members(c.ids["sales_staff"])).problem(422, "collaborator_invalid")
	var got conversationBody
	at("cs_agent", "POST", "/collaborators", members(c.ids["supervisor"])).into(200, &got)
	require.Equal(t, []any{"whatsapp_group", 1}, []any{string(got.Type), len(got.Collaborators)})
	at("marketing_cs", "POST", ":join", nil).into(200, &got)
	at("marketing", "POST", ":join", nil).problem(403, "permission_denied")
	at("supervisor", "POST", ":follow", m{}).into(200, new(groupDetailBody))
	at("cs_agent", "POST", ":leave", nil).into(200, &got)
	at("supervisor", "DELETE", "/collaborators/"+c.ids["marketing_cs"], nil).into(200, &got)
	require.Empty(t, got.Collaborators)
	failed := c.group("cs_agent", "failed").String()
	c.w.do("POST", "/v1/groups/"+failed+"/collaborators", c.token["cs_agent"], members(c.ids["supervisor"])).problem(422, "group_not_approved")
	reviewed := c.group("cs_agent", "").String()
	c.w.do("POST", "/v1/groups/"+reviewed+":join", c.token["supervisor"], nil).problem(404, "not_found")
}

// TestBadCollaborators: each refusal, and nothing is changed by it.
func TestBadCollaborators(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.together()
	id := o.conversation("a", "handling", "cs_agent")
	pending, nobody := o.conversation("b", "pending_human", ""), o.conversation("c", "handling", "")
	present, gone := o.named("cs_agent", "A")[0], o.named("cs_agent", "B")[0]
	w.exec(`UPDATE members SET state = 'deactivated' WHERE id = $1`, gone)
	o.one("cs_agent", "POST", id+"/collaborators", members(present))
	amy, stranger := o.ids["supervisor"], w.company("omo").ids["administrator"]
	many := []string{amy, o.ids["cs_manager"], o.ids["administrator"], o.ids["sales_staff"], o.ids["sales_manager"]}
	before := w.counts()
	for name, c := range map[string]struct {
		role, method, path string
		body               any
		status             int
		code               string
	}{
		"five more than one":      {"cs_agent", "POST", id + "/collaborators", members(many...), 422, "collaborator_limit"},
		"the follower":            {"cs_agent", "POST", id + "/collaborators", members(amy, o.ids["cs_agent"]), 422, "collaborator_invalid"},
		"a collaborator":          {"cs_agent", "POST", id + "/collaborators", members(amy, present), 422, "collaborator_invalid"},
		"an inactive member":      {"cs_agent", "POST", id + "/collaborators", members(amy, gone), 422, "collaborator_invalid"},
		"one named twice":         {"cs_agent", "POST", id + "/collaborators", members(amy, amy), 422, "collaborator_invalid"},
		"a role that cannot":      {"cs_agent", "POST", id + "/collaborators", members(amy, o.ids["marketing"]), 422, "collaborator_invalid"},
		"another team's member":   {"cs_agent", "POST", id + "/collaborators", members(amy, stranger), 404, "not_found"},
		"nobody":                  {"cs_agent", "POST", id + "/collaborators", members(), 422, "input_invalid"},
		"joining one's own":       {"A", "POST", id + ":join", nil, 403, "permission_denied"},
		"in pending":              {"supervisor", "POST", pending + ":join", nil, 422, "invalid_transition"},
		"followed by nobody":      {"supervisor", "POST", nobody + ":join", nil, 422, "invalid_transition"},
		"removing who is none":    {"cs_agent", "DELETE", id + "/collaborators/" + amy, nil, 422, "collaborator_invalid"},
		"removing the follower":   {"supervisor", "DELETE", id + "/collaborators/" + o.ids["cs_agent"], nil, 422, "collaborator_invalid"},
		"removing another team's": {"cs_agent", "DELETE", id + "/collaborators/" + stranger, nil, 404, "not_found"},
		"removing one twice":      {"cs_agent", "POST", id + "/collaborators:remove", members(present, present), 422, "collaborator_invalid"},
		"the follower leaves":     {"cs_agent", "POST", id + ":leave", nil, 422, "follower_cannot_leave"},
		"no such conversation":    {"cs_agent", "POST", uuid.NewString() + ":leave", nil, 404, "not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w.in(t).do(c.method, "/v1/conversations/"+c.path, o.token[c.role], c.body).problem(c.status, c.code)
			require.Equal(t, before, w.in(t).counts())
		})
	}
}

func TestATeamWithoutCollaborationsHasNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	id := o.conversation("a", "handling", "cs_agent")
	o.refusal("supervisor", "POST", id+":join", nil, 403, "feature_disabled")
	o.refusal("cs_agent", "POST", id+"/collaborators", members(o.ids["supervisor"]), 403, "feature_disabled")
}

// Two fill the last place at the same instant, each with a retry of the same
// click: one is added, and logged once.
func TestTheLastPlaceIsFilledOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.together()
	id := o.conversation("a", "handling", "cs_agent")
	o.one("cs_agent", "POST", id+"/collaborators", members(o.named("cs_agent", "A", "B", "C", "D")...))
	statuses := make([]int, 4)
	var group sync.WaitGroup
	for i, role := range []string{"supervisor", "cs_manager", "supervisor", "cs_manager"} {
		group.Go(func() {
			statuses[i] = w.do("POST", "/v1/conversations/"+id+":join", o.token[role], nil, "Idempotency-Key", role).Status
		})
	}
	group.Wait()
	require.Subset(t, []int{200, 409, 422}, statuses)
	require.True(t, slices.Contains(statuses, 200))
	require.Len(t, o.one("cs_agent", "GET", id, nil).Collaborators, 5)
	require.Len(t, o.written("cs_agent", id), 4, "two entries an action")
}
