package main

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
	"omniflow/internal/temporalclient"
)

// club is a team with WhatsApp groups and one account of two channels.
type club struct {
	*company
	account, line string
}

func newClub(t *testing.T) *club {
	t.Helper()
	w := newWorld(t)
	c := w.company("omo", "supervisor", "cs_manager", "cs_agent", "marketing_cs", "marketing", "sales_manager", "sales_staff")
	w.exec(`UPDATE teams SET flags = '{whatsapp_group_enabled}' WHERE team_id = $1`, c.id)
	return &club{company: c, account: c.account("whatsapp", "1065", m{"waba_id": "w1"}), line: c.account("line", "U"+strings.Repeat("1", 32), nil)}
}

func (c *club) request(change m) m {
	body := m{"channel_account_id": c.account, "name": "Jess的群組", "members": []string{"+886912345678"}}
	for k, v := range change {
		body[k] = v
	}
	return body
}

// group asks for a group and lets the provider decide.
func (c *club) group(role, state string) uuid.UUID {
	c.w.t.Helper()
	var out struct{ ID uuid.UUID }
	c.w.do("POST", "/v1/groups", c.token[role], c.request(nil)).into(202, &out)
	team := uuid.MustParse(c.id)
	switch state {
	case "created":
		_, err := c.w.store.DecideGroup(c.w.t.Context(), team, out.ID, omniflow.GroupSucceeded, "", "g-"+out.ID.String(), "https://chat.whatsapp.com/x")
		require.NoError(c.w.t, err)
	case "failed":
		_, err := c.w.store.DecideGroup(c.w.t.Context(), team, out.ID, omniflow.GroupRefused, omniflow.ReviewRefused, "", "")
		require.NoError(c.w.t, err)
	}
	return out.ID
}

func (c *club) show(role string, id uuid.UUID) groupDetailBody {
	c.w.t.Helper()
	var out groupDetailBody
	c.w.do("GET", "/v1/groups/"+id.String(), c.token[role], nil).into(200, &out)
	return out
}

func TestAGroupIsRequested(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	zh := func(n int) string { return strings.Repeat("中", n) }
	for _, x := range []struct {
		name   string
		change m
		status int
		code   string
	}{
		{"EX-005 128 bytes", m{"name": zh(42) + "ab"}, 202, ""},
		{"EX-006 129 bytes", m{"name": zh(43)}, 422, "group_name_too_long"},
		{"EX-008 a description of 2,048 bytes", m{"description": zh(682) + "ab"}, 202, ""},
		{"EX-008 and of 2,049", m{"description": zh(683)}, 422, "group_description_too_long"},
		{"EX-009 VIP 😀", m{"name": "VIP 😀"}, 422, "group_text_emoji"},
		{"emoji hidden by a zero-width joiner", m{"name": "VIP\u200d😀"}, 422, "group_text_emoji"},
		{"emoji in the description", m{"description": "1\uFE0F\u20E3"}, 422, "group_text_emoji"},
		{"no name", m{"name": " 　"}, 422, "group_name_required"},
		{"no number", m{"members": []string{}}, 422, "group_members_required"},
		{"nine numbers", m{"members": []string{"+886912345671", "+886912345672", "+886912345673", "+886912345674", "+886912345675", "+886912345676", "+886912345677", "+886912345678", "+886912345679"}}, 422, "group_members_limit"},
		{"no international number", m{"members": []string{"0912345678"}}, 422, "phone_invalid"},
		{"a number of letters", m{"members": []string{"+1800FLOWERS"}}, 422, "phone_invalid"},
		{"a number twice, spelt differently", m{"members": []string{"+886 912-345-678", "+886912345678"}}, 422, "phone_duplicate"},
		{"another channel", m{"channel_account_id": c.line}, 422, "channel_account_invalid"},
		{"an unknown account", m{"channel_account_id": uuid.NewString()}, 422, "channel_account_invalid"},
		{"conversation 1.0", m{"client": "legacy"}, 422, "legacy_console_unsupported"},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			answer := c.w.in(t).do("POST", "/v1/groups", c.token["cs_agent"], c.request(x.change))
			if x.code != "" {
				answer.problem(x.status, x.code)
				return
			}
			require.Equal(t, x.status, answer.Status, "%s", answer.Body)
		})
	}
}

