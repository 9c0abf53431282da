package main

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

type accepted struct {
	ID         uuid.UUID
	WorkflowID string `json:"workflow_id"`
	State      string
}

// on moves a conversation to another channel; the customer wrote so long ago.
func (o *office) on(id, channel, ago string) string {
	o.w.t.Helper()
	o.w.exec(`UPDATE conversations SET channel = $2, channel_account_id = $3, last_customer_message_at = now() - $4::interval WHERE id = $1`, id, channel, o.accounts[channel], ago)
	o.w.exec(`UPDATE channel_identities SET channel_account_id = $2 WHERE id = (SELECT channel_identity_id FROM conversations WHERE id = $1)`, id, o.accounts[channel])
	return id
}

func (o *office) messages(role, id, query string) listBody[conversationMessageBody] {
	o.w.t.Helper()
	var list listBody[conversationMessageBody]
	o.w.do("GET", "/v1/conversations/"+id+"/messages"+query, o.token[role], nil).into(200, &list)
	return list
}

func (o *office) send(role, id string, body m) accepted {
	o.w.t.Helper()
	var out accepted
	o.w.do("POST", "/v1/conversations/"+id+"/messages", o.token[role], body).into(202, &out)
	return out
}

func TestAMessageIsQueuedAndItsRunToldAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	id := o.conversation("王小明", "handling", "cs_agent")
	a := o.send("cs_agent", id, m{"kind": "text", "text": "您好 {{system:customer_name}}"})
	require.Equal(t, "queued", a.State)
	require.Equal(t, "conversation/"+o.id+"/"+id, a.WorkflowID)
	require.Len(t, w.engine.signals, 1)
	require.Equal(t, a.WorkflowID, w.engine.signals[0].WorkflowID)
	require.Len(t, w.ids(`SELECT id FROM outbox_signals WHERE delivered_at IS NOT NULL`), 1)
	o.send("cs_agent", id, m{"kind": "text", "text": "2"})
	require.Len(t, w.engine.signals, 1, "the run is about to look")

	list := o.messages("cs_agent", id, "")
	require.Equal(t, []string{"2", "您好 {{system:customer_name}}"}, []string{list.Items[0].Text, list.Items[1].Text})
	require.Equal(t, []string{"out", "agent", "Jess", "queued"}, []string{list.Items[1].Direction, string(list.Items[1].Origin), list.Items[1].Sender, list.Items[1].State})
	require.Empty(t, w.ids(`SELECT id FROM conversations WHERE customer_messages > seen_by_all`), "UNR-02, UNR-03: a reply clears it for everybody")
}

func TestAMessageSurvivesAnEngineThatIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	id := o.conversation("A", "handling", "cs_agent")
	w.engine.fail(errors.New("away"), nil)
	o.send("cs_agent", id, m{"kind": "text", "text": "x"})
	require.Len(t, w.ids(`SELECT id FROM outbox_signals WHERE delivered_at IS NULL`), 1, "the relay tells it later")
}

