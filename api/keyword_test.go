package main

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestKeywordRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	const path = "/v1/keyword-rules"
	var made keywordBody
	w.do("POST", path, o.token["supervisor"], m{"keyword": "優惠", "reply": "九折"}).into(201, &made)
	require.Equal(t, []any{"exact", "pending_bot", "九折"}, []any{string(made.Match), string(made.States[0]), made.Reply})
	var second keywordBody
	w.do("PUT", path+"/"+made.ID.String(), o.admin, m{"keyword": "訂單", "match": "contains", "assign_to": o.ids["cs_agent"], "channels": []string{"line"}}).into(200, &second)
	require.Equal(t, []any{"contains", o.ids["cs_agent"], ""}, []any{string(second.Match), second.AssignTo.String(), second.Reply})
	var list listBody[keywordBody]
	w.do("GET", path, o.token["cs_agent"], nil).into(200, &list)
	require.Len(t, list.Items, 1)
	foreign := w.office()
	gone, _ := o.member("cs_agent")
	w.exec(`UPDATE members SET state = 'deleted' WHERE id = $1`, gone)
	for name, c := range map[string]struct {
		body   m
		status int
		code   string
	}{
		"empty":           {m{"keyword": "  ", "reply": "x"}, 422, "input_invalid"},
		"too long":        {m{"keyword": strings.Repeat("字", 101), "reply": "x"}, 422, "input_invalid"},
		"does nothing":    {m{"keyword": "a"}, 422, "input_invalid"},
		"unknown match":   {m{"keyword": "a", "reply": "x", "match": "regex"}, 422, "input_invalid"},
		"unknown channel": {m{"keyword": "a", "reply": "x", "channels": []string{"sms"}}, 422, "channel_unknown"},
		"unknown state":   {m{"keyword": "a", "reply": "x", "states": []string{"closed"}}, 422, "input_invalid"},
		"long reply":      {m{"keyword": "a", "reply": strings.Repeat("x", 1001)}, 422, "message_too_long"},
		"blank reply":     {m{"keyword": "a", "reply": " "}, 422, "message_empty"},
		"foreign member":  {m{"keyword": "a", "assign_to": foreign.ids["cs_agent"]}, 404, "not_found"},
		"gone member":     {m{"keyword": "a", "assign_to": gone}, 422, "receiver_inactive"},
		"marketing":       {m{"keyword": "a", "assign_to": o.ids["marketing"]}, 422, "receiver_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w.in(t).do("POST", path, o.admin, c.body).problem(c.status, c.code)
		})
	}
	ok := m{"keyword": "a", "reply": "x"}
	for _, role := range []string{"cs_agent", "cs_manager", "sales_staff", "marketing"} {
		w.do("POST", path, o.token[role], ok).problem(403, "permission_denied")
		w.do("PUT", path+"/"+made.ID.String(), o.token[role], ok).problem(403, "permission_denied")
		w.do("DELETE", path+"/"+made.ID.String(), o.token[role], nil).problem(403, "permission_denied")
	}
	w.do("PUT", path+"/"+uuid.NewString(), o.admin, ok).problem(404, "not_found")
	w.do("PUT", path+"/"+made.ID.String(), foreign.admin, ok).problem(404, "not_found")
	w.do("DELETE", path+"/"+made.ID.String(), foreign.admin, nil).problem(404, "not_found")
	require.Equal(t, 204, w.do("DELETE", path+"/"+made.ID.String(), o.admin, nil).Status)
	w.do("DELETE", path+"/"+made.ID.String(), o.admin, nil).problem(404, "not_found")
}
