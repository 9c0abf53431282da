package simulator_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/jpeg"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/simulator"
)

// groupWorld is a world whose groups come to be at once, in one spelling.
type groupWorld struct {
	*world
	seen []groupEvent
}

// groupEvent is one element of groups[], with the field and what stood beside.
type groupEvent struct {
	field  string
	beside any
	g      map[string]any
}

func newGroupWorld(t *testing.T, change func(*simulator.Account)) *groupWorld {
	t.Helper()
	w := &groupWorld{world: newWorld(t, change)}
	w.settings(func(*simulator.GroupSettings) {})
	return w
}

func (w *groupWorld) settings(change func(*simulator.GroupSettings)) {
	w.t.Helper()
	s := simulator.GroupSettings{MaxGroups: 100, WithRequestID: 1}
	change(&s)
	require.NoError(w.t, w.sim.SetGroups(s))
}

// call makes a group call; path is what follows the version.
func (w *groupWorld) call(method, path, body string) answer {
	w.t.Helper()
	a, err := w.try(method, "/whatsapp/v25.0/"+path, "wa", body)
	require.NoError(w.t, err)
	return a
}

func groupBody(rest string) string { return `{"messaging_product":"whatsapp",` + rest + `}` }

// event waits for the next group event of a type.
func (w *groupWorld) event(kind string) groupEvent {
	w.t.Helper()
	for {
		fits := func(e groupEvent) bool { return e.g["type"] == kind }
		if i := slices.IndexFunc(w.seen, fits); i >= 0 {
			e := w.seen[i]
			w.seen = slices.Delete(w.seen, i, i+1)
			return e
		}
		for _, c := range at(w.t, w.hook().decode(w.t), "entry", 0, "changes").([]any) {
			change := c.(map[string]any)
			groups, _ := at(w.t, change, "value", "groups").([]any)
			for _, g := range groups {
				require.Equal(w.t, phoneID, at(w.t, change, "value", "metadata", "phone_number_id"))
				w.seen = append(w.seen, groupEvent{change["field"].(string), at(w.t, change, "value", "initiated_by"), g.(map[string]any)})
			}
		}
	}
}

// create makes a group and returns its id.
func (w *groupWorld) create(rest string) string {
	w.t.Helper()
	a := w.call(http.MethodPost, phoneID+"/groups", groupBody(rest))
	require.Equal(w.t, http.StatusOK, a.status, a.raw)
	e := w.event("group_create")
	require.Equal(w.t, a.body["request_id"], e.g["request_id"])
	return e.g["group_id"].(string)
}

// join lets people in.
func (w *groupWorld) join(id string, people ...string) {
	w.t.Helper()
	for _, p := range people {
		require.NoError(w.t, w.sim.Join(id, p))
		require.Equal(w.t, p, at(w.t, w.event("group_participants_add").g, "added_participants", 0, "wa_id"))
	}
}

func (w *groupWorld) truth(id string) simulator.GroupTruth {
	w.t.Helper()
	list := w.sim.Groups()
	i := slices.IndexFunc(list, func(g simulator.GroupTruth) bool { return g.ID == id })
	require.GreaterOrEqual(w.t, i, 0)
	return list[i]
}

func member(n int) string { return fmt.Sprintf("88690000%04d", n) }