func TestWhoMayWriteAndWhat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	ours := o.conversation("A", "handling", "cs_agent")
	text, link := m{"kind": "text", "text": "x"}, m{"kind": "shopping_link", "text": "九折 https://shop.example.com/?ref=1"}
	for name, c := range map[string]struct {
		id, role string
		body     m
		code     string
	}{
		"a colleague with team events":      {ours, "supervisor", text, ""},
		"an agent who sees only his":        {ours, "sales_staff", text, "permission_denied"},
		"marketing":                         {ours, "marketing", text, "permission_denied"},
		"pending":                           {o.conversation("B", "pending_human", ""), "cs_agent", text, "invalid_transition"},
		"closed":                            {o.conversation("C", "closed", "cs_agent"), "cs_agent", text, "invalid_transition"},
		"no text":                           {ours, "cs_agent", m{"kind": "text", "text": " "}, "message_empty"},
		"a template on LINE":                {ours, "cs_agent", m{"kind": "template", "template": m{"name": "x", "language": "en"}}, "content_unsupported"},
		"a bad template on LINE":            {ours, "cs_agent", m{"kind": "template", "template": m{"name": "x", "language": "Chinese"}}, "content_unsupported"},
		"a quote on LINE":                   {ours, "cs_agent", m{"kind": "text", "text": "x", "quoted_message_id": uuid.NewString()}, "quote_unsupported"},
		"WIN-01 WhatsApp just under 24 h":   {o.on(o.conversation("D", "handling", "cs_agent"), "whatsapp", "86340 s"), "cs_agent", text, ""},
		"WIN-01 WhatsApp over 24 h":         {o.on(o.conversation("E", "handling", "cs_agent"), "whatsapp", "86401 s"), "cs_agent", text, "window_template_only"},
		"an unknown template":               {o.on(o.conversation("F", "handling", "cs_agent"), "whatsapp", "9 days"), "cs_agent", m{"kind": "template", "template": m{"name": "x", "language": "en"}}, "template_invalid"},
		"a quote of nothing":                {o.on(o.conversation("G", "handling", "cs_agent"), "whatsapp", "1 s"), "cs_agent", m{"kind": "text", "text": "x", "quoted_message_id": uuid.NewString()}, "quoted_message_not_found"},
		"EX-063 Facebook just under 7 d":    {o.on(o.conversation("H", "handling", "cs_agent"), "facebook", "604740 s"), "cs_agent", text, ""},
		"EX-063 Facebook 7 d and a second":  {o.on(o.conversation("I", "handling", "cs_agent"), "facebook", "604801 s"), "cs_agent", text, "window_closed"},
		"EX-061 a link just under 24 h":     {o.on(o.conversation("L", "handling", "cs_agent"), "facebook", "86340 s"), "cs_agent", link, ""},
		"EX-061 a link a second after 24 h": {o.on(o.conversation("M", "handling", "cs_agent"), "facebook", "86401 s"), "cs_agent", link, "window_non_promotional"},
		"D-WIN-2 free text is not read":     {o.on(o.conversation("N", "handling", "cs_agent"), "facebook", "86401 s"), "cs_agent", m{"kind": "text", "text": link["text"]}, ""},
		"WIN-02 a link over 7 d":            {o.on(o.conversation("O", "handling", "cs_agent"), "facebook", "604801 s"), "cs_agent", link, "window_closed"},
		"WIN-01 a link on WhatsApp":         {o.on(o.conversation("P", "handling", "cs_agent"), "whatsapp", "86401 s"), "cs_agent", link, "window_template_only"},
		"D-WIN-3 a link on LINE":            {o.on(o.conversation("Q", "handling", "cs_agent"), "line", "9 days"), "cs_agent", link, ""},
		"a link without one":                {ours, "cs_agent", m{"kind": "shopping_link", "text": "九折"}, "products_required"},
		"a link without words":              {ours, "cs_agent", m{"kind": "shopping_link"}, "message_empty"},
		"a coupon":                          {ours, "cs_agent", m{"kind": "coupon", "text": "九折"}, "content_unsupported"},
		"a file that is not there":          {ours, "cs_agent", m{"kind": "image", "media_id": uuid.NewString()}, "not_found"},
		"a picture without a file":          {ours, "cs_agent", m{"kind": "image"}, "message_empty"},
		"too long for LINE":                 {ours, "cs_agent", m{"kind": "text", "text": strings.Repeat("a", 5001)}, "message_too_long"},
		"an unknown conversation":           {uuid.NewString(), "cs_agent", text, "not_found"},
		"a saved reply that is not there":   {ours, "cs_agent", m{"kind": "saved_reply", "saved_reply_id": uuid.NewString()}, "not_found"},
		"a video on Instagram (EX-075)":     {o.on(o.conversation("J", "handling", "cs_agent"), "instagram", "1 s"), "cs_agent", m{"kind": "video", "media_id": o.media("v.mp4", []byte(mp4Start))}, "media_kind_unsupported"},
		"a file on LINE, not yet":           {ours, "cs_agent", m{"kind": "file", "media_id": o.media("v.mp4", []byte(mp4Start))}, "content_unsupported"},
		"a caption on Facebook":             {o.on(o.conversation("K", "handling", "cs_agent"), "facebook", "1 s"), "cs_agent", m{"kind": "video", "text": "x", "media_id": o.media("v.mp4", []byte(mp4Start))}, "content_unsupported"},
		"a sticker is of no pipeline (STK)": {ours, "cs_agent", m{"kind": "sticker"}, "input_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := w.in(t).do("POST", "/v1/conversations/"+c.id+"/messages", o.token[c.role], c.body)
			if c.code == "" {
				r.into(202, &accepted{})
				return
			}
			var p Problem
			require.NoError(t, json.Unmarshal(r.Body, &p))
			require.Equal(t, c.code, string(p.Code))
		})
	}
}