func TestEX011RolesAndTeamsWithoutGroups(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	for _, role := range []string{"marketing", "sales_manager", "sales_staff"} {
		c.w.do("POST", "/v1/groups", c.token[role], c.request(nil)).problem(403, "permission_denied")
	}
	c.w.exec(`UPDATE teams SET flags = '{}' WHERE team_id = $1`, c.id)
	c.w.do("POST", "/v1/groups", c.token["administrator"], c.request(nil)).problem(403, "feature_disabled")
	starts, _ := c.w.engine.calls()
	require.Empty(t, starts)
}

func TestEX001EX002AGroupIsListedOnceItIsDecided(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	id := c.group("cs_agent", "")
	starts, _ := c.w.engine.calls()
	require.Equal(t, []string{omniflow.CreateGroupRun, "wa-group/" + c.id + "/" + id.String()}, []string{starts[0].Workflow, starts[0].WorkflowID})
	require.NotContains(t, string(starts[0].Input), "8869")
	var list listBody[groupBody]
	c.w.do("GET", "/v1/groups", c.token["cs_agent"], nil).into(200, &list)
	require.Empty(t, list.Items, "EX-001: not in the conversation list")
	c.w.do("GET", "/v1/groups?state=reviewing", c.token["cs_agent"], nil).into(200, &list)
	require.Len(t, list.Items, 1)
	require.Equal(t, "the create call", c.show("cs_agent", id).Waiting.For)

	created := c.group("cs_agent", "created")
	got := c.show("cs_agent", created)
	require.Equal(t, []any{"[群組] Jess的群組", omniflow.MyHandling, "", "default", omniflow.TemplateOnly, "無法傳送訊息，此用戶的訊息已超過 24 小時"},
		[]any{got.Title, got.View, got.Preview, got.Avatar, got.Bracket, got.Hint})
	require.WithinDuration(t, *got.DecidedAt, *got.LastMessageAt, time.Second, "GRP-15")
	require.Equal(t, omniflow.TeamHandling, c.show("supervisor", created).View)
}

func TestEX003EX004AFailedGroupTakesNothing(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	id := c.group("cs_agent", "failed")
	path := "/v1/groups/" + id.String()
	got := c.show("cs_agent", id)
	require.Equal(t, []any{"[群組] Jess的群組", "建立失敗", omniflow.ReviewRefused, omniflow.MyHandling}, []any{got.Title, got.Label, got.Code, got.View})
	const text = "無法傳送訊息，群組未通過審核"
	require.Equal(t, text, got.Hint)
	require.Equal(t, text, c.w.do("POST", path+"/messages", c.token["cs_agent"], m{"kind": "text", "text": "x"}).problem(422, "group_not_approved").Message)
	require.Equal(t, text, c.w.do("POST", path+"/members", c.token["cs_agent"], m{"phone": "+886912345670"}).problem(422, "group_not_approved").Message)
	c.w.do("POST", path+":transfer", c.token["cs_agent"], m{"receiver_id": c.ids["supervisor"]}).problem(422, "invalid_transition")
	c.w.do("POST", path+":end", c.token["supervisor"], m{}).problem(422, "not_follower")
	c.w.do("POST", path+":end", c.token["cs_agent"], m{}).into(200, &got)
	require.Equal(t, omniflow.MyClosed, got.View)
	c.w.do("POST", path+":reopen", c.token["cs_agent"], m{}).problem(422, "invalid_transition")
}

