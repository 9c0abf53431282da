package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// conversationMessage is what is to be said in a conversation: one row of the
// ledger for each provider call.
type conversationMessage struct {
	ID             uuid.UUID // of the first row
	TeamID         uuid.UUID
	ConversationID uuid.UUID
	SenderID       uuid.UUID // Nil: the system
	Origin         omniflow.Origin
	Contents       []omniflow.Content // frozen; a saved reply comes with its contents
	QuotedID       string             // provider's id of the message that the first row answers (QUO-02)
}

// queueConversationMessage writes the ledger rows of a message in order, and
// wakes the run of the conversation. It holds the conversation, so that the
// order of what is queued is the order of the commits. One that is there under
// this id is left alone. The caller has checked that it may be sent; the claim
// checks again.
func queueConversationMessage(ctx context.Context, tx pgx.Tx, m conversationMessage) error {
	_, err := queueAndWake(ctx, tx, m)
	return err
}

// queueAndWake is queueConversationMessage; it returns the promised signal, if
// the run has to be told.
func queueAndWake(ctx context.Context, tx pgx.Tx, m conversationMessage) (*Signal, error) {
	if err := putConversationMessage(ctx, tx, m); err != nil {
		return nil, err
	}
	return wakeNow(ctx, tx, omniflow.ConversationRef{TeamID: m.TeamID, ConversationID: m.ConversationID}, time.Time{})
}

// putConversationMessage writes the rows.
func putConversationMessage(ctx context.Context, tx pgx.Tx, m conversationMessage) error {
	var account uuid.UUID
	var ch omniflow.Channel
	var recipient string
	err := tx.QueryRow(ctx, `
		SELECT c.channel_account_id, c.channel, COALESCE(g.provider_id, i.external_id) FROM conversations c
		LEFT JOIN channel_identities i ON i.id = c.channel_identity_id LEFT JOIN groups g ON g.id = c.id
		WHERE c.team_id = $1 AND c.id = $2 FOR UPDATE OF c`, m.TeamID, m.ConversationID).Scan(&account, &ch, &recipient)
	if err != nil {
		return oneRow(err, "conversation", m.ConversationID)
	}
	var there bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM messages WHERE id = $1)`, m.ID).Scan(&there); err != nil || there {
		return err
	}
	id, quoted := m.ID, m.QuotedID
	for _, part := range omniflow.PartsOf(ch, m.Contents) {
		_, err := queueMessage(ctx, tx, queuedMessage{ID: id, TeamID: m.TeamID, ChannelAccountID: account, ConversationID: m.ConversationID,
			Recipient: recipient, Contents: part})
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO conversation_messages (message_id, team_id, conversation_id, origin, sender_id, quoted_id, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp())`, id, m.TeamID, m.ConversationID, string(m.Origin), orNil(m.SenderID), quoted)
		if err != nil {
			return fmt.Errorf("queue message of conversation %s: %w", m.ConversationID, err)
		}
		id, quoted = newID(), ""
	}
	_, err = tx.Exec(ctx, `UPDATE conversations SET last_message_at = now() WHERE id = $1`, m.ConversationID)
	return err
}