func TestDWIN2AShoppingLinkStaysPromotional(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	id := o.on(o.conversation("A", "handling", "cs_agent"), "facebook", "86340 s")
	sent := map[string]accepted{}
	for _, kind := range []string{"shopping_link", "text"} {
		sent[kind] = o.send("cs_agent", id, m{"kind": kind, "text": "https://shop.example.com/?ref=1"})
		w.exec(`UPDATE messages SET state = 'failed' WHERE id = $1`, sent[kind].ID)
	}
	require.Equal(t, omniflow.Content{Kind: "text", Text: "https://shop.example.com/?ref=1", Promotional: true}, o.messages("cs_agent", id, "").Items[1].Contents[0])
	o.on(id, "facebook", "86401 s")
	resend := func(kind string) reply {
		return w.do("POST", "/v1/conversations/"+id+"/messages/"+sent[kind].ID.String()+":resend", o.token["cs_agent"], nil)
	}
	require.Equal(t, "此用戶的訊息已超過24小時,只能傳送 「非推廣性質」 的訊息", resend("shopping_link").problem(422, "window_non_promotional").Message, "MC-05")
	require.Equal(t, 202, resend("text").Status)
}

func TestEX081OnlyParticipantsWriteInATeamWithCollaborations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	id := o.conversation("A", "handling", "cs_agent")
	w.exec(`UPDATE teams SET flags = '{collaboration_enabled}' WHERE team_id = $1`, o.id)
	w.do("POST", "/v1/conversations/"+id+"/messages", o.token["supervisor"], m{"kind": "text", "text": "x"}).problem(422, "not_participant")
	w.exec(`INSERT INTO collaborators (conversation_id, member_id, team_id, position) VALUES ($1, $2, $3, 1)`, id, o.ids["supervisor"], o.id)
	o.send("supervisor", id, m{"kind": "text", "text": "x"})
}

func TestResendOfAFailedMessageOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	id := o.conversation("A", "handling", "cs_agent")
	a := o.send("cs_agent", id, m{"kind": "text", "text": "x"})
	path := "/v1/conversations/" + id + "/messages/" + a.ID.String() + ":resend"
	w.do("POST", path, o.token["cs_agent"], nil).problem(422, "message_not_failed")
	w.exec(`UPDATE messages SET state = 'failed', code = 'window_template_only' WHERE id = $1`, a.ID)
	item := o.messages("cs_agent", id, "").Items[0]
	require.Equal(t, []string{"failed", "window_template_only", "無法傳送訊息，此用戶的訊息已超過 24 小時"}, []string{item.State, item.Code, item.Reason}, "MSG-05")
	w.do("POST", path, o.token["cs_agent"], nil).into(202, &accepted{})
	w.do("POST", path, o.token["cs_agent"], nil).problem(422, "message_not_failed")
	w.do("POST", "/v1/conversations/"+id+"/messages/"+uuid.NewString()+":resend", o.token["cs_agent"], nil).problem(404, "not_found")
	require.Equal(t, "queued", o.messages("cs_agent", id, "").Items[0].State)
}

// heard stores a message of the customer that answers quoted, "" for none, and
// returns its id.
func (o *office) heard(id, kind, body, provider, quoted string) uuid.UUID {
	o.w.t.Helper()
	message := uuid.New()
	o.w.exec(`INSERT INTO inbound_messages (id, team_id, conversation_id, channel_account_id, provider_id, kind, body, quoted_id, sent_at)
		SELECT $1, team_id, id, channel_account_id, $4, $3, $5::jsonb, $6, now() FROM conversations WHERE id = $2`, message, id, kind, provider, body, quoted)
	return message
}