func TestGroupCallsAreChecked(t *testing.T) {
	t.Parallel()
	w := newGroupWorld(t, nil)
	require.NoError(t, w.sim.AddAccounts(simulator.Account{Channel: simulator.WhatsApp, ExternalID: "2", Token: "other", Secret: secret}))
	require.NoError(t, w.sim.AddTemplates(simulator.Template{ExternalID: phoneID, Name: "code", Language: "en", Category: "authentication"}))
	id := w.create(`"subject":"VIP"`)
	empty := w.create(`"subject":"Empty"`)
	w.join(id, member(1))
	people := func(list ...string) string {
		return groupBody(`"participants":[{"user":"` + strings.Join(list, `"},{"user":"`) + `"}]`)
	}
	send := func(to, rest string) string { return groupBody(`"recipient_type":"group","to":"` + to + `",` + rest) }
	const text = `"type":"text","text":{"body":"x"}`
	nine := []string{}
	for n := range 9 {
		nine = append(nine, member(n))
	}
	cases := map[string]struct {
		method, path, token, body string
		status, code              int
	}{
		"not JSON":                {"POST", phoneID + "/groups", "wa", `{`, 400, 100},
		"no product":              {"POST", phoneID + "/groups", "wa", `{"subject":"s"}`, 400, 100},
		"no subject":              {"POST", phoneID + "/groups", "wa", groupBody(`"description":"d"`), 400, 131008},
		"an empty subject":        {"POST", phoneID + "/groups", "wa", groupBody(`"subject":"  "`), 400, 100},
		"a long subject":          {"POST", phoneID + "/groups", "wa", groupBody(`"subject":"` + strings.Repeat("好", 129) + `"`), 400, 100},
		"a long description":      {"POST", phoneID + "/groups", "wa", groupBody(`"subject":"s","description":"` + strings.Repeat("d", 2049) + `"`), 400, 100},
		"an unknown mode":         {"POST", phoneID + "/groups", "wa", groupBody(`"subject":"s","join_approval_mode":"open"`), 400, 100},
		"an unknown token":        {"POST", phoneID + "/groups", "no", groupBody(`"subject":"s"`), 401, 190},
		"another's number":        {"POST", phoneID + "/groups", "other", groupBody(`"subject":"s"`), 403, 10},
		"another's group":         {"GET", id, "other", ``, 403, 10},
		"no such group":           {"GET", id[:len(id)-2] + "zz", "wa", ``, 400, 131041},
		"no group":                {"GET", "12345", "wa", ``, 400, 100},
		"an unknown field":        {"GET", id + "?fields=subject,color", "wa", ``, 400, 100},
		"no page":                 {"GET", phoneID + "/groups?limit=0", "wa", ``, 400, 100},
		"too large a page":        {"GET", phoneID + "/groups?limit=1025", "wa", ``, 400, 100},
		"a stale cursor":          {"GET", phoneID + "/groups?after=x", "wa", ``, 400, 131059},
		"a stale cursor back":     {"GET", phoneID + "/groups?before=x", "wa", ``, 400, 131059},
		"nothing to set":          {"POST", id, "wa", groupBody(`"join_approval_mode":"auto_approve"`), 400, 131008},
		"a reset without product": {"POST", id + "/invite_link", "wa", `{}`, 400, 100},
		"nobody to remove":        {"DELETE", id + "/participants", "wa", groupBody(`"participants":[]`), 400, 100},
		"too many to remove":      {"DELETE", id + "/participants", "wa", people(nine...), 400, 131204},
		"the same twice":          {"DELETE", id + "/participants", "wa", people(member(1), "+"+member(1)), 400, 131202},
		"no member":               {"DELETE", id + "/participants", "wa", people(member(2)), 400, 131212},
		"people cannot be added":  {"POST", id + "/participants", "wa", people(member(2)), 400, 100},
		"no request":              {"POST", id + "/join_requests", "wa", groupBody(`"join_requests":[]`), 400, 131008},
		"an unknown request":      {"DELETE", id + "/join_requests", "wa", groupBody(`"join_requests":["x"]`), 400, 131213},
		"a phone as group":        {"POST", phoneID + "/messages", "wa", send(member(1), text), 400, 131009},
		"a group as phone":        {"POST", phoneID + "/messages", "wa", groupBody(`"to":"` + id + `",` + text), 400, 131009},
		"no recipient":            {"POST", phoneID + "/messages", "wa", send("", text), 400, 131008},
		"nobody joined":           {"POST", phoneID + "/messages", "wa", send(empty, text), 400, 131020},
		"a group that is not":     {"POST", phoneID + "/messages", "wa", send(id[:len(id)-2]+"zz", text), 400, 131041},
		"buttons":                 {"POST", phoneID + "/messages", "wa", send(id, `"type":"interactive","interactive":{}`), 400, 131051},
		"a reaction":              {"POST", phoneID + "/messages", "wa", send(id, `"type":"reaction","reaction":{}`), 400, 131051},
		"an authentication":       {"POST", phoneID + "/messages", "wa", send(id, `"type":"template","template":{"name":"code","language":{"code":"en"}}`), 400, 131051},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := w.try(c.method, "/whatsapp/v25.0/"+c.path, c.token, c.body)
			require.NoError(t, err)
			code, _ := a.graphCode()
			require.Equal(t, c.code, code, a.raw)
			require.Equal(t, c.status, a.status)
			require.NotEmpty(t, at(t, a.body, "error", "fbtrace_id"))
		})
	}
}

