package postgres

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// logEntry is one entry of the event state log (CNV-19), or a system message.
type logEntry struct {
	TeamID, ConversationID, ActionID uuid.UUID
	Kind                             string // log (also "") or system
	Event                            string
	TextKey                          omniflow.TextKey
	ActorID                          uuid.UUID // zero: the system
	Detail                           map[string]any
}

// logConversation writes an entry, once an action and kind (SYS-14).
func logConversation(ctx context.Context, tx pgx.Tx, e logEntry) error {
	if e.Kind == "" {
		e.Kind = "log"
	}
	if e.Detail == nil {
		e.Detail = map[string]any{}
	}
	var actor *uuid.UUID
	if e.ActorID != uuid.Nil {
		actor = &e.ActorID
	}
	_, err := tx.Exec(ctx, `
INSERT INTO conversation_log (id, team_id, conversation_id, action_id, kind, event, text_key, actor_id, detail)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (conversation_id, action_id, kind) DO NOTHING`,
		newID(), e.TeamID, e.ConversationID, e.ActionID, e.Kind, e.Event, string(e.TextKey), actor, e.Detail)
	if err != nil {
		return fmt.Errorf("write conversation log: %w", err)
	}
	return nil
}

// logged says whether an action was done before.
func logged(ctx context.Context, tx pgx.Tx, conversationID, actionID uuid.UUID) (bool, error) {
	var done bool
	err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM conversation_log WHERE conversation_id = $1 AND action_id = $2)`, conversationID, actionID).Scan(&done)
	return done, err
}

// LogItem is one entry as the console shows it; Text is in Chinese, "" where
// the seeds give none.
type LogItem struct {
	At       time.Time
	Kind     string
	Event    string
	Text     string
	From, To omniflow.ConversationState // of a transition
	Actor    string                     // name, or that of the system; "": the customer's doing
	Follower string                     // name of who follows since; "": nobody, or no transition
}

// ConversationLog lists the entries of a conversation, oldest first, with the
// names that members have now.
func (s *Store) ConversationLog(ctx context.Context, teamID, id uuid.UUID) ([]LogItem, error) {
	var out []LogItem
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `
SELECT l.created_at, l.kind, l.event, COALESCE(l.detail ->> 'from', ''), COALESCE(l.detail ->> 'to', ''), COALESCE(a.name, ''), l.text_key, l.actor_id, COALESCE((
  SELECT jsonb_object_agg(d.key, m.name) FROM jsonb_each_text(l.detail) d JOIN members m ON m.id::text = d.value), '{}'),
  ARRAY(SELECT m.name FROM jsonb_array_elements_text(l.detail -> 'members') WITH ORDINALITY AS d(id, place) JOIN members m ON m.id::text = d.id ORDER BY d.place)
FROM conversation_log l LEFT JOIN members a ON a.id = l.actor_id WHERE l.team_id = $1 AND l.conversation_id = $2 ORDER BY l.id`, teamID, id)
		var item LogItem
		var row loggedNames
		into := []any{&item.At, &item.Kind, &item.Event, &item.From, &item.To, &item.Actor, &row.key, &row.actor, &row.names, &row.members}
		_, err := pgx.ForEachRow(rows, into, func() error {
			out = append(out, row.render(item))
			row.names = nil
			return nil
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list log of conversation %s: %w", id, err)
	}
	return out, nil
}

// loggedNames is what an entry is rendered with.
type loggedNames struct {
	key     omniflow.TextKey
	actor   *uuid.UUID
	names   map[string]string // by what they are in the entry
	members []string          // of an entry about several
}

// render fills in the text of an entry and who is responsible since (CNV-19).
func (r loggedNames) render(item LogItem) LogItem {
	if len(r.members) > 0 {
		r.names["members"], r.names["n"] = omniflow.JoinNames(r.members), strconv.Itoa(len(r.members)-1) // COL-11
	}
	if r.actor == nil && (r.key != "" || item.Event == keywordAssignment) {
		item.Actor = omniflow.SystemName // D-CLS-5
	}
	if r.names["actor"] == "" && r.actor == nil {
		r.names["actor"] = omniflow.SystemName
	}
	if r.key != "" {
		item.Text, _ = omniflow.Render(r.key, r.names) // a name may be missing: then there is no text
	}
	item.Follower = cmp.Or(r.names["follower"], r.names["assignee"], r.names["receiver"]) // an older entry has the second or third only
	return item
}
