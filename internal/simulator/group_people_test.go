package simulator_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/simulator"
)

// inviteTo sends one person the template with the group's id.
func (w *groupWorld) inviteTo(person, group string) answer {
	w.t.Helper()
	return w.call(http.MethodPost, phoneID+"/messages", groupBody(`"to":"+`+person+`","type":"template","template":{"name":"join","language":{"code":"en"},
		"components":[{"type":"body","parameters":[{"type":"group_id","group_id":"`+group+`"}]}]}`))
}

func (w *groupWorld) people(list ...simulator.GroupUser) {
	w.t.Helper()
	require.NoError(w.t, w.sim.AddGroupUsers(simulator.GroupUsers{ExternalID: phoneID, Users: list}))
	require.NoError(w.t, w.sim.AddTemplates(simulator.Template{ExternalID: phoneID, Name: "join", Language: "en", BodyParams: 1}))
}

func TestPeopleTakeInvitations(t *testing.T) {
	t.Parallel()
	w := newGroupWorld(t, nil)
	id := w.create(`"subject":"VIP"`)
	w.people(simulator.GroupUser{ID: member(2), Behaviour: simulator.AsksAndGoes},
		simulator.GroupUser{ID: member(3), Behaviour: simulator.JoinsAndGoes},
		simulator.GroupUser{ID: member(4), Behaviour: simulator.RefusesGroup},
		simulator.GroupUser{ID: member(5), Behaviour: simulator.NotOnWhatsApp},
		simulator.GroupUser{ID: member(6)})
	for n := 1; n <= 6; n++ {
		require.Equal(t, http.StatusOK, w.inviteTo(member(n), id).status)
	}
	asked, revoked := w.event("group_join_request_created"), w.event("group_join_request_revoked")
	require.Equal(t, asked.g["join_request_id"], revoked.g["join_request_id"])
	require.Equal(t, member(2), revoked.g["wa_id"])
	require.Equal(t, member(3), at(t, w.event("group_participants_remove").g, "removed_participants", 0, "wa_id"))
	for range 3 {
		w.event("group_participants_add")
	}
	g := w.truth(id)
	require.ElementsMatch(t, []string{member(1), member(6)}, g.Members)
	require.Equal(t, []string{member(3)}, g.Left)
	require.Len(t, g.Invitations, 5)
	require.Zero(t, g.Invitations[member(5)], "the message never reached him")

	// A text with the link invites as well.
	w.whatsapp(member(7), "come in: "+g.InviteLink, "k")
	require.Equal(t, member(7), at(t, w.event("group_participants_add").g, "added_participants", 0, "wa_id"))
	code, _ := w.inviteTo(member(8), id[:len(id)-2]+"zz").graphCode()
	require.Equal(t, 131041, code)
}

// A person holds the link of the moment at which the invitation reached him:
// a reset before he acts kills it, silently.
func TestALinkThatDiedIsNoInvitation(t *testing.T) {
	t.Parallel()
	w := newGroupWorld(t, nil)
	id := w.create(`"subject":"VIP"`)
	late := 200
	w.people(simulator.GroupUser{ID: member(1), DelayMS: &late})
	old := w.truth(id).InviteLink
	w.inviteTo(member(1), id)
	require.NotEqual(t, old, w.call(http.MethodPost, id+"/invite_link", groupBody(`"x":1`)).body["invite_link"])
	w.inviteTo(member(1), id)
	w.event("group_participants_add")
	g := w.truth(id)
	require.Equal(t, []string{member(1)}, g.Members)
	require.Equal(t, 2, g.Invitations[member(1)])
	require.Error(t, w.sim.FollowLink(id, member(2), old))
}