func TestGroupLife(t *testing.T) {
	t.Parallel()
	w := newGroupWorld(t, nil)
	a := w.call(http.MethodPost, phoneID+"/groups", groupBody(`"subject":" 好友 ","description":"ref:1"`))
	require.Equal(t, []string{"messaging_product", "request_id"}, keys(a.body), "no group id yet")
	h := w.hook()
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(h.body)
	require.Equal(t, "sha256="+hex.EncodeToString(mac.Sum(nil)), h.header.Get("X-Hub-Signature-256"))
	require.Contains(t, string(h.body), `\u597d\u53cb`)
	g := at(t, h.decode(t), "entry", 0, "changes", 0, "value", "groups", 0).(map[string]any)
	require.Equal(t, []string{"group_id", "invite_link", "join_approval_mode", "request_id", "subject", "timestamp", "type"}, keys(g))
	id := g["group_id"].(string)
	require.Equal(t, "group_lifecycle_update", at(t, h.decode(t), "entry", 0, "changes", 0, "field"))
	require.Equal(t, map[string]any{"messaging_product": "whatsapp", "id": id}, w.call(http.MethodGet, id, "").body)
	require.Equal(t, g["invite_link"], w.call(http.MethodGet, id+"/invite_link", "").body["invite_link"])
	require.Len(t, w.sim.GroupsMarked("ref:1"), 1)
	require.Empty(t, w.sim.GroupsMarked("ref:2"))

	w.call(http.MethodPost, id, groupBody(`"subject":"New","description":"D"`))
	e := w.event("group_settings_update")
	require.Equal(t, map[string]any{"text": "New", "update_successful": true}, e.g["group_subject"])
	require.Nil(t, e.g["errors"])
	read := w.call(http.MethodGet, id+"?fields=subject,description,suspended,creation_timestamp,total_participant_count,participants,join_approval_mode", "").body
	require.Equal(t, map[string]any{"messaging_product": "whatsapp", "id": id, "subject": "New", "description": "D", "suspended": false,
		"creation_timestamp": float64(w.clock.Now().Unix()), "total_participant_count": 0.0, "participants": []any{}, "join_approval_mode": "auto_approve"}, read)

	require.Equal(t, http.StatusOK, w.call(http.MethodDelete, id, "").status)
	require.Equal(t, id, w.event("group_delete").g["group_id"])
	code, _ := w.call(http.MethodDelete, id, "").graphCode()
	require.Equal(t, 131041, code)
	require.True(t, w.truth(id).Deleted)
}

