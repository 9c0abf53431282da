package postgres

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// Webhook is a verified request of a provider, as it came.
type Webhook struct {
	TeamID           uuid.UUID
	Channel          omniflow.Channel
	ChannelAccountID uuid.UUID
	Body             []byte
}

// WebhookAccount loads the account a webhook is addressed to, before any team
// is known. A Refusal not_found if there is none of this channel.
func (s *Store) WebhookAccount(ctx context.Context, channel omniflow.Channel, id uuid.UUID) (Account, error) {
	rows, _ := s.pool.Query(ctx, `SELECT `+accountColumns+` FROM channel_accounts WHERE id = $1 AND channel = $2`, id, channel)
	a, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Account])
	return a, oneRow(err, "channel account", id)
}

// ReceiveWebhooks puts webhooks into the inbox in one statement and says of
// each whether it was new: the same bytes for the same account are one
// webhook, however often they come (SYS-03). All are stored, or none.
func (s *Store) ReceiveWebhooks(ctx context.Context, webhooks []Webhook) ([]bool, error) {
	type key struct {
		account uuid.UUID
		event   [sha256.Size]byte
	}
	keys := make([]key, len(webhooks))
	teams, accounts := make([]uuid.UUID, len(webhooks)), make([]uuid.UUID, len(webhooks))
	channels, events, bodies := make([]string, len(webhooks)), make([][]byte, len(webhooks)), make([][]byte, len(webhooks))
	for i, w := range webhooks {
		keys[i] = key{w.ChannelAccountID, sha256.Sum256(w.Body)}
		teams[i], accounts[i], channels[i], events[i], bodies[i] = w.TeamID, w.ChannelAccountID, string(w.Channel), keys[i].event[:], w.Body
	}
	rows, _ := s.pool.Query(ctx, `
INSERT INTO inbox (team_id, channel, channel_account_id, event_key, body)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bytea[], $5::bytea[])
ON CONFLICT (channel_account_id, event_key) DO NOTHING RETURNING channel_account_id, event_key`, teams, channels, accounts, events, bodies)
	stored := make(map[key]bool, len(webhooks))
	var account uuid.UUID
	var event []byte
	_, err := pgx.ForEachRow(rows, []any{&account, &event}, func() error {
		stored[key{account, [sha256.Size]byte(event)}] = true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store %d webhooks: %w", len(webhooks), err)
	}
	fresh := make([]bool, len(webhooks))
	for i, k := range keys {
		fresh[i] = stored[k]
		delete(stored, k) // of two alike in one statement the first is the new one
	}
	return fresh, nil
}