func TestGroupMessages(t *testing.T) {
	t.Parallel()
	w := newGroupWorld(t, nil)
	id := w.create(`"subject":"VIP"`)
	w.join(id, member(1), member(2))
	send := func(text, key string) answer {
		return w.call(http.MethodPost, phoneID+"/messages", groupBody(`"recipient_type":"group","to":"`+id+`","type":"text","text":{"body":"`+text+`"},"biz_opaque_callback_data":"`+key+`"`))
	}
	statuses := func(n int) []map[string]any {
		var list []map[string]any
		for len(list) < n {
			for _, s := range at(t, w.hook().decode(t), "entry", 0, "changes", 0, "value", "statuses").([]any) {
				list = append(list, s.(map[string]any))
			}
		}
		require.Len(t, list, n)
		return list
	}
	a := send("hi", "k1")
	require.Equal(t, id, at(t, a.body, "messages", 0, "group_id"))
	require.Equal(t, id, at(t, a.body, "contacts", 0, "wa_id"))
	s := statuses(1)[0]
	require.Equal(t, "failed", s["status"])
	require.Equal(t, 131047.0, at(t, s, "errors", 0, "code"), "no window is open")

	written, err := w.sim.SendToGroup(simulator.GroupMessage{GroupID: id, User: member(1), Text: "hello"})
	require.NoError(t, err)
	m := at(t, w.hook().decode(t), "entry", 0, "changes", 0, "value", "messages", 0).(map[string]any)
	require.Equal(t, []any{id, member(1), written}, []any{m["group_id"], m["from"], m["id"]})

	for _, c := range []struct {
		split float64
		other float64
		key   string
	}{{0, 0, "recipient_participant_id"}, {1, 1, "participant_recipient_id"}} {
		w.settings(func(s *simulator.GroupSettings) { s.Split, s.OtherKey = c.split, c.other })
		require.Equal(t, http.StatusOK, send("hi", c.key).status)
		told := map[any]int{}
		for _, s := range statuses(5) {
			require.Equal(t, []any{"group", id, c.key}, []any{s["recipient_type"], s["recipient_id"], s["biz_opaque_callback_data"]})
			require.Equal(t, s["status"] != "sent", s[c.key] != nil, "no participant with sent")
			told[s["status"]]++
		}
		require.Equal(t, map[any]int{"sent": 1, "delivered": 2, "read": 2}, told)
	}
	w.clock.Advance(24*time.Hour + time.Second)
	require.Equal(t, "failed", func() any { send("late", "k2"); return statuses(1)[0]["status"] }())
	w.settings(func(s *simulator.GroupSettings) { s.WindowOpen = true })
	send("open", "k3")
	require.Len(t, w.sim.GroupDeliveries(), 6)
	require.Equal(t, "k3", w.sim.GroupDeliveries()[5].Key)
	require.Len(t, w.truth(id).Members, 2)

	var failed, delivered int
	for _, d := range w.world.truth(simulator.WhatsApp) {
		require.Equal(t, id, d.Recipient)
		if d.FailureCode == 131047 {
			failed++
		}
		if d.Delivered {
			delivered++
		}
	}
	require.Equal(t, []int{2, 3}, []int{failed, delivered})
	w.sim.Reset()
	require.Empty(t, w.sim.GroupDeliveries())
	require.Len(t, w.sim.Groups(), 1, "a reset forgets no group")
}

// Several events in one POST become several groups[] of one change.
func TestGroupEventsTravelTogether(t *testing.T) {
	t.Parallel()
	w := newGroupWorld(t, nil)
	id := w.create(`"subject":"VIP"`)
	h := plainWebhooks()
	h.BatchMax, h.Disabled = 100, true
	require.NoError(t, w.sim.SetWebhooks(h))
	for n := 1; n <= 3; n++ {
		require.NoError(t, w.sim.Join(id, member(n)))
	}
	require.NoError(t, w.sim.Suspend(id, true))
	_, err := w.sim.SendToGroup(simulator.GroupMessage{GroupID: id, User: member(1), Text: "hello"})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return w.summary(simulator.WhatsApp).Webhooks.Pending == 5 }, patience, time.Millisecond)
	require.Empty(t, w.hooks)
	w.clock.Advance(time.Second)
	h.Disabled = false
	require.NoError(t, w.sim.SetWebhooks(h))
	groups, messages := 0, 0
	for groups+messages < 5 {
		for _, c := range at(t, w.hook().decode(t), "entry", 0, "changes").([]any) {
			field, value := c.(map[string]any)["field"], c.(map[string]any)["value"]
			list, _ := at(t, value, "groups").([]any)
			for _, g := range list {
				kind := at(t, g, "type").(string)
				require.Equal(t, strings.HasPrefix(kind, "group_participants"), field == "group_participants_update")
			}
			groups += len(list)
			if field == "messages" {
				messages++
			}
		}
	}
	require.Equal(t, []int{4, 1}, []int{groups, messages})
}

