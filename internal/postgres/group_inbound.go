package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// touchGroup finds the group that a member wrote in. A closed one goes back to
// pending, where nobody follows it, or, with collaborators, to handling
// (GRP-22, D-GRP-6, COL-07). One window is open for the whole group (WIN-03).
// pgx.ErrNoRows: no such group.
func touchGroup(ctx context.Context, tx pgx.Tx, m omniflow.CustomerMessage) (uuid.UUID, error) {
	var id uuid.UUID
	var state omniflow.ConversationState
	var collaborators, repeated bool
	err := tx.QueryRow(ctx, `
		SELECT c.id, c.state, EXISTS (SELECT FROM collaborators k WHERE k.conversation_id = c.id),
		  EXISTS (SELECT FROM inbound_messages i WHERE i.channel_account_id = $1 AND i.provider_id = $3)
		FROM groups g JOIN conversations c ON c.id = g.id WHERE g.channel_account_id = $1 AND g.provider_id = $2 FOR UPDATE OF c`,
		m.ChannelAccountID, storable(m.GroupID), storable(m.ProviderID)).Scan(&id, &state, &collaborators, &repeated)
	if err != nil || repeated {
		return id, err
	}
	next := omniflow.ReceiveInGroup(state, collaborators)
	_, err = tx.Exec(ctx, `
		UPDATE conversations SET last_customer_message_at = GREATEST(last_customer_message_at, LEAST($2, now())), state = $3,
		  follower_id = CASE WHEN $3 = 'pending_human' THEN NULL ELSE follower_id END, version = version + CASE WHEN $4 THEN 1 ELSE 0 END
		WHERE id = $1`, id, m.At, string(next), next != state)
	if err != nil {
		return id, fmt.Errorf("touch group conversation: %w", err)
	}
	_, err = tx.Exec(ctx, `
		UPDATE group_members SET last_message_at = GREATEST(last_message_at, LEAST($3, now())) WHERE group_id = $1 AND phone = $2`, id, storable(m.Sender), m.At)
	if err != nil || next == state {
		return id, err
	}
	return id, logConversation(ctx, tx, logEntry{TeamID: m.TeamID, ConversationID: id, ActionID: newID(), Event: "member_message",
		Detail: map[string]any{"from": state, "to": next}})
}
