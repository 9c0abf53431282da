package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// storeCustomerMessages stores what customers wrote, each once by the
// provider's id, and moves their messaging windows on. On LINE it also marks
// our earlier messages as read (MSG-03).
func storeCustomerMessages(ctx context.Context, tx pgx.Tx, messages []omniflow.CustomerMessage) (int, []omniflow.DeadLetter, error) {
	stored := 0
	var dead []omniflow.DeadLetter
	for _, m := range messages {
		if err := readMenuText(ctx, tx, &m); err != nil {
			return 0, nil, err
		}
		touch := touchConversation
		if m.GroupID != "" {
			touch = touchGroup
		}
		conversation, err := touch(ctx, tx, m)
		if errors.Is(err, pgx.ErrNoRows) {
			dead = append(dead, omniflow.DeadLetter{TeamID: m.TeamID, ChannelAccountID: m.ChannelAccountID, Reason: omniflow.ConversationUnknown, Event: m.Raw})
			continue
		}
		if err != nil {
			return 0, nil, err
		}
		id := newID()
		tag, err := tx.Exec(ctx, `
			INSERT INTO inbound_messages (id, team_id, conversation_id, channel_account_id, provider_id, kind, body, sent_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (channel_account_id, provider_id) DO NOTHING`,
			id, m.TeamID, conversation, m.ChannelAccountID, storable(m.ProviderID), storable(m.Kind), inboundBody(m), m.At)
		if err != nil {
			return 0, nil, fmt.Errorf("store customer message: %w", err)
		}
		if tag.RowsAffected() > 0 {
			if err := noteInboundMedia(ctx, tx, id, m); err != nil {
				return 0, nil, err
			}
		}
		stored += int(tag.RowsAffected())
	}
	return stored, dead, nil
}

// touchConversation finds the customer's conversation and keeps the newest
// time at which the customer wrote.
func touchConversation(ctx context.Context, tx pgx.Tx, m omniflow.CustomerMessage) (uuid.UUID, error) {
	var id uuid.UUID
	err := tx.QueryRow(ctx, `
		UPDATE conversations c SET last_customer_message_at = GREATEST(c.last_customer_message_at, LEAST($3, now()))
		FROM channel_identities i
		WHERE i.channel_account_id = $1 AND i.external_id = $2 AND c.channel_identity_id = i.id
		RETURNING c.id`, m.ChannelAccountID, storable(m.Sender), m.At).Scan(&id)
	if err != nil || m.Channel != omniflow.LINE {
		return id, err
	}
	_, err = tx.Exec(ctx, `
		UPDATE messages SET state = 'read', read_at = COALESCE(read_at, $2)
		WHERE conversation_id = $1 AND state IN ('sent', 'received') AND attempted_at <= $2`, id, m.At)
	if err != nil {
		return id, fmt.Errorf("mark earlier messages read: %w", err)
	}
	return id, nil
}
