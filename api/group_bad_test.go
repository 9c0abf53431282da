package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// badGroups are groups of the agent's in every state that the tables of bad
// input speak of.
type badGroups struct {
	*club
	created, failed, reviewing, pending, full uuid.UUID
	leaving                                   uuid.UUID // a member of created who is waiting for removal
}

func newBadGroups(t *testing.T) *badGroups {
	c := newClub(t)
	b := &badGroups{club: c, created: c.group("cs_agent", "created"), failed: c.group("cs_agent", "failed"), reviewing: c.group("cs_agent", ""),
		pending: c.group("cs_agent", "created"), full: c.group("cs_agent", "created"), leaving: uuid.New()}
	c.w.exec(`UPDATE conversations SET last_customer_message_at = now()`)
	c.w.exec(`UPDATE conversations SET state = 'pending_human', follower_id = NULL WHERE id = $1`, b.pending)
	member := `INSERT INTO group_members (id, team_id, group_id, phone, phone_hash, state) VALUES ($1, $2, $3, $4, $4, $5)`
	for i, state := range []string{"joined", "remove_pending", "remove_failed"} {
		id := uuid.New()
		if state == "remove_pending" {
			id = b.leaving
		}
		c.w.exec(member, id, c.id, b.created, fmt.Sprintf("88691234560%d", i), state)
	}
	for i := range 7 {
		c.w.exec(member, uuid.New(), c.id, b.full, fmt.Sprintf("88691234561%d", i), []string{"inviting", "joined", "remove_pending", "remove_failed"}[i%4])
	}
	for name, components := range map[string][]string{"quick": {"URL", "QUICK_REPLY"}, "flow": {"FLOW"}} {
		require.Equal(t, 201, c.w.do("POST", c.path+"/templates", c.admin, m{"waba_id": "w1", "name": name, "language": "zh_TW", "body_params": 0, "components": components}).Status)
	}
	return b
}

// badRequest is one row of bad input and its refusal.
type badRequest struct {
	name, role, method, path string
	body                     m
	status                   int
	code, text, detail       string
}

// creations are the rows of section 10 about asking for a group.
func (b *badGroups) creations(stranger string) []badRequest {
	zh := func(n int) string { return strings.Repeat("中", n) }
	numbers := make([]string, 9)
	for i := range numbers {
		numbers[i] = fmt.Sprintf("+88691234567%d", i)
	}
	var out []badRequest
	for _, x := range []struct {
		name   string
		change m
		code   string
		text   string
		detail string
	}{
		{"no such account", m{"channel_account_id": uuid.New()}, "channel_account_invalid", "", ""},
		{"another team's account", m{"channel_account_id": stranger}, "channel_account_invalid", "", ""},
		{"an account of another channel", m{"channel_account_id": b.line}, "channel_account_invalid", "", ""},
		{"an empty name", m{"name": ""}, "group_name_required", "", ""},
		{"a name of spaces", m{"name": " 　\t"}, "group_name_required", "", ""},
		{"a name of 129 bytes", m{"name": zh(43)}, "group_name_too_long", "", "129"},
		{"a description of 2,049 bytes", m{"description": zh(683)}, "group_description_too_long", "", "2049"},
		{"emoji in the name", m{"name": "VIP 😀"}, "group_text_emoji", "", ""},
		{"emoji in the description", m{"description": "☎️"}, "group_text_emoji", "", ""},
		{"no number", m{"members": []string{}}, "group_members_required", "", ""},
		{"nine numbers", m{"members": numbers}, "group_members_limit", "", ""},
		{"no international number", m{"members": []string{"0912345678"}}, "phone_invalid", "", ""},
		{"a number twice", m{"members": []string{"+886912345678", "+886 912 345 678"}}, "phone_duplicate", "", ""},
		{"conversation 1.0", m{"client": "legacy"}, "legacy_console_unsupported", "舊版對話不支援協作功能,請到對話 2.0 繼續使用。", ""},
	} {
		out = append(out, badRequest{x.name, "cs_agent", "POST", "/v1/groups", b.request(x.change), 422, x.code, x.text, x.detail})
	}
	return append(out, badRequest{"a role without groups", "sales_staff", "POST", "/v1/groups", b.request(nil), 403, "permission_denied", "", ""})
}