func keys(m map[string]any) []string {
	var list []string
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

func TestGroupRemovals(t *testing.T) {
	t.Parallel()
	w := newGroupWorld(t, nil)
	id := w.create(`"subject":"VIP"`)
	w.join(id, member(1), member(2), member(3))
	require.NoError(t, w.sim.AddGroupUsers(simulator.GroupUsers{ExternalID: phoneID, Users: []simulator.GroupUser{{ID: "+" + member(2), RemoveCode: 131000}}}))
	remove := func(list ...string) groupEvent {
		a := w.call(http.MethodDelete, id+"/participants", groupBody(`"participants":[{"user":"`+strings.Join(list, `"},{"user":"`)+`"}]`))
		require.Equal(t, http.StatusOK, a.status, a.raw)
		e := w.event("group_participants_remove")
		require.Equal(t, a.body["request_id"], e.g["request_id"])
		require.Equal(t, "business", e.g["initiated_by"])
		return e
	}
	e := remove("+"+member(1), member(2), member(9))
	require.Equal(t, []any{map[string]any{"input": "+" + member(1)}}, e.g["removed_participants"])
	require.Equal(t, 131000.0, at(t, e.g, "failed_participants", 0, "errors", 0, "code"))
	require.Equal(t, 131212.0, at(t, e.g, "failed_participants", 1, "errors", 0, "code"))
	require.Equal(t, 131201.0, at(t, e.g, "errors", 0, "code"))

	e = remove(member(2))
	require.Nil(t, e.g["removed_participants"])
	require.Equal(t, []any{map[string]any{"input": member(2)}}, e.g["failed_participants"])
	require.Equal(t, 131000.0, at(t, e.g, "errors", 0, "code"))
	require.Error(t, w.sim.Join(id, member(1)))

	w.settings(func(s *simulator.GroupSettings) { s.Beside, s.OtherTypes = 1, 1 })
	require.NoError(t, w.sim.Leave(id, member(3)))
	e = w.event("group_remove_participants")
	require.Equal(t, "participant", e.beside)
	require.Nil(t, e.g["initiated_by"])
	require.Nil(t, e.g["request_id"])
	require.Equal(t, []string{member(2)}, w.truth(id).Members)
	require.Error(t, w.sim.Leave(id, member(3)))
}

func TestGroupApprovals(t *testing.T) {
	t.Parallel()
	w := newGroupWorld(t, nil)
	id := w.create(`"subject":"VIP","join_approval_mode":"approval_required"`)
	require.NoError(t, w.sim.AddGroupUsers(simulator.GroupUsers{ExternalID: phoneID, Users: []simulator.GroupUser{{ID: member(2), TermsOutdated: true}}}))
	var ids []string
	for n := range 3 {
		require.NoError(t, w.sim.Join(id, member(n)))
		ids = append(ids, w.event("group_join_request_created").g["join_request_id"].(string))
	}
	require.Error(t, w.sim.Join(id, member(0)), "he is in line")
	page := w.call(http.MethodGet, id+"/join_requests?limit=2", "")
	require.Len(t, page.body["data"], 2)
	next := at(t, page.body, "paging", "cursors", "after").(string)
	page = w.call(http.MethodGet, id+"/join_requests?limit=2&after="+url.QueryEscape(next), "")
	require.Equal(t, ids[2], at(t, page.body, "data", 0, "join_request_id"))
	require.Nil(t, at(t, page.body, "paging", "next"))
	require.NotNil(t, at(t, page.body, "paging", "previous"))

	a := w.call(http.MethodPost, id+"/join_requests", groupBody(`"join_requests":["`+strings.Join(append(ids, "x", ids[0]), `","`)+`"]`))
	require.Equal(t, http.StatusPartialContent, a.status)
	require.Equal(t, []any{ids[0], ids[1]}, a.body["approved_join_requests"])
	require.Equal(t, 131203.0, at(t, a.body, "failed_join_requests", 0, "errors", 0, "code"))
	require.Equal(t, 131213.0, at(t, a.body, "failed_join_requests", 1, "errors", 0, "code"))
	require.Equal(t, 131201.0, at(t, a.body, "errors", 0, "code"))
	e := w.event("group_participants_add")
	require.Equal(t, map[string]any{"input": member(1), "wa_id": member(1)}, at(t, e.g, "added_participants", 1))

	a = w.call(http.MethodDelete, id+"/join_requests", groupBody(`"join_requests":["`+ids[2]+`"]`))
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, []any{ids[2]}, a.body["rejected_join_requests"])
	require.NoError(t, w.sim.Join(id, member(2)), "who was rejected may ask again")
	require.NoError(t, w.sim.RevokeRequest(id, member(2)))
	w.event("group_join_request_revoked")
	require.Error(t, w.sim.RevokeRequest(id, member(2)))
}

