package main

import (
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

type created struct {
	Result string
	conversationBody
}

// open asks for a conversation with a number.
func (o *office) open(role string, more m) created {
	o.w.t.Helper()
	body := m{"channel_account_id": o.accounts["whatsapp"], "phone": "+85291234567"}
	for k, v := range more {
		body[k] = v
	}
	var out created
	o.w.do("POST", "/v1/conversations", o.token[role], body).into(200, &out)
	return out
}

func TestEX133ASecondCreationAsksWhetherToTakeOver(t *testing.T) {
	t.Parallel()
	for _, scene := range []string{"did nothing", "used a template", "ended it"} { // WAC-07
		t.Run(scene, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			o := w.office()
			require.Equal(t, 201, w.do("POST", o.path+"/templates", o.admin, m{"waba_id": "waba1", "name": "hello", "language": "zh_HK", "body_params": 0}).Status)
			made := o.open("cs_agent", m{"name": "Chan"})
			require.Equal(t, []any{"created", "handling", "Jess", "Chan", "+85291234567", "template_only"},
				[]any{made.Result, string(made.State), made.FollowerName, made.Name, made.Phone, string(made.Window)}, "WAC-03..05")
			state := "handling"
			switch scene {
			case "used a template":
				o.refusal("cs_agent", "POST", made.ID.String()+"/messages", m{"kind": "text", "text": "x"}, 422, "window_template_only")
				o.send("cs_agent", made.ID.String(), m{"kind": "template", "template": m{"name": "hello", "language": "zh_HK"}}) // MSG-07
			case "ended it":
				o.one("cs_agent", "POST", made.ID.String()+":end", nil)
				state = "closed"
			}
			asked := o.open("sales_staff", m{"name": "Mr Chan", "phone": "9123 4567", "country": "hk"})
			require.Equal(t, []any{"exists_ask_takeover", made.ID, state, "Jess", "Mr Chan"}, []any{asked.Result, asked.ID, string(asked.State), asked.FollowerName, asked.Name}, "WAC-08")
			asked = o.open("sales_staff", nil)
			require.Equal(t, []any{"exists_ask_takeover", "Mr Chan"}, []any{asked.Result, asked.Name}, "an empty name changes nothing")
			taken := o.open("sales_staff", m{"take_over": true, "version": asked.Version})
			require.Equal(t, []any{"taken_over", "handling", "Tom"}, []any{taken.Result, string(taken.State), taken.FollowerName}, "D-WAC-1")
			again := o.open("supervisor", m{"take_over": true, "version": asked.Version})
			require.Equal(t, []any{"exists_ask_takeover", "Tom"}, []any{again.Result, again.FollowerName}, "the prompt was about another follower")
			var log struct{ Items []groupLogBody }
			w.do("GET", "/v1/conversations/"+made.ID.String()+"/log", o.token["sales_staff"], nil).into(200, &log)
			require.Equal(t, "Tom 接手跟進了 Jess 的對話。", log.Items[len(log.Items)-2].Text)
			require.Len(t, w.ids(`SELECT id FROM conversations`), 1)
			require.Len(t, w.ids(`SELECT id FROM contacts`), 1)
		})
	}
}

func TestDWAC2WhatIsPendingMineOrACollaboration(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	made := o.open("cs_agent", nil)
	require.Equal(t, "existing", o.open("cs_agent", nil).Result)
	o.one("cs_agent", "POST", made.ID.String()+":end", nil)
	require.Equal(t, "reopened", o.open("cs_agent", nil).Result)
	w.exec(`INSERT INTO collaborators (conversation_id, member_id, team_id, position) VALUES ($1, $2, $3, 1)`, made.ID, o.ids["cs_manager"], o.id)
	require.Equal(t, "exists_ask_join", o.open("supervisor", m{"take_over": true}).Result)
	require.Equal(t, "existing", o.open("cs_manager", nil).Result)
	w.exec(`DELETE FROM collaborators`)
	w.exec(`UPDATE conversations SET state = 'pending_bot', follower_id = NULL`)
	got := o.open("sales_staff", nil)
	require.Equal(t, []any{"followed", "Tom", "handling"}, []any{got.Result, got.FollowerName, string(got.State)})
}