func TestEX018EX021EX022EX023StepsAndMembersOfAGroup(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	id := c.group("cs_agent", "created")
	path := "/v1/groups/" + id.String()
	step := func(role, name string, body m) reply { return c.w.do("POST", path+":"+name, c.token[role], body) }
	step("cs_agent", "transfer", m{"receiver_id": c.ids["sales_manager"]}).problem(422, "receiver_invalid")
	step("cs_agent", "transfer", m{"receiver_id": c.ids["marketing"]}).problem(422, "receiver_invalid")
	step("cs_agent", "transfer", m{"receiver_id": c.ids["cs_agent"]}).problem(422, "receiver_is_follower")
	require.Equal(t, "協作對話、群組對話無法批量移轉",
		c.w.do("POST", "/v1/groups/transfers", c.token["cs_agent"], m{"group_ids": []string{id.String()}, "receiver_id": c.ids["supervisor"]}).problem(422, "bulk_transfer_unsupported").Message)
	c.w.do("POST", path+"/members", c.token["administrator"], m{"phone": "+886912345670"}).problem(422, "not_follower")
	step("administrator", "end", m{}).problem(422, "not_follower")
	require.Equal(t, 200, step("cs_agent", "end", m{}).Status)
	require.Equal(t, 202, c.w.do("POST", path+"/members", c.token["cs_agent"], m{"phone": "+886912345670"}).Status, "EX-023")
	c.w.exec(`UPDATE conversations SET state = 'pending_human', follower_id = NULL WHERE id = $1`, id)
	c.w.do("POST", path+"/members", c.token["cs_agent"], m{"phone": "+886912345671"}).problem(422, "group_view_not_allowed")
	step("cs_agent", "end", m{}).problem(422, "invalid_transition")
	seen := c.show("cs_agent", id).Version
	require.Equal(t, 200, step("cs_agent", "follow", m{"version": seen}).Status)
	require.Contains(t, step("supervisor", "follow", m{"version": seen}).problem(422, "invalid_transition").Detail, "Member")
	require.Equal(t, 200, step("cs_agent", "transfer", m{"receiver_id": c.ids["cs_manager"]}).Status)
	require.Equal(t, c.ids["cs_manager"], c.show("cs_agent", id).FollowerID.String())
	step("cs_agent", "follow", m{}).problem(403, "permission_denied")
	require.Equal(t, 200, step("marketing_cs", "follow", m{}).Status)
	require.Equal(t, 200, step("marketing_cs", "end", m{}).Status)
	step("cs_agent", "reopen", m{}).problem(422, "not_follower")
	require.Equal(t, 200, step("supervisor", "reopen", m{}).Status)
	require.Equal(t, c.ids["supervisor"], c.show("supervisor", id).FollowerID.String(), "D-GRP-9")
	var log struct{ Items []groupLogBody }
	c.w.do("GET", path+"/log", c.token["supervisor"], nil).into(200, &log)
	var texts []string
	for _, item := range log.Items {
		texts = append(texts, item.Event+" "+item.Text)
	}
	require.Contains(t, texts, "end Member 結束了對話。")
	require.Contains(t, texts, "transfer Member 將對話轉給了 Member。")
}

func TestMembersAreCountedToEight(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	id := c.group("cs_agent", "created")
	path := "/v1/groups/" + id.String() + "/members"
	add := func(n string) reply { return c.w.do("POST", path, c.token["cs_agent"], m{"phone": "+88691234567" + n}) }
	add("8").problem(422, "phone_duplicate")
	for _, n := range []string{"0", "1", "2", "3", "4", "5"} {
		require.Equal(t, 202, add(n).Status)
	}
	// Two people add the eighth number at the same instant: one is accepted.
	var group sync.WaitGroup
	statuses := make([]int, 2)
	for i, n := range []string{"6", "7"} {
		group.Go(func() { statuses[i] = add(n).Status })
	}
	group.Wait()
	require.ElementsMatch(t, []int{202, 422}, statuses)
	add("9").problem(422, "group_members_limit")
	var member groupMemberBody
	first := c.show("cs_agent", id).Members[0].ID.String()
	c.w.do("POST", path+"/"+first+":approve", c.token["cs_agent"], nil).problem(422, "join_not_requested")
	c.w.do("POST", path+"/"+first+":retry", c.token["cs_agent"], nil).problem(422, "member_not_retryable")
	c.w.do("DELETE", path+"/"+first, c.token["cs_agent"], nil).into(202, &member)
	require.Equal(t, omniflow.MemberRemovePending, member.State)
	c.w.do("DELETE", path+"/"+first, c.token["cs_agent"], nil).problem(422, "member_already_removing")
	c.w.do("DELETE", path+"/"+uuid.NewString(), c.token["cs_agent"], nil).problem(422, "member_not_found")
	add("9").problem(422, "group_members_limit")
	// EX-026: what failed can be retried, or is dropped without a call.
	second := c.show("cs_agent", id).Members[1].ID.String()
	c.w.exec(`UPDATE group_members SET state = 'add_failed', code = 'recipient_unreachable' WHERE id = $1`, second)
	c.w.do("POST", path+"/"+second+":retry", c.token["cs_agent"], nil).into(202, &member)
	require.Equal(t, omniflow.MemberInviting, member.State)
	c.w.exec(`UPDATE group_members SET state = 'add_failed' WHERE id = $1`, second)
	c.w.do("DELETE", path+"/"+second, c.token["cs_agent"], nil).into(202, &member)
	require.Equal(t, omniflow.MemberRemoved, member.State)
}

