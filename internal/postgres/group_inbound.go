package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// findGroups finds the conversations of the groups that members wrote in. A
// group that is not known is a dead letter.
func (b *heardBatch) findGroups(ctx context.Context, tx pgx.Tx) error {
	var in []*heardMessage
	var places []int32
	var accounts []uuid.UUID
	var groups []string
	for _, m := range b.messages {
		if m.GroupID != "" {
			places, accounts, groups = append(places, int32(len(in))), append(accounts, m.ChannelAccountID), append(groups, m.GroupID)
			in = append(in, m)
		}
	}
	if len(in) == 0 {
		return nil
	}
	rows, _ := tx.Query(ctx, `
		SELECT f.place, c.id FROM unnest($1::integer[], $2::uuid[], $3::text[]) AS f(place, account, provider)
		JOIN groups g ON g.channel_account_id = f.account AND g.provider_id = f.provider JOIN conversations c ON c.id = g.id`, places, accounts, groups)
	var place int32
	var id uuid.UUID
	if _, err := pgx.ForEachRow(rows, []any{&place, &id}, func() error { in[place].Conversation = id; return nil }); err != nil {
		return fmt.Errorf("find groups: %w", err)
	}
	b.keep(func(m *heardMessage) bool {
		if m.Conversation == uuid.Nil {
			b.bury(m.CustomerMessage, omniflow.ConversationUnknown)
		}
		return m.Conversation != uuid.Nil
	})
	return nil
}

// touchMembers notes when each member of a group wrote last (WIN-03).
func (b *heardBatch) touchMembers(ctx context.Context, tx pgx.Tx) error {
	type member struct {
		group uuid.UUID
		phone string
	}
	place := map[member]int{}
	var groups []uuid.UUID
	var phones []string
	var at []time.Time
	for _, m := range b.messages {
		if m.GroupID == "" {
			continue
		}
		k := member{m.Conversation, m.Sender}
		if i, seen := place[k]; seen {
			at[i] = m.At // messages are in the order of time
			continue
		}
		place[k] = len(groups)
		groups, phones, at = append(groups, m.Conversation), append(phones, m.Sender), append(at, m.At)
	}
	if len(groups) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `
		UPDATE group_members m SET last_message_at = GREATEST(m.last_message_at, f.at)
		FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS f(id, phone, at) WHERE m.group_id = f.id AND m.phone = f.phone`, groups, phones, at)
	if err != nil {
		return fmt.Errorf("note when members wrote: %w", err)
	}
	return nil
}
