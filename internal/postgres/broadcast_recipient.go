package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// BroadcastRecipient is one row of the ledger of a broadcast.
type BroadcastRecipient struct {
	MessageID        uuid.UUID
	ConversationID   uuid.UUID
	CustomerID       string
	Channel          omniflow.Channel
	ChannelAccountID uuid.UUID
	Seq              int
	Ordinal          int
	State            omniflow.MessageState
	Code             string
	Attempt          int
	SentAt           *time.Time
	ReceivedAt       *time.Time
	ReadAt           *time.Time
	ProviderID       string
}

// RecipientQuery selects rows of a broadcast; "" filters nothing. It goes on
// after the row (AfterAccount, AfterSeq).
type RecipientQuery struct {
	TeamID       uuid.UUID
	BroadcastID  uuid.UUID
	State        string
	Channel      string
	Code         string
	AfterAccount uuid.UUID
	AfterSeq     int // -1: from the beginning
	Limit        int
}

// ListRecipients lists rows of a broadcast, lane by lane in sending order. A
// Refusal not_found if the team has no such broadcast.
func (s *Store) ListRecipients(ctx context.Context, q RecipientQuery) ([]BroadcastRecipient, error) {
	var out []BroadcastRecipient
	err := s.inTeam(ctx, q.TeamID, func(tx pgx.Tx) error {
		if err := requireBroadcast(ctx, tx, q.TeamID, q.BroadcastID); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, `
WITH page AS MATERIALIZED (
  SELECT m.* FROM messages m
  WHERE m.team_id = $1 AND m.broadcast_id = $2 AND (m.channel_account_id, m.seq) > ($3, $4)
    AND ($5 = '' OR m.state::text = $5) AND ($7 = '' OR m.code = $7)
    AND ($6 = '' OR m.channel_account_id IN (SELECT a.id FROM channel_accounts a WHERE a.team_id = $1 AND a.channel = $6))
  ORDER BY m.broadcast_id, m.channel_account_id, m.seq LIMIT $8
)
SELECT m.id AS message_id, m.conversation_id, p.customer_id, c.channel, m.channel_account_id, m.seq, m.ordinal,
  m.state::text AS state, COALESCE(m.code, '') AS code, m.attempt, m.sent_at, m.received_at, m.read_at, COALESCE(m.provider_id, '') AS provider_id
FROM page m JOIN conversations c ON c.id = m.conversation_id JOIN contacts p ON p.id = c.contact_id
ORDER BY m.channel_account_id, m.seq`,
			q.TeamID, q.BroadcastID, q.AfterAccount, q.AfterSeq, q.State, q.Channel, q.Code, q.Limit)
		recipients, err := pgx.CollectRows(rows, pgx.RowToStructByName[BroadcastRecipient])
		if err != nil {
			return fmt.Errorf("list recipients: %w", err)
		}
		out = recipients
		return nil
	})
	return out, err
}

func requireBroadcast(ctx context.Context, tx pgx.Tx, teamID, id uuid.UUID) error {
	var found bool
	err := tx.QueryRow(ctx, `SELECT true FROM broadcasts WHERE team_id = $1 AND id = $2`, teamID, id).Scan(&found)
	return oneRow(err, "broadcast", id)
}