// uses are the rows of sections 10 and 11 about a group that there is.
func (b *badGroups) uses() []badRequest {
	const notApproved, bulk = "無法傳送訊息，群組未通過審核", "協作對話、群組對話無法批量移轉"
	post := func(name, role string, group uuid.UUID, path string, body m, code, text string) badRequest {
		return badRequest{name, role, "POST", "/v1/groups/" + group.String() + path, body, 422, code, text, ""}
	}
	phone := m{"phone": "+886912345699"}
	template := func(name string) m { return m{"kind": "template", "template": m{"name": name, "language": "zh_TW"}} }
	out := []badRequest{
		post("a message to a failed group", "cs_agent", b.failed, "/messages", m{"kind": "text", "text": "x"}, "group_not_approved", notApproved),
		post("a member for a failed group", "cs_agent", b.failed, "/members", phone, "group_not_approved", notApproved),
		post("a member for a group under review", "cs_agent", b.reviewing, "/members", phone, "group_not_approved", notApproved),
		post("a transfer to a sales manager", "cs_agent", b.created, ":transfer", m{"receiver_id": b.ids["sales_manager"]}, "receiver_invalid", ""),
		post("a transfer to sales staff", "cs_agent", b.created, ":transfer", m{"receiver_id": b.ids["sales_staff"]}, "receiver_invalid", ""),
		{"a bulk transfer", "cs_agent", "POST", "/v1/groups/transfers", m{"group_ids": []uuid.UUID{b.created}, "receiver_id": b.ids["supervisor"]}, 422, "bulk_transfer_unsupported", bulk, ""},
		post("a member by another than the follower", "administrator", b.created, "/members", phone, "not_follower", ""),
		post("a member of a pending group", "cs_agent", b.pending, "/members", phone, "group_view_not_allowed", ""),
		post("the ninth number", "cs_agent", b.full, "/members", phone, "group_members_limit", ""),
		post("a number of letters", "cs_agent", b.created, "/members", m{"phone": "+1800FLOWERS"}, "phone_invalid", ""),
		{"a member who is none", "cs_agent", "DELETE", "/v1/groups/" + b.created.String() + "/members/" + uuid.NewString(), nil, 422, "member_not_found", "", ""},
		{"a removal twice", "cs_agent", "DELETE", "/v1/groups/" + b.created.String() + "/members/" + b.leaving.String(), nil, 422, "member_already_removing", "", ""},
	}
	for _, kind := range []string{"coupon", "saved_reply"} {
		out = append(out, post(kind, "cs_agent", b.created, "/messages", m{"kind": kind}, "group_content_unsupported", ""))
	}
	for _, name := range []string{"quick", "flow"} {
		out = append(out, post("a template with a component: "+name, "cs_agent", b.created, "/messages", template(name), "group_content_unsupported", ""))
	}
	out = append(out, post("a variable", "cs_agent", b.created, "/messages", m{"kind": "text", "text": "{{system:customer_name}}"}, "content_unsupported", ""))
	for state, number := range map[string]string{"inviting": "+886912345678", "joined": "+886912345600", "remove_pending": "+886912345601", "remove_failed": "+886912345602"} {
		out = append(out, post("a number that is "+state, "cs_agent", b.created, "/members", m{"phone": number}, "phone_duplicate", ""))
	}
	return out
}

// TestBadInputOfGroups is every row of the tables of bad input of sections 10
// and 11: refused at the door with its code and text, nothing stored, nothing
// started.
func TestBadInputOfGroups(t *testing.T) {
	t.Parallel()
	b := newBadGroups(t)
	stranger := b.w.company("omo").account("whatsapp", "2065", m{"waba_id": "w2"})
	before := b.w.counts()
	starts, signals := len(b.w.engine.starts), len(b.w.engine.signals)
	for _, x := range append(b.creations(stranger), b.uses()...) {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			w := b.w.in(t)
			var body any
			if x.body != nil {
				body = x.body
			}
			p := w.do(x.method, x.path, b.token[x.role], body).problem(x.status, x.code)
			require.Equal(t, x.text, p.Message)
			require.Contains(t, p.Detail, x.detail)
			require.Equal(t, before, w.counts())
			now, _ := w.engine.calls()
			require.Len(t, now, starts)
			require.Len(t, w.engine.signals, signals)
		})
	}
}
