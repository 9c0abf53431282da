package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// EX-125 (BRD-14, BRD-15): two messages to ten customers, one with a link to the
// official site and one with another: 20 messages, both kinds of links counted.
func TestEX125ShoppingLinks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.company("omo", "sales_staff", "sales_manager", "supervisor")
	c.account("whatsapp", "W"+c.id[24:], m{"waba_id": "waba1"})
	var file strings.Builder
	file.WriteString(header)
	for i := range 10 {
		file.WriteString("C" + string(rune('0'+i)) + ",,TW,092105032" + string(rune('0'+i)) + ",,whatsapp,,,,\n")
	}
	require.Equal(t, 10, c.importFile("?follower_id="+c.ids["sales_staff"], file.String()).Imported)
	w.exec(`UPDATE conversations SET last_customer_message_at = now()`)
	w.do("PUT", c.path+"/site-domains", c.admin, m{"domains": []string{"Shop.example.com"}}).into(200, &m{})
	w.do("PUT", c.path+"/site-domains", c.admin, m{"domains": []string{"https://x"}}).problem(422, "input_invalid")

	var accepted struct{ ID uuid.UUID }
	w.do("POST", "/v1/broadcasts", c.token["sales_staff"], holding("web", []m{
		{"kind": "text", "text": "官網 https://shop.example.com/new"}, {"kind": "text", "text": "https://other.example/x"}})).into(202, &accepted)
	teamID := uuid.MustParse(c.id)
	job, err := w.store.BroadcastJob(t.Context(), teamID, accepted.ID)
	require.NoError(t, err)
	_, err = w.store.PlanBroadcast(t.Context(), job)
	require.NoError(t, err)

	report := func() (out struct {
		linkCounts
		ByMember    []memberLinks    `json:"by_member"`
		ByBroadcast []broadcastLinks `json:"by_broadcast"`
	}) {
		t.Helper()
		from, to := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339), time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		w.do("GET", "/v1/reports/shopping-links?from="+from+"&to="+to, c.token["supervisor"], nil).into(200, &out)
		return out
	}
	require.Zero(t, report().TotalMessages, "nothing is sent yet")
	// All sent, some at the third attempt; then received and read.
	w.exec(`UPDATE messages SET state = 'sent', sent_at = now(), attempt = 3 WHERE broadcast_id = $1`, accepted.ID)
	w.exec(`UPDATE messages SET state = 'read' WHERE broadcast_id = $1 AND seq < 5`, accepted.ID)
	got := report()
	require.Equal(t, linkCounts{TotalMessages: 20, ShoppingLinks: 20, OfficialLinks: 10, OtherLinks: 10}, got.linkCounts)
	require.Equal(t, []memberLinks{{MemberID: uuid.MustParse(c.ids["sales_staff"]), linkCounts: got.linkCounts}}, got.ByMember)
	require.Equal(t, accepted.ID, got.ByBroadcast[0].BroadcastID)
	w.exec(`UPDATE messages SET state = 'failed' WHERE broadcast_id = $1 AND seq = 0`, accepted.ID)
	require.Equal(t, linkCounts{TotalMessages: 19, ShoppingLinks: 19, OfficialLinks: 9, OtherLinks: 10}, report().linkCounts)

	w.do("GET", "/v1/reports/shopping-links?from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", c.token["supervisor"], nil).problem(422, "input_invalid")
	w.do("GET", "/v1/reports/shopping-links?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z", c.token["sales_staff"], nil).problem(403, "permission_denied")
}

// BRD-13, RPL-11: sales staff broadcast a saved reply with a bot module; what it
// sends was noted with the reply, and the record of the broadcast shows it.
func TestTheRecordShowsFilesAndBotModules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.shop()
	_, marketing := c.member("marketing")
	staff := c.token["sales_staff"]
	img, pdf := c.media("a.png", picture(8)), c.media("a.pdf", []byte(pdfStart))
	bot := func(contents ...m) reply {
		return w.do("POST", "/v1/saved-replies", marketing, m{"topic": "bot", "kind": "bot_module", "audience": "all_members",
			"module": m{"type": "card", "channels": []string{"line", "facebook"}, "contents": contents}})
	}
	bot(m{"kind": "text", "text": " "}).problem(422, "message_empty")
	bot(m{"kind": "image", "media_id": pdf}).problem(422, "media_type_unsupported")
	var saved savedReplyBody
	bot(m{"kind": "text", "text": "菜單"}, m{"kind": "image", "media_id": img}).into(201, &saved)
	reply := m{"kind": "saved_reply", "saved_reply_id": saved.ID}

	p := w.do("POST", "/v1/broadcasts", staff, holding("app", []m{reply}, "whatsapp")).problem(422, "broadcast_content_unsupported")
	require.Equal(t, "目標渠道不支援發送此類型的機器人模組", p.Message)
	var accepted struct{ ID uuid.UUID }
	w.do("POST", "/v1/broadcasts", staff, holding("app", []m{reply, {"kind": "text", "text": "hi"}}, "line", "facebook")).into(202, &accepted)
	var detail broadcastBody
	w.do("GET", "/v1/broadcasts/"+accepted.ID.String(), staff, nil).into(200, &detail)
	require.Equal(t, []string{"bot_module", "image", "saved_reply", "text"}, detail.Holds)
	require.Len(t, detail.Messages, 2)
	require.Equal(t, "card", detail.Messages[0].Module)
	require.Equal(t, "菜單", detail.Messages[0].Contents[0].Text)
	require.Equal(t, img, detail.Messages[0].Contents[1].Media.ID.String())

	w.do("POST", "/v1/broadcasts", staff, holding("app", []m{{"kind": "file", "media_id": pdf}}, "facebook")).into(202, &accepted)
	var list listBody[broadcastBody]
	w.do("GET", "/v1/broadcasts", staff, nil).into(200, &list)
	require.Equal(t, []string{"file"}, list.Items[0].Holds)
	require.Empty(t, list.Items[0].Messages, "the list has no texts")
}
