package postgres

import (
	"context"
	"fmt"
)

// purges drop what has served its time. Providers repeat a webhook for up to
// 7 days, so the inbox remembers 8.
var purges = []string{
	`DELETE FROM inbox WHERE processed_at < now() - interval '8 days'`,
	`DELETE FROM outbox WHERE started_at < now() - interval '8 days'`,
	`DELETE FROM outbox_signals WHERE delivered_at < now() - interval '8 days'`,
	`DELETE FROM group_events WHERE stored_at < now() - interval '8 days'`,
	// A webhook that nobody came to meet belongs to nothing.
	`WITH unmet AS (
	   DELETE FROM group_rendezvous WHERE met_at < now() - interval '2 days' RETURNING *
	 ) INSERT INTO dead_letters (id, team_id, channel, channel_account_id, reason, event)
	 SELECT uuid_v7(now(), row_number() OVER ()), team_id, 'whatsapp', channel_account_id, 'request_unknown',
	   convert_from(decode(event ->> 'raw', 'base64'), 'UTF8')::jsonb FROM unmet WHERE ours IS NULL AND event IS NOT NULL`,
	`DELETE FROM webhook_evidence WHERE second < now() - interval '8 days'`,
	`DELETE FROM delivery_doubts WHERE stored_at < now() - interval '8 days'`,
	`DELETE FROM idempotency_keys WHERE created_at < now() - interval '8 days'`,
	`DELETE FROM notifications WHERE created_at < now() - interval '30 days'
	   AND (read_at < now() - interval '30 days' OR created_at < now() - interval '90 days')`,
}

// Purge drops what has served its time.
func (s *Store) Purge(ctx context.Context) error {
	for _, sql := range purges {
		if _, err := s.pool.Exec(ctx, sql); err != nil {
			return fmt.Errorf("purge: %w", err)
		}
	}
	return nil
}