func TestQUO01AndQUO02MessagesShowWhatTheyAnswer(t *testing.T) {
	t.Parallel()
	for channel, shows := range map[string]bool{"whatsapp": true, "facebook": true, "instagram": true, "line": false} {
		t.Run(channel, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			o := w.office()
			id := o.on(o.conversation("A", "handling", "cs_agent"), channel, "1 s")
			ours := o.send("cs_agent", id, m{"kind": "text", "text": "紅色還是藍色？"})
			w.exec(`UPDATE messages SET state = 'sent', provider_id = $2 WHERE id = $1`, ours.ID, channel+" 1")
			theirs := o.heard(id, "text", `{"text": "藍色"}`, channel+" 2", channel+" 1")
			again := o.heard(id, "text", `{"text": "L 號"}`, channel+" 3", channel+" 2")
			lost := o.heard(id, "text", `{"text": "？"}`, channel+" 4", "of another conversation")
			o.heard(o.on(o.conversation("B", "handling", "cs_agent"), channel, "1 s"), "text", `{"text": "secret"}`, "of another conversation", "")
			want := map[uuid.UUID][]any{theirs: {ours.ID, "紅色還是藍色？"}, again: {theirs, "藍色"}, ours.ID: {uuid.Nil, ""}, lost: {uuid.Nil, ""}}
			if !shows {
				want[theirs], want[again] = []any{ours.ID, ""}, []any{theirs, ""}
			}
			if channel == "whatsapp" { // QUO-02
				answer := o.send("cs_agent", id, m{"kind": "text", "text": "好的", "quoted_message_id": theirs})
				want[answer.ID] = []any{theirs, "藍色"}
			}
			got := map[uuid.UUID][]any{}
			for _, item := range o.messages("cs_agent", id, "").Items {
				quoted := uuid.Nil
				if item.QuotedMessageID != nil {
					quoted = *item.QuotedMessageID
				}
				got[item.ID] = []any{quoted, item.QuotedText}
			}
			require.Equal(t, want, got)
		})
	}
}

// file notes a file of a customer's message.
func (w *world) file(message uuid.UUID, part int, kind, name, state, code string, media *uuid.UUID) {
	w.t.Helper()
	w.exec(`INSERT INTO inbound_media (inbound_message_id, part, team_id, channel_account_id, handle, kind, name, state, code, media_id)
		SELECT id, $2, team_id, channel_account_id, 'h', $3, $4, $5, $6, $7 FROM inbound_messages WHERE id = $1`, message, part, kind, name, state, code, media)
}

func TestFIL08ACustomersFilesAndStickersAreShownOrWhyNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	id := o.conversation("A", "handling", "cs_agent")
	o.send("cs_agent", id, m{"kind": "text", "text": "x"})
	o.heard(id, "sticker", `{"text": "", "sticker": {"package_id": "446", "sticker_id": "1988", "displayable": true}}`, "1", "")
	cat := uuid.MustParse(o.media("cat.png", picture(8)))
	files := o.heard(id, "image", `{"text": "看"}`, "2", "")
	w.file(files, 1, "image", "", "unavailable", "media_unavailable", nil)
	w.file(files, 0, "image", "", "stored", "", &cat)
	w.file(files, 2, "file", "a.exe", "rejected", "media_type_unsupported", nil)
	w.file(files, 3, "video", "", "pending", "provider_unavailable", nil)

	list := o.messages("cs_agent", id, "").Items
	require.Equal(t, []omniflow.InboundMedia{{ID: &cat, Kind: "image", MIME: "image/png", Name: "cat.png", State: "stored"},
		{Kind: "image", State: "unavailable", Code: "media_unavailable"}, {Kind: "file", Name: "a.exe", State: "rejected", Code: "media_type_unsupported"},
		{Kind: "video", State: "pending", Code: "provider_unavailable"}}, list[0].Media)
	require.Equal(t, &omniflow.LINESticker{PackageID: "446", StickerID: "1988", Displayable: true}, list[1].Sticker, "STK-04")
	require.Equal(t, []omniflow.InboundMedia{}, list[1].Media)
	require.Nil(t, list[2].Sticker)
	require.Equal(t, 200, w.do("GET", "/v1/media/"+list[0].Media[0].ID.String(), o.token["cs_agent"], nil).Status)
}

func TestMessagesInAndOutByPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	id := o.conversation("A", "handling", "cs_agent")
	for i, text := range []string{"1", "3"} {
		w.exec(`INSERT INTO inbound_messages (id, team_id, conversation_id, channel_account_id, provider_id, kind, body, sent_at)
			VALUES (gen_random_uuid(), $1, $2, $3, $4, 'text', jsonb_build_object('text', $4::text), now() - interval '1 hour' + $5 * interval '2 minutes')`, o.id, id, o.accounts["line"], text, i)
	}
	a := o.send("cs_agent", id, m{"kind": "text", "text": "4"})
	first := o.messages("cs_agent", id, "?limit=2")
	require.Equal(t, []string{"4", "3"}, []string{first.Items[0].Text, first.Items[1].Text})
	require.Equal(t, a.ID, first.Items[0].ID)
	require.Equal(t, "in", first.Items[1].Direction)
	second := o.messages("cs_agent", id, "?limit=2&after="+first.Next)
	require.Len(t, second.Items, 1)
	require.Equal(t, "1", second.Items[0].Text)
	require.Empty(t, second.Next)
	w.do("GET", "/v1/conversations/"+id+"/messages?after=x", o.token["cs_agent"], nil).problem(422, "input_invalid")
	w.do("GET", "/v1/conversations/"+id+"/messages", o.token["sales_staff"], nil).problem(403, "permission_denied")
}

func TestAutoCloseRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	draft := func(change m) m {
		body := m{"name": "chat", "channels": []string{"line", "facebook"}, "enabled": true, "duration_seconds": 3600, "reminder": "還在嗎?", "quiet_from": "22:00", "quiet_until": "08:00"}
		for k, v := range change {
			body[k] = v
		}
		return body
	}
	var made autoCloseBody
	w.do("POST", "/v1/auto-close-rules", o.admin, draft(nil)).into(201, &made)
	require.Equal(t, []any{int64(1), 3600, 120, "22:00", "08:00"}, []any{made.Version, *made.DurationSeconds, *made.GraceSeconds, made.QuietFrom, made.QuietUntil})
	require.Len(t, w.ids(`SELECT team_id FROM auto_close_recounts`), 1)
	for code, body := range map[string]m{
		"auto_close_channel_taken":        draft(nil),
		"auto_close_duration_invalid":     draft(m{"channels": []string{"whatsapp"}, "duration_seconds": 30*86400 + 1}),
		"auto_close_reminder_unsupported": draft(m{"channels": []string{"wechat"}}),
		"input_invalid":                   draft(m{"channels": []string{"webchat"}}),
	} {
		w.do("POST", "/v1/auto-close-rules", o.admin, body).problem(422, code)
	}
	w.do("POST", "/v1/auto-close-rules", o.token["cs_agent"], draft(m{"channels": []string{"whatsapp"}})).problem(403, "permission_denied")
	path := "/v1/auto-close-rules/" + made.ID.String()
	w.do("PUT", path, o.token["supervisor"], draft(m{"version": 1, "enabled": false})).into(200, &made)
	require.False(t, made.Enabled)
	w.do("PUT", path, o.admin, draft(m{"version": 1})).problem(409, "version_conflict")
	var list struct{ Items []autoCloseBody }
	w.do("GET", "/v1/auto-close-rules", o.admin, nil).into(200, &list)
	require.Equal(t, []autoCloseBody{made}, list.Items)
	w.do("DELETE", path, o.admin, nil)
	w.do("DELETE", path, o.admin, nil).problem(404, "not_found")

	survey := "/v1/teams/" + o.id + "/survey"
	w.do("PUT", survey, o.admin, m{"text": "滿意嗎?", "channels": []string{"line"}}).into(200, &surveyBody{})
	var set surveyBody
	w.do("GET", survey, o.admin, nil).into(200, &set)
	require.Equal(t, "滿意嗎?", set.Text)
	w.do("PUT", survey, o.admin, m{"text": "x", "channels": []string{"fax"}}).problem(422, "input_invalid")
}