func TestEX028AKnownContactIsShown(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	c.w.exec(`INSERT INTO contacts (id, team_id, name, phone) VALUES ($1, $2, '陳小姐', '+886912345670')`, uuid.New(), c.id)
	id := c.group("cs_agent", "created")
	require.Equal(t, 202, c.w.do("POST", "/v1/groups/"+id.String()+"/members", c.token["cs_agent"], m{"phone": "+886912345670"}).Status)
	members := c.show("cs_agent", id).Members
	require.Equal(t, []string{"+886912345678", "default", "陳小姐", "contact"}, []string{members[0].Name, members[0].Avatar, members[1].Name, members[1].Avatar})
}

func TestEX014EX016EX017WhatAGroupIsSent(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	id := c.group("cs_agent", "created")
	send := func(body m) reply {
		return c.w.do("POST", "/v1/groups/"+id.String()+"/messages", c.token["cs_agent"], body)
	}
	for name, components := range map[string][]string{"plain": nil, "url": {"URL", "PHONE_NUMBER"}, "quick": {"URL", "QUICK_REPLY"}, "flow": {"FLOW"}} {
		body := m{"waba_id": "w1", "name": name, "language": "zh_TW", "body_params": 0}
		if components != nil {
			body["components"] = components
		}
		require.Equal(t, 201, c.w.do("POST", c.path+"/templates", c.admin, body).Status)
	}
	template := func(name string) m { return m{"kind": "template", "template": m{"name": name, "language": "zh_TW"}} }
	p := send(m{"kind": "text", "text": "x"}).problem(422, "window_template_only")
	require.Equal(t, "無法傳送訊息，此用戶的訊息已超過 24 小時", p.Message)
	for _, name := range []string{"plain", "url"} {
		require.Equal(t, 202, send(template(name)).Status)
	}
	send(template("quick")).problem(422, "group_content_unsupported")
	send(template("flow")).problem(422, "group_content_unsupported")
	send(template("none")).problem(422, "template_invalid")
	send(m{"kind": "coupon"}).problem(422, "group_content_unsupported")
	send(m{"kind": "saved_reply"}).problem(422, "group_content_unsupported")
	send(m{"kind": "text", "text": "{{system:customer_name}} 您好"}).problem(422, "content_unsupported")
	send(m{"kind": "text", "text": " "}).problem(422, "message_empty")
	// EX-014: the last message of any member opens the window for all.
	for _, ago := range []string{"30 hours", "25 hours", "2 hours"} {
		c.w.exec(`UPDATE conversations SET last_customer_message_at = GREATEST(last_customer_message_at, now() - $2::interval) WHERE id = $1`, id, ago)
	}
	require.Equal(t, 202, send(m{"kind": "text", "text": "x"}).Status)
	require.Len(t, c.w.ids(`SELECT id FROM outbox_signals WHERE workflow = 'ServeConversation'`), 1, "the run of the conversation hears of the first, and finds the rest")
	c.w.exec(`UPDATE conversations SET state = 'closed' WHERE id = $1`, id)
	send(m{"kind": "text", "text": "x"}).problem(422, "invalid_transition")
}