// picture is a form with a JPEG of a size.
func picture(t *testing.T, width, height int, subject string) (body, kind string) {
	t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	require.NoError(t, form.WriteField("messaging_product", "whatsapp"))
	if subject != "" {
		require.NoError(t, form.WriteField("subject", subject))
	}
	part, err := form.CreateFormFile("file", "a.jpg")
	require.NoError(t, err)
	require.NoError(t, jpeg.Encode(part, image.NewGray(image.Rect(0, 0, width, height)), nil))
	require.NoError(t, form.Close())
	return b.String(), form.FormDataContentType()
}

func TestGroupPictures(t *testing.T) {
	t.Parallel()
	w := newGroupWorld(t, nil)
	id := w.create(`"subject":"VIP"`)
	for _, c := range []struct{ width, height, code int }{{192, 192, 0}, {200, 192, 131209}, {191, 191, 131210}} {
		body, kind := picture(t, c.width, c.height, fmt.Sprint("With picture ", c.width))
		a, err := w.try(http.MethodPost, "/whatsapp/v25.0/"+id, "wa", body, "Content-Type", kind)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, a.status, a.raw)
		e := w.event("group_settings_update")
		require.Equal(t, true, at(t, e.g, "group_subject", "update_successful"))
		require.Equal(t, c.code == 0, at(t, e.g, "profile_picture", "update_successful"))
		if c.code != 0 {
			require.Equal(t, float64(c.code), at(t, e.g, "profile_picture", "errors", 0, "code"))
		}
		require.Equal(t, fmt.Sprint("With picture ", c.width), w.truth(id).Subject)
	}
}

func TestGroupLimits(t *testing.T) {
	t.Parallel()
	w := newGroupWorld(t, nil)
	create := func() int {
		code, _ := w.call(http.MethodPost, phoneID+"/groups", groupBody(`"subject":"s"`)).graphCode()
		return code
	}
	w.settings(func(s *simulator.GroupSettings) { s.MaxGroups = 1 })
	id := w.create(`"subject":"s"`)
	require.Equal(t, 131211, create())
	w.call(http.MethodDelete, id, "")
	w.event("group_delete")
	require.Zero(t, create(), "a deleted group makes room")

	w.settings(func(s *simulator.GroupSettings) { s.OperationsPerMinute, s.MaxGroups = 1, 9 })
	w.clock.Advance(time.Minute)
	require.Zero(t, create())
	a := w.call(http.MethodGet, phoneID+"/groups", "")
	code, _ := a.graphCode()
	require.Equal(t, 131208, code)
	require.Equal(t, http.StatusTooManyRequests, a.status)
	w.clock.Advance(time.Minute)
	require.Zero(t, create())

	w.settings(func(s *simulator.GroupSettings) { s.NotEligible = true })
	require.Equal(t, 131215, create())
	w.settings(func(*simulator.GroupSettings) {})
	require.NoError(t, w.sim.SetGroupFaults(simulator.GroupFaults{ExternalID: phoneID, Next: []simulator.NextGroupFault{
		{Operation: simulator.GroupCreate, Code: 131214}, {Operation: "*", Fault: simulator.Throttle}, {Operation: simulator.GroupRead, Code: 131041}}}))
	require.Equal(t, []int{131214, 131208, 0}, []int{create(), create(), create()})
	require.Equal(t, 9, w.sim.GroupCalls(phoneID)[simulator.GroupCreate])
	require.Equal(t, 1, w.sim.GroupCalls(phoneID)[simulator.GroupList])
}