// TestThePromptTellsNothingOfTheCustomer: whoever knows a number can ask.
func TestThePromptTellsNothingOfTheCustomer(t *testing.T) {
	t.Parallel()
	for _, result := range []string{"exists_ask_takeover", "exists_ask_join"} {
		t.Run(result, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			o := w.office()
			made := o.open("cs_agent", m{"name": "Chan"})
			w.exec(`UPDATE contacts SET email = 'a@b.tw', note = 'likes tea', tags = '{VIP}'`)
			if result == "exists_ask_join" {
				w.exec(`INSERT INTO collaborators (conversation_id, member_id, team_id, position) VALUES ($1, $2, $3, 1)`, made.ID, o.ids["cs_manager"], o.id)
			}
			o.refusal("sales_staff", "GET", made.ID.String(), nil, 403, "permission_denied")
			asked := o.open("sales_staff", nil)
			agent := uuid.MustParse(o.ids["cs_agent"])
			require.Equal(t, created{result, conversationBody{ID: made.ID, State: "handling", FollowerID: &agent, FollowerName: "Jess", Name: "Chan", Phone: "+85291234567",
				Version: made.Version, Collaborators: []uuid.UUID{}, Tags: []string{}}}, asked)
			seen := o.open("supervisor", nil)
			require.Equal(t, []any{result, "a@b.tw", "likes tea", []string{"VIP"}}, []any{seen.Result, seen.Email, seen.Note, seen.Tags}, "D-ROL-3: sees team events")
		})
	}
}

func TestTwoCreationsAtOnceAreOneConversationAndOnePrompt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	for round := range 5 {
		phone := "+8529123456" + string(rune('0'+round))
		results := make([]string, 4)
		var wait sync.WaitGroup
		for i, role := range []string{"cs_agent", "sales_staff", "supervisor", "cs_manager"} {
			wait.Go(func() { results[i] = o.open(role, m{"phone": phone}).Result })
		}
		wait.Wait()
		require.ElementsMatch(t, []string{"created", "exists_ask_takeover", "exists_ask_takeover", "exists_ask_takeover"}, results)
		require.Len(t, w.ids(`SELECT id FROM conversations`), round+1)
	}
}

func TestBadInputOfCreations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	before := w.counts()
	for name, c := range map[string]struct {
		more   m
		status int
		code   string
	}{
		"another channel":   {m{"channel_account_id": o.accounts["line"]}, 422, "channel_account_invalid"},
		"no such account":   {m{"channel_account_id": uuid.New()}, 422, "channel_account_invalid"},
		"no country":        {m{"phone": "91234567"}, 422, "country_required"},
		"unknown country":   {m{"phone": "91234567", "country": "XX"}, 422, "country_invalid"},
		"letters":           {m{"phone": "+852 CALL ME"}, 422, "phone_invalid"},
		"too short":         {m{"phone": "+8521"}, 422, "phone_invalid"},
		"a landline":        {m{"phone": "0223456789", "country": "TW"}, 422, "phone_invalid"},
		"empty":             {m{"phone": "", "country": "HK"}, 422, "phone_invalid"},
		"an unknown member": {m{"name": "a\x00b"}, 422, "input_invalid"},
	} {
		body := m{"channel_account_id": o.accounts["whatsapp"], "phone": "+85291234567"}
		for k, v := range c.more {
			body[k] = v
		}
		p := w.do("POST", "/v1/conversations", o.token["cs_agent"], body)
		p.problem(c.status, c.code)
		require.NotEmpty(t, name)
	}
	w.do("POST", "/v1/conversations", o.token["marketing"], m{"channel_account_id": o.accounts["whatsapp"], "phone": "+85291234567"}).problem(403, "permission_denied")
	after := w.counts()
	delete(before, "requests")
	for table, n := range before {
		if table != "idempotency_keys" && table != "requests" {
			require.Equal(t, n, after[table], table)
		}
	}
	made := o.open("cs_agent", nil)
	w.exec(`UPDATE channel_identities SET blocked_at = now()`)
	w.do("POST", "/v1/conversations", o.token["sales_staff"], m{"channel_account_id": o.accounts["whatsapp"], "phone": "+85291234567", "take_over": true}).problem(422, "customer_blocked")
	require.Equal(t, "Jess", o.one("cs_agent", "GET", made.ID.String(), nil).FollowerName)
}
