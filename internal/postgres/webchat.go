package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// WebchatMessage is a message of ours as the widget of its customer shows it.
type WebchatMessage struct {
	ID       uuid.UUID
	SentAt   time.Time
	Contents []omniflow.Content
}

// WebchatQuery asks for what was sent to one customer of a web chat account,
// oldest first, behind a message of an earlier answer.
type WebchatQuery struct {
	TeamID           uuid.UUID
	ChannelAccountID uuid.UUID
	Customer         string // provider's user id
	AfterTime        time.Time
	AfterID          uuid.UUID
	Limit            int
}

// ListWebchatMessages lists what was sent to a customer. Messages of a
// conversation are sent one after the other, so that none appears behind one
// that was listed.
func (s *Store) ListWebchatMessages(ctx context.Context, q WebchatQuery) ([]WebchatMessage, error) {
	var out []WebchatMessage
	err := s.inTeam(ctx, q.TeamID, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `
SELECT m.id, m.sent_at, k.body AS contents
FROM channel_identities i JOIN conversations c ON c.channel_identity_id = i.id
JOIN messages m ON m.conversation_id = c.id JOIN contents k ON k.id = m.content_id
WHERE i.team_id = $1 AND i.channel_account_id = $2 AND i.external_id = $3 AND m.state IN ('sent', 'received', 'read')
  AND (m.sent_at, m.id) > ($4, $5) ORDER BY m.sent_at, m.id LIMIT $6`,
			q.TeamID, q.ChannelAccountID, q.Customer, q.AfterTime, q.AfterID, q.Limit)
		var err error
		out, err = pgx.CollectRows(rows, pgx.RowToStructByName[WebchatMessage])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list web chat messages: %w", err)
	}
	return out, nil
}
