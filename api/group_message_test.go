package main

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// openGroup is a created group of the agent's whose window is open.
func (c *club) openGroup() (id uuid.UUID, send func(m) reply) {
	c.w.t.Helper()
	id = c.group("cs_agent", "created")
	c.w.exec(`UPDATE conversations SET last_customer_message_at = now() WHERE id = $1`, id)
	return id, func(body m) reply {
		return c.w.do("POST", "/v1/groups/"+id.String()+"/messages", c.token["cs_agent"], body)
	}
}

func TestAFailedGroupMessageIsResentByApiOnce(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	id, send := c.openGroup()
	var sent struct{ ID uuid.UUID }
	send(m{"kind": "text", "text": "x"}).into(202, &sent)
	path := "/v1/groups/" + id.String() + "/messages/"
	resend := func(role string, message uuid.UUID, headers ...string) reply {
		return c.w.do("POST", path+message.String()+":resend", c.token[role], nil, headers...)
	}
	resend("cs_agent", sent.ID).problem(422, "message_not_failed")
	c.w.exec(`UPDATE messages SET state = 'failed', code = 'provider_rejected', provider_id = 'wamid.1', sent_at = now() WHERE id = $1`, sent.ID)
	resend("marketing", sent.ID).problem(403, "permission_denied")
	resend("cs_agent", uuid.New()).problem(404, "not_found")
	other := c.group("cs_agent", "created")
	c.w.do("POST", "/v1/groups/"+other.String()+"/messages/"+sent.ID.String()+":resend", c.token["cs_agent"], nil).problem(404, "not_found")
	c.w.exec(`UPDATE conversations SET last_customer_message_at = now() - interval '25 hours' WHERE id = $1`, id)
	resend("cs_agent", sent.ID).problem(422, "window_template_only")
	c.w.exec(`UPDATE conversations SET last_customer_message_at = now() WHERE id = $1`, id)
	require.Equal(t, 202, resend("cs_agent", sent.ID, "Idempotency-Key", "k").Status)
	require.Equal(t, 202, resend("cs_agent", sent.ID, "Idempotency-Key", "k").Status, "the same click again")
	resend("cs_agent", sent.ID).problem(422, "message_not_failed")
	require.Len(t, c.w.ids(`SELECT id FROM audit_log WHERE action = 'conversation.resend'`), 1, "one resend")
	require.Len(t, c.w.ids(`SELECT id FROM messages WHERE state = 'queued' AND code IS NULL AND provider_id IS NULL AND sent_at IS NULL`), 1)
}

func TestAGroupMessageQuotesOneOfItsGroup(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	id, send := c.openGroup()
	inbound := uuid.New()
	c.w.exec(`INSERT INTO inbound_messages (id, team_id, conversation_id, channel_account_id, provider_id, kind, body, sent_at)
VALUES ($1, $2, $3, $4, 'wamid.in', 'text', '{"text":"您好"}', now())`, inbound, c.id, id, c.account)
	var sent struct{ ID uuid.UUID }
	send(m{"kind": "text", "text": "x", "quoted_message_id": inbound}).into(202, &sent)
	var list struct{ Items []groupMessageBody }
	c.w.do("GET", "/v1/groups/"+id.String()+"/messages", c.token["cs_agent"], nil).into(200, &list)
	require.Len(t, list.Items, 2)
	for _, got := range list.Items {
		if got.ID == sent.ID {
			require.Equal(t, []any{inbound, "您好"}, []any{*got.QuotedID, got.Quoted})
		}
	}
	send(m{"kind": "text", "text": "x", "quoted_message_id": sent.ID}).problem(422, "quoted_message_not_found") // it has not left yet
	send(m{"kind": "text", "text": "x", "quoted_message_id": uuid.New()}).problem(422, "quoted_message_not_found")
	c.w.exec(`UPDATE messages SET provider_id = 'wamid.out' WHERE id = $1`, sent.ID)
	require.Equal(t, 202, send(m{"kind": "text", "text": "x", "quoted_message_id": sent.ID}).Status, "our own")
	_, elsewhere := c.openGroup()
	elsewhere(m{"kind": "text", "text": "x", "quoted_message_id": inbound}).problem(422, "quoted_message_not_found")
}

func TestFIL08AFileOfAGroupsMemberIsShownOrWhyNot(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	id, _ := c.openGroup()
	inbound := uuid.New()
	c.w.exec(`INSERT INTO inbound_messages (id, team_id, conversation_id, channel_account_id, provider_id, kind, body, sent_at)
VALUES ($1, $2, $3, $4, 'wamid.in', 'image', '{"text":""}', now())`, inbound, c.id, id, c.account)
	c.w.file(inbound, 0, "image", "", "unavailable", "media_unavailable", nil)
	var list struct{ Items []groupMessageBody }
	c.w.do("GET", "/v1/groups/"+id.String()+"/messages", c.token["cs_agent"], nil).into(200, &list)
	require.Len(t, list.Items, 1)
	require.Equal(t, []omniflow.InboundMedia{{Kind: "image", State: "unavailable", Code: "media_unavailable"}}, list.Items[0].Media)
}

// TestGRP25WhatMayBeSent is the left column of GRP-25; the right one is EX-017.
func TestGRP25WhatMayBeSent(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	_, send := c.openGroup()
	file := func(kind, mime string, bytes int) uuid.UUID {
		id := uuid.New()
		c.w.exec(`INSERT INTO media (id, team_id, kind, mime, name, bytes, sha256) VALUES ($1, $2, $3, $4, 'n', $5, 's')`, id, c.id, kind, mime, bytes)
		return id
	}
	picture := file("image", "image/png", 1000)
	for name, body := range map[string]m{
		"text": {"kind": "text", "text": "x"}, "emoji": {"kind": "emoji", "text": "🎉"}, "link": {"kind": "shopping_link", "text": "https://shop.example.com/?ref=1"},
		"image": {"kind": "image", "media_id": picture}, "video": {"kind": "video", "media_id": file("video", "video/mp4", 1000)},
		"file": {"kind": "file", "media_id": file("file", "application/pdf", 1000)}, "an image as a file": {"kind": "file", "media_id": picture},
	} {
		require.Equal(t, 202, send(body).Status, name)
	}
	send(m{"kind": "image"}).problem(422, "message_empty")
	send(m{"kind": "image", "media_id": uuid.New()}).problem(404, "not_found")
	send(m{"kind": "video", "media_id": picture}).problem(422, "media_type_unsupported")
	send(m{"kind": "image", "media_id": file("image", "image/png", int(5*omniflow.MB)+1)}).problem(422, "media_too_large")
	send(m{"kind": "emoji", "text": " "}).problem(422, "message_empty")
	send(m{"kind": "audio", "media_id": picture}).problem(422, "group_content_unsupported")
}
