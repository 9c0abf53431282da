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
SELECT m.id AS message_id, m.conversation_id, p.customer_id, c.channel, m.channel_account_id, m.seq, m.ordinal,
  m.state::text AS state, COALESCE(m.code, '') AS code, m.attempt, m.sent_at, m.received_at, m.read_at
FROM messages m JOIN conversations c ON c.id = m.conversation_id JOIN contacts p ON p.id = c.contact_id
WHERE m.team_id = $1 AND m.broadcast_id = $2 AND (m.channel_account_id, m.seq) > ($3, $4)
  AND ($5 = '' OR m.state::text = $5) AND ($6 = '' OR c.channel = $6) AND ($7 = '' OR m.code = $7)
ORDER BY m.channel_account_id, m.seq LIMIT $8`,
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

// TimelineItem is one thing that happened to the messages of a recipient.
type TimelineItem struct {
	At         time.Time
	Kind       string // planned, attempt, webhook or state
	MessageID  uuid.UUID
	State      string
	Code       string
	Attempt    int
	HTTPStatus int `db:"http_status"`
	LatencyMS  int `db:"latency_ms"`
	ProviderID string
}

// Timeline tells what happened to the messages of one recipient of a
// broadcast, oldest first, without anything the customer said or is called. A
// Refusal not_found if the broadcast has no such recipient.
func (s *Store) Timeline(ctx context.Context, teamID, broadcastID, conversationID uuid.UUID) ([]TimelineItem, error) {
	var out []TimelineItem
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `
WITH m AS (
  SELECT m.*, b.planned_at FROM messages m JOIN broadcasts b ON b.id = m.broadcast_id
  WHERE m.team_id = $1 AND m.conversation_id = $3 AND m.broadcast_id = $2
)
SELECT at, kind, message_id, state, code, attempt, http_status, latency_ms, provider_id FROM (
  SELECT COALESCE(planned_at, now()) AS at, 1 AS place, 'planned' AS kind, id AS message_id, '' AS state, '' AS code, 0 AS attempt,
    0 AS http_status, 0 AS latency_ms, '' AS provider_id FROM m
  UNION ALL SELECT a.at, 2, 'attempt', a.message_id, '', a.code, a.attempt, a.http_status, a.latency_ms, a.provider_id
    FROM attempts a JOIN m ON m.id = a.message_id
  UNION ALL SELECT e.at, 3, 'webhook', e.message_id, e.state, e.code, e.attempt, 0, 0, ''
    FROM message_events e JOIN m ON m.id = e.message_id
  UNION ALL SELECT COALESCE(GREATEST(planned_at, attempted_at, sent_at, received_at, read_at), now()), 4, 'state', id, state::text, COALESCE(code, ''), attempt,
    0, 0, COALESCE(provider_id, '') FROM m
) t ORDER BY at, place, message_id`, teamID, broadcastID, conversationID)
		items, err := pgx.CollectRows(rows, pgx.RowToStructByName[TimelineItem])
		if err != nil {
			return fmt.Errorf("read timeline: %w", err)
		}
		if len(items) == 0 {
			return omniflow.Refuse(omniflow.NotFound, "SYS-13", "this broadcast has no such recipient")
		}
		out = items
		return nil
	})
	return out, err
}
