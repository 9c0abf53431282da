package postgres

import (
	"context"
	"errors"
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
	Customer         string    // provider's user id
	After            uuid.UUID // zero, or no message that was shown: from the first
	Limit            int
}

// ListWebchatMessages lists what was sent to a customer. A message has its
// place in the list from the first answer that could show it: whatever the
// clocks of workers say, and whenever what they wrote is committed, none ever
// appears before one that was listed.
func (s *Store) ListWebchatMessages(ctx context.Context, q WebchatQuery) ([]WebchatMessage, error) {
	var out []WebchatMessage
	err := s.inTeam(ctx, q.TeamID, func(tx pgx.Tx) error {
		var conversation uuid.UUID
		var fresh bool
		err := tx.QueryRow(ctx, `
SELECT c.id, EXISTS (SELECT `+unshown+` AND x.conversation_id = c.id)
FROM channel_identities i JOIN conversations c ON c.channel_identity_id = i.id
WHERE i.team_id = $1 AND i.channel_account_id = $2 AND i.external_id = $3`, q.TeamID, q.ChannelAccountID, q.Customer).Scan(&conversation, &fresh)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err == nil && fresh {
			err = showWebchat(ctx, tx, conversation)
		}
		if err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, `
SELECT m.id, m.sent_at, k.body AS contents
FROM conversation_messages x JOIN messages m ON m.id = x.message_id JOIN contents k ON k.id = m.content_id
WHERE x.conversation_id = $1 AND x.shown > COALESCE((SELECT y.shown FROM conversation_messages y WHERE y.conversation_id = $1 AND y.message_id = $2), 0)
ORDER BY x.shown LIMIT $3`, conversation, q.After, q.Limit)
		out, err = pgx.CollectRows(rows, pgx.RowToStructByName[WebchatMessage])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list web chat messages: %w", err)
	}
	return out, nil
}

// unshown are the messages that were sent and have no place in the list yet.
const unshown = `FROM conversation_messages x JOIN messages m ON m.id = x.message_id WHERE x.shown IS NULL AND m.state IN ('sent', 'received', 'read')`

// showWebchat gives them their places, behind those that are given. It holds
// the conversation, so that who comes second sees what the first one gave.
func showWebchat(ctx context.Context, tx pgx.Tx, conversation uuid.UUID) error {
	if _, err := tx.Exec(ctx, `SELECT FROM conversations WHERE id = $1 FOR UPDATE`, conversation); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `
UPDATE conversation_messages x SET shown = f.shown FROM (
  SELECT x.message_id, (SELECT COALESCE(max(y.shown), 0) FROM conversation_messages y WHERE y.conversation_id = $1) + row_number() OVER (ORDER BY x.place) AS shown
  `+unshown+` AND x.conversation_id = $1) f
WHERE x.message_id = f.message_id`, conversation)
	return err
}