func TestTwoIdenticalRequestsMakeOneGroup(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	var group sync.WaitGroup
	statuses := make([]int, 4)
	for i := range statuses {
		group.Go(func() {
			statuses[i] = c.w.do("POST", "/v1/groups", c.token["cs_agent"], c.request(nil), "Idempotency-Key", "k").Status
		})
	}
	group.Wait()
	require.Subset(t, []int{202, 409}, statuses)
	require.Len(t, c.w.ids(`SELECT id FROM groups`), 1)
	c.w.do("POST", "/v1/groups", c.token["cs_agent"], c.request(m{"name": "other"}), "Idempotency-Key", "k").problem(409, "idempotency_key_reused")
}

func TestGroupSettingsAndChanges(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	var settings teamGroupsBody
	c.w.do("GET", c.path+"/group-settings", c.admin, nil).into(200, &settings)
	require.Equal(t, teamGroupsBody{86400, 604800, 86400, "group_invite_link", "en", true}, settings)
	settings.InvitationTimeoutSeconds, settings.ApproveInvited = 3600, false
	c.w.do("PUT", c.path+"/group-settings", c.admin, settings).into(200, &settings)
	settings.ReviewTimeoutSeconds = 0
	c.w.do("PUT", c.path+"/group-settings", c.admin, settings).problem(422, "input_invalid")
	id := c.group("cs_agent", "created")
	path := "/v1/groups/" + id.String()
	c.w.do("POST", path+":settings", c.token["cs_agent"], m{"name": "😀"}).problem(422, "group_text_emoji")
	c.w.do("POST", path+":settings", c.token["cs_agent"], m{}).problem(422, "input_invalid")
	c.w.do("POST", path+":settings", c.token["administrator"], m{"name": "x"}).problem(422, "not_follower")
	require.Equal(t, 202, c.w.do("POST", path+":settings", c.token["cs_agent"], m{"name": "x"}).Status)
	c.w.do("POST", path+":settings", c.token["cs_agent"], m{"name": "y"}).problem(422, "group_change_under_way")
	require.Equal(t, 202, c.w.do("POST", path+":reset-link", c.token["cs_agent"], nil).Status)
	require.Equal(t, 202, c.w.do("POST", path+":delete", c.token["cs_agent"], nil).Status)
	require.Len(t, c.show("cs_agent", id).Changes, 3)
}

func TestDGRP8ACreatorWhoLeftFollowsNothing(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	id := c.group("cs_agent", "")
	c.w.exec(`UPDATE members SET state = 'deactivated' WHERE id = $1`, c.ids["cs_agent"])
	_, err := c.w.store.DecideGroup(t.Context(), uuid.MustParse(c.id), id, omniflow.GroupSucceeded, "", "g", "")
	require.NoError(t, err)
	got := c.show("supervisor", id)
	require.Equal(t, []any{omniflow.PendingHuman, (*uuid.UUID)(nil)}, []any{got.Conversation, got.FollowerID})
}

func TestARequestOutlivesTheEngine(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	c.w.engine.fail(temporalclient.ErrUnavailable, nil)
	require.Equal(t, 202, c.w.do("POST", "/v1/groups", c.token["cs_agent"], c.request(nil)).Status)
	require.Len(t, c.w.ids(`SELECT id FROM outbox WHERE workflow = 'CreateGroup' AND started_at IS NULL`), 1)
}

// A name of 128 bytes that ends inside a character is no text: nothing is
// stored, whether it is written as bytes or as half a surrogate pair.
func TestANameThatEndsInsideACharacter(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	for name, tail := range map[string]string{"bytes": "中"[:2], "half a pair": `\ud83d`} {
		body := `{"channel_account_id":"` + c.account + `","name":"` + strings.Repeat("中", 42) + tail + `","members":["+886912345678"]}`
		answer := c.w.do("POST", "/v1/groups", c.token["cs_agent"], []byte(body), "Content-Type", "application/json")
		require.Contains(t, []int{400, 422}, answer.Status, "%s: %s", name, answer.Body)
	}
	require.Empty(t, c.w.ids(`SELECT id FROM groups`))
	starts, _ := c.w.engine.calls()
	require.Empty(t, starts)
}
