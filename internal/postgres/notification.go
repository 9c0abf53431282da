package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// notification is what one member is told.
type notification struct {
	TeamID, ConversationID, ActionID, MemberID uuid.UUID
	Kind                                       omniflow.NotificationKind
	TextKey                                    omniflow.TextKey
	Detail                                     map[string]any // ids of members, and n; no names, no texts
}

// writeNotifications writes notifications with what causes them, in its
// transaction and in one statement: they are told if and only if it is
// committed, each once a conversation, action, kind and member, however often
// it is tried (D-NTF-1).
func writeNotifications(ctx context.Context, tx pgx.Tx, list []notification) error {
	n := len(list)
	if n == 0 {
		return nil
	}
	teams, conversations, actions, members := make([]uuid.UUID, n), make([]uuid.UUID, n), make([]uuid.UUID, n), make([]uuid.UUID, n)
	kinds, keys, details := make([]string, n), make([]string, n), make([]string, n)
	for i, m := range list {
		teams[i], conversations[i], actions[i], members[i] = m.TeamID, m.ConversationID, m.ActionID, m.MemberID
		kinds[i], keys[i], details[i] = string(m.Kind), string(m.TextKey), "{}"
		if m.Detail != nil {
			detail, err := json.Marshal(m.Detail)
			if err != nil {
				return err
			}
			details[i] = string(detail)
		}
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO notifications (id, team_id, conversation_id, action_id, member_id, kind, text_key, detail)
		SELECT uuid_v7(clock_timestamp(), f.place), f.team, f.conversation, f.action, f.member, f.kind, f.key, f.detail::jsonb
		FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[]) WITH ORDINALITY
		  AS f(team, conversation, action, member, kind, key, detail, place)
		ON CONFLICT (conversation_id, action_id, kind, member_id) DO NOTHING`, teams, conversations, actions, members, kinds, keys, details)
	if err != nil {
		return fmt.Errorf("write notifications: %w", err)
	}
	return nil
}

// notify tells whom an act of a member concerns (section 15). The rules say who
// that is; the caller holds the conversation.
func notify(ctx context.Context, tx pgx.Tx, act omniflow.Act, of notification, in omniflow.Involved) error {
	notice, members := omniflow.Notify(act, in)
	list := make([]notification, len(members))
	for i, member := range members {
		list[i] = of
		list[i].MemberID, list[i].Kind, list[i].TextKey = member, notice.Kind, notice.Text
	}
	return writeNotifications(ctx, tx, list)
}

// notify tells of the step of a conversation: one, so n is 1 (D-COL-7).
func (w stepWrite) notify(ctx context.Context, tx pgx.Tx) error {
	in := omniflow.Involved{Actor: w.ActorID, Former: orNobody(w.Former), Follower: orNobody(w.Next), State: w.To}
	if w.Collaborators {
		all, err := collaboratorsOf(ctx, tx, w.ConversationID)
		if err != nil {
			return err
		}
		in.Collaborators = all[w.ConversationID]
	}
	of := notification{TeamID: w.TeamID, ConversationID: w.ConversationID, ActionID: w.ActionID, Detail: map[string]any{"actor": w.ActorID, "n": 1}}
	return notify(ctx, tx, omniflow.Act(w.Event), of, in)
}

// notify tells those whom the change is about.
func (ch *CollaborationChange) notify(ctx context.Context, tx pgx.Tx, c conversationRow) error {
	of := notification{TeamID: ch.TeamID, ConversationID: ch.ConversationID, ActionID: ch.ActionID,
		Detail: map[string]any{"actor": ch.ActorID, "follower": c.FollowerID}}
	return notify(ctx, tx, omniflow.Act(ch.Operation), of, omniflow.Involved{Actor: ch.ActorID, Affected: ch.MemberIDs, Follower: orNobody(c.FollowerID), State: c.State})
}

// writeNotifications tells of every message of the batch, as it left its
// conversation (NTF-02, D-NTF-3): one statement, and one more to read if there
// are collaborations among them.
func (b *heardBatch) writeNotifications(ctx context.Context, tx pgx.Tx) error {
	var together []uuid.UUID
	for _, id := range b.order {
		if b.talks[id].Collaborators {
			together = append(together, id)
		}
	}
	collaborators, err := collaboratorsOf(ctx, tx, together...)
	if err != nil {
		return err
	}
	var list []notification
	for _, m := range b.messages {
		notice, members := omniflow.Notify(omniflow.CustomerWrites,
			omniflow.Involved{Follower: m.Left.FollowerID, Collaborators: collaborators[m.Conversation], State: m.Left.State})
		for _, member := range members {
			list = append(list, notification{TeamID: m.TeamID, ConversationID: m.Conversation, ActionID: m.ID, MemberID: member, Kind: notice.Kind, TextKey: notice.Text})
		}
	}
	return writeNotifications(ctx, tx, list)
}

// collaboratorsOf are the collaborators of conversations, by rank.
func collaboratorsOf(ctx context.Context, tx pgx.Tx, ids ...uuid.UUID) (map[uuid.UUID][]uuid.UUID, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	out := map[uuid.UUID][]uuid.UUID{}
	rows, _ := tx.Query(ctx, `SELECT conversation_id, member_id FROM collaborators WHERE conversation_id = ANY ($1) ORDER BY conversation_id, position`, ids)
	var conversation, member uuid.UUID
	_, err := pgx.ForEachRow(rows, []any{&conversation, &member}, func() error {
		out[conversation] = append(out[conversation], member)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read collaborators: %w", err)
	}
	return out, nil
}

// orNobody is the id, zero for none.
func orNobody(id *uuid.UUID) uuid.UUID {
	if id == nil {
		return uuid.Nil
	}
	return *id
}