func TestGroupAdministrationOverHTTP(t *testing.T) {
	t.Parallel()
	w := newGroupWorld(t, nil)
	admin := func(method, path, body string, want int) answer {
		t.Helper()
		a, err := w.try(method, "/_sim/groups"+path, "", body)
		require.NoError(t, err)
		require.Equal(t, want, a.status, a.raw)
		return a
	}
	admin(http.MethodPut, "/settings", `{"external_id":"*","create_min_ms":0,"create_max_ms":0,"late_create":0,"other_types":0}`, 200)
	id := w.create(`"subject":"VIP"`)
	admin(http.MethodPost, "/users", `{"external_id":"`+phoneID+`","users":[{"id":"`+member(1)+`","behaviour":"ignores"}]}`, 200)
	admin(http.MethodPut, "/faults", `{"external_id":"`+phoneID+`","next":[{"operation":"read","code":131041}]}`, 200)
	require.Equal(t, http.StatusBadRequest, w.call(http.MethodGet, id, "").status)
	admin(http.MethodPost, "/"+id+"/join", `[{"user":"`+member(1)+`"},{"user":"`+member(2)+`"}]`, 200)
	admin(http.MethodPost, "/"+id+"/join", `{"user":"`+member(3)+`","link":"https://chat.whatsapp.com/dead"}`, 400)
	admin(http.MethodPost, "/"+id+"/send", `{"user":"`+member(1)+`","text":"hi"}`, 200)
	admin(http.MethodPost, "/"+id+"/leave", `{"user":"`+member(2)+`"}`, 200)
	admin(http.MethodPost, "/"+id+"/request", `{"user":"`+member(3)+`"}`, 200)
	admin(http.MethodPost, "/"+id+"/revoke", `{"user":"`+member(3)+`"}`, 200)
	admin(http.MethodPost, "/"+id+"/suspend", `{}`, 200)
	require.True(t, w.truth(id).Suspended)
	admin(http.MethodPost, "/"+id+"/clear", `{}`, 200)
	admin(http.MethodPost, "/"+id+"/dance", `{}`, 400)
	admin(http.MethodPost, "/nosuch/join", `{"user":"`+member(1)+`"}`, 400)
	for _, bad := range []string{`{"late_create":2}`, `{"create_min_ms":9,"create_max_ms":1}`, `{"max_groups":-1}`, `{"colour":1}`} {
		admin(http.MethodPut, "/settings", bad, 400)
	}
	for _, bad := range []string{`{"next":[{"operation":"dance","code":1}]}`, `{"next":[{"operation":"read"}]}`, `{"next":[{"operation":"read","fault":"fax"}]}`} {
		admin(http.MethodPut, "/faults", bad, 400)
	}
	for _, bad := range []string{`{"external_id":"9","users":[]}`, `{"external_id":"` + phoneID + `","users":[{"id":"x"}]}`,
		`{"external_id":"` + phoneID + `","users":[{"id":"` + member(1) + `","behaviour":"dances"}]}`} {
		admin(http.MethodPost, "/users", bad, 400)
	}
	var groups []simulator.GroupTruth
	require.NoError(t, json.Unmarshal([]byte(admin(http.MethodGet, "", "", 200).raw), &groups))
	require.Equal(t, w.sim.Groups(), groups)
	require.Equal(t, []string{member(1)}, groups[0].Members)
	require.Equal(t, "[]\n", admin(http.MethodGet, "/deliveries", "", 200).raw)
	require.Equal(t, 1.0, admin(http.MethodGet, "/calls?external_id="+phoneID, "", 200).body["create"])
}

// Settings for every number are those of numbers to come; what is still to
// happen when the server closes does not.
func TestGroupsOfNumbersToCome(t *testing.T) {
	t.Parallel()
	w := newGroupWorld(t, nil)
	w.settings(func(s *simulator.GroupSettings) { s.NotEligible = true })
	require.NoError(t, w.sim.AddAccounts(simulator.Account{Channel: simulator.WhatsApp, ExternalID: "2", Token: "other", Secret: secret}))
	a := w.post("/whatsapp/v25.0/2/groups", "other", groupBody(`"subject":"s"`))
	code, _ := a.graphCode()
	require.Equal(t, 131215, code)
	require.Error(t, w.sim.SetGroups(simulator.GroupSettings{ExternalID: "3"}))

	w.settings(func(s *simulator.GroupSettings) { s.CreateMinMS, s.CreateMaxMS = 30, 30 })
	require.Equal(t, http.StatusOK, w.call(http.MethodPost, phoneID+"/groups", groupBody(`"subject":"s"`)).status)
	require.Empty(t, w.sim.Groups(), "it takes a while")
	w.sim.Close()
	require.Never(t, func() bool { return len(w.sim.Groups()) > 0 }, 80*time.Millisecond, 10*time.Millisecond)
}

func TestDefaultGroupsAreUsable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	require.NoError(t, w.sim.SetGroups(simulator.DefaultGroups()))
	a := w.post("/whatsapp/v25.0/"+phoneID+"/groups", "wa", groupBody(`"subject":"s"`))
	require.Equal(t, http.StatusOK, a.status)
	require.Empty(t, w.sim.Groups(), "a creation takes half a second at least")
}
