package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// TestForeignTeamsDoNotExist asks for everything of one team in the name of
// another: each operation with an id in its path says not_found, and nothing
// changes (SYS-13). The list is checked against the OpenAPI document, so a new
// operation cannot be left out.
func TestForeignTeamsDoNotExist(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, accounts := w.shop()
	id, _ := c.broadcastOf("sales_staff")
	w.plan(c, id)
	conversation := w.ids(`SELECT conversation_id FROM messages WHERE broadcast_id = $1`, id)[0]
	letter := uuid.New()
	w.exec(`INSERT INTO dead_letters (id, team_id, channel, channel_account_id, reason, event) VALUES ($1, $2, 'line', $3, 'x', '{}')`, letter, c.id, accounts["line"])
	group, member := uuid.New(), uuid.New()
	w.exec(`INSERT INTO groups (id, team_id, channel_account_id, creator_id, name, marker) VALUES ($1, $2, $3, $4, 'x', 'ref:x')`,
		group, c.id, accounts["whatsapp"], c.ids["administrator"])
	w.exec(`INSERT INTO group_members (id, team_id, group_id, phone, phone_hash, state) VALUES ($1, $2, $3, '1', 'h', 'inviting')`, member, c.id, group)
	keyword := uuid.New()
	w.exec(`INSERT INTO keyword_rules (id, team_id, keyword, match, reply) VALUES ($1, $2, 'k', 'exact', 'r')`, keyword, c.id)
	w.exec(`INSERT INTO collaborators (conversation_id, member_id, team_id, position) VALUES ($1, $2, $3, 1)`, conversation, c.ids["administrator"], c.id)
	message := w.ids(`SELECT id FROM messages WHERE conversation_id = $1`, conversation)[0]
	ending, reply, file := uuid.New(), uuid.New(), uuid.New()
	w.exec(`INSERT INTO auto_close_rules (id, team_id, name, channels) VALUES ($1, $2, 'x', '{line}')`, ending, c.id)
	w.exec(`INSERT INTO saved_replies (id, team_id, member_id, topic, kind, audience) VALUES ($1, $2, $3, 'x', 'custom', 'all_members')`, reply, c.id, c.ids["administrator"])
	w.exec(`INSERT INTO media (id, team_id, kind, mime, name, bytes, sha256) VALUES ($1, $2, 'image', 'image/png', 'x', 1, 's')`, file, c.id)
	w.exec(`INSERT INTO notifications (id, team_id, member_id, conversation_id, action_id, kind) VALUES ($1, $2, $3, $4, $1, 'customer_message')`,
		uuid.New(), c.id, c.ids["administrator"], conversation)
	stranger := w.company("omo", "sales_staff", "supervisor")
	w.exec(`UPDATE teams SET flags = '{whatsapp_group_enabled,collaboration_enabled}'`)

	bodies := map[string]any{
		"create-member":          m{"name": "x", "role": "cs_agent"},
		"create-token":           m{"member_id": c.ids["sales_staff"]},
		"create-machine-key":     m{"member_id": c.ids["sales_staff"], "name": "x"},
		"create-channel-account": m{"channel": "line", "name": "x", "external_id": "new", "secrets": m{"token": "a", "app_secret": "b"}},
		"resume-channel-account": m{"reason": "x"},
		"set-menu-texts":         m{"texts": []string{"x"}}, "set-allowed-origins": m{"origins": []string{"https://shop.example"}},
		"set-channel-account-rate":    m{"reason": "x", "rate_per_second": 1},
		"set-channel-account-secrets": m{"reason": "x", "secrets": m{"token": "t", "app_secret": "s"}},
		"save-template":               m{"waba_id": "w", "name": "x", "language": "zh_TW", "body_params": 0},
		"import-customers":            fourChannels,
		"pause-broadcast":             m{}, "resume-broadcast": m{}, "cancel-broadcast": m{},
		"approve-broadcast": m{}, "retry-broadcast": m{"scope": "failed"},
		"rate-broadcast":   m{"channel_account_id": accounts["line"], "rate_per_second": 1},
		"add-group-member": m{"phone": "+886912345678"}, "send-group-message": m{"kind": "text", "text": "x"}, "set-group": m{"name": "x"},
		"follow-group": m{}, "end-group": m{}, "reopen-group": m{}, "transfer-group": m{"receiver_id": c.ids["administrator"]},
		"transfer-conversation": m{"receiver_id": c.ids["administrator"]}, "replace-keyword-rule": m{"keyword": "k", "reply": "x"},
		"send-message": m{"kind": "text", "text": "x"}, "set-survey": m{"text": "x"},
		"set-auto-close-rule":            m{"version": 1, "name": "x", "channels": []string{"line"}, "enabled": true},
		"add-conversation-collaborators": members(stranger.ids["sales_staff"]), "remove-conversation-collaborators": members(c.ids["administrator"]),
		"add-group-collaborators": members(stranger.ids["sales_staff"]), "remove-group-collaborators": members(c.ids["administrator"]),
		"set-group-settings": m{"review_timeout_seconds": 9, "invitation_timeout_seconds": 9, "removal_timeout_seconds": 9, "invite_template": "x",
			"invite_language": "en", "approve_invited": true},
	}
	before := w.counts()
	_, updates := w.engine.calls()
	require.Empty(t, updates)
	fill := func(path, team string, broadcast, account uuid.UUID) string {
		path = strings.ReplaceAll(path, "{team_id}", team)
		path = strings.ReplaceAll(path, "{conversation_id}", conversation.String())
		path = strings.ReplaceAll(path, "collaborators/{member_id}", "collaborators/"+c.ids["administrator"])
		path = strings.ReplaceAll(path, "{member_id}", member.String())
		path = strings.ReplaceAll(path, "{message_id}", message.String())
		for noun, id := range map[string]uuid.UUID{"/groups/": group, "/conversations/": conversation, "/keyword-rules/": keyword, "/channel-accounts/": account,
			"/dead-letters/": letter, "/auto-close-rules/": ending, "/saved-replies/": reply, "/media/": file, "/broadcasts/": broadcast} {
			if strings.Contains(path, noun) {
				path = strings.ReplaceAll(path, "{id}", id.String())
			}
		}
		require.NotContains(t, path, "{", "make one of these, and name it here")
		return path
	}
	tested := 0
	for _, op := range operations(t, w) {
		if !regexp.MustCompile(`\{\w+\}`).MatchString(op.path) {
			continue
		}
		tested++
		t.Run(op.id, func(t *testing.T) {
			t.Parallel()
			w := w.in(t)
			body, wanted := bodies[op.id]
			if !wanted {
				body = nil
			}
			token := stranger.token["supervisor"]
			if strings.Contains(op.path, "{team_id}") {
				token = stranger.admin
			}
			account := uuid.MustParse(accounts["line"])
			w.do(op.method, fill(op.path, c.id, id, account), token, body).problem(404, "not_found")
			if strings.Contains(op.path, "{team_id}") {
				w.do(op.method, fill(op.path, uuid.NewString(), id, account), w.platform, body).problem(404, "not_found")
			}
			if strings.Contains(op.path, "channel-accounts/{id}") { // own team, foreign account
				w.do(op.method, fill(op.path, stranger.id, id, account), stranger.admin, body).problem(404, "not_found")
			}
			w.do(op.method, fill(op.path, c.id, id, account), "", body).problem(401, "unauthenticated")
			require.Equal(t, before, w.counts())
			_, updates := w.engine.calls()
			require.Empty(t, updates)
		})
	}
	require.GreaterOrEqual(t, tested, 60)

	// Lists of a stranger are empty.
	for _, path := range []string{"/v1/broadcasts", "/v1/dead-letters", "/v1/conversations", "/v1/groups", "/v1/keyword-rules", "/v1/auto-close-rules",
		"/v1/saved-replies", "/v1/notifications", stranger.path + "/channel-accounts"} {
		token := stranger.token["supervisor"]
		if strings.Contains(path, stranger.id) {
			token = stranger.admin
		}
		var list listBody[json.RawMessage]
		w.do("GET", path, token, nil).into(200, &list)
		require.Empty(t, list.Items, path)
	}
}

type describedOperation struct{ id, method, path string }

// operations are those of the OpenAPI document.
func operations(t *testing.T, w *world) []describedOperation {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
		}
	}
	w.do("GET", "/openapi.json", "", nil).into(200, &doc)
	var out []describedOperation
	for path, methods := range doc.Paths {
		for method, op := range methods {
			out = append(out, describedOperation{op.OperationID, strings.ToUpper(method), path})
		}
	}
	require.NotEmpty(t, out)
	return out
}
