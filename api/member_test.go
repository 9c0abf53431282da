package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMembersSeeTheirTeam: whoever may hand a conversation on must find a
// receiver; addresses are the administrators', and other teams do not exist.
func TestMembersSeeTheirTeam(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, other := w.company("omo", "cs_agent", "marketing", "sales_staff"), w.company("omo", "cs_agent")
	w.do("POST", c.path+"/members", c.admin, m{"name": "Lin", "email": "lin@shop.example", "role": "sales_staff", "store": "大安店", "region": "北區"}).into(201, &memberBody{})
	list := func(token string) []map[string]any {
		var page struct{ Items []map[string]any }
		w.do("GET", c.path+"/members", token, nil).into(200, &page)
		require.Len(t, page.Items, 5)
		return page.Items
	}
	for _, token := range []string{w.platform, c.admin} {
		require.Equal(t, "lin@shop.example", list(token)[4]["email"])
		require.Contains(t, list(token)[4], "created_at")
	}
	for _, role := range []string{"cs_agent", "marketing", "sales_staff"} {
		lin := list(c.token[role])[4]
		require.NotEmpty(t, lin["id"])
		delete(lin, "id")
		require.Equal(t, m{"team_id": c.id, "name": "Lin", "role": "sales_staff", "store": "大安店", "region": "北區", "state": "active"}, lin)
	}
	w.do("GET", c.path+"/members", other.token["cs_agent"], nil).problem(404, "not_found")
	w.do("GET", c.path+"/members", other.admin, nil).problem(404, "not_found")
	w.do("GET", c.path+"/members", "", nil).problem(401, "unauthenticated")
	w.do("POST", c.path+"/members", c.token["cs_agent"], m{"name": "x", "role": "cs_agent"}).problem(403, "permission_denied")
}

func TestMemberEmail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.company("omo")
	for _, email := range []string{"notanemail", "a@", "@shop.example", "Jess <jess@shop.example>", "a@b, c@d", " "} {
		p := w.do("POST", c.path+"/members", c.admin, m{"name": "x", "role": "cs_agent", "email": email}).problem(422, "email_invalid")
		require.Contains(t, p.Detail, "email must be an address")
	}
	for _, email := range []string{"", "jess+shop@shop.example"} {
		var made memberBody
		w.do("POST", c.path+"/members", c.admin, m{"name": "x", "role": "cs_agent", "email": email}).into(201, &made)
		require.Equal(t, email, made.Email)
	}
}

// TestMemberNoIDs: a refusal says which part of a request should be an id.
func TestMemberNoIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.company("omo", "cs_agent")
	for location, reply := range map[string]reply{
		"body":    w.do("POST", c.path+"/tokens", c.admin, m{"member_id": "nope"}),
		"path.id": w.do("GET", "/v1/conversations/nope", c.token["cs_agent"], nil),
	} {
		p := reply.problem(422, "input_invalid")
		require.Len(t, p.Errors, 1)
		require.Equal(t, location, p.Errors[0].Location)
		require.Contains(t, p.Errors[0].Message, "must be an id such as 01a1f917-f04c-736b-8e47-429ded45f955")
	}
}
