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
	`DELETE FROM webhook_evidence WHERE second < now() - interval '8 days'`,
	`DELETE FROM delivery_doubts WHERE stored_at < now() - interval '8 days'`,
	`DELETE FROM idempotency_keys WHERE created_at < now() - interval '8 days'`,
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
