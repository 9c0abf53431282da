package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// DueQuotas takes up to n active accounts of a channel whose quota was not
// read for an hour. Each is due again after five minutes, or after an hour
// when SaveQuota was called: several workers share the work.
func (s *Store) DueQuotas(ctx context.Context, ch omniflow.Channel, n int) ([]omniflow.AccountRef, error) {
	rows, err := s.pool.Query(ctx, `
		UPDATE channel_accounts SET quota_due_at = now() + interval '5 minutes' WHERE id IN (
		  SELECT id FROM channel_accounts WHERE channel = $1 AND state = 'active' AND quota_due_at <= now()
		  ORDER BY quota_due_at LIMIT $2 FOR UPDATE SKIP LOCKED)
		RETURNING team_id, id`, string(ch), n)
	if err != nil {
		return nil, fmt.Errorf("take due quotas: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[omniflow.AccountRef])
}

// SaveQuota keeps a quota as its provider told it.
func (s *Store) SaveQuota(ctx context.Context, a omniflow.AccountRef, q omniflow.Quota) error {
	var limit *int
	if q.Limited {
		limit = &q.Limit
	}
	_, err := s.pool.Exec(ctx, `
		UPDATE channel_accounts SET quota_limit = $3, quota_used = $4, quota_read_at = $5, quota_due_at = now() + interval '1 hour'
		WHERE team_id = $1 AND id = $2`, a.TeamID, a.ChannelAccountID, limit, q.Used, q.ReadAt)
	if err != nil {
		return fmt.Errorf("save quota of account %s: %w", a.ChannelAccountID, err)
	}
	return nil
}

// quotaOf reads a quota back; nil if it was never read.
func quotaOf(ctx context.Context, tx pgx.Tx, teamID, accountID uuid.UUID) (*omniflow.Quota, error) {
	rows, _ := tx.Query(ctx, `
SELECT quota_limit IS NOT NULL AS limited, COALESCE(quota_limit, 0) AS limit, COALESCE(quota_used, 0) AS used, quota_read_at AS read_at
FROM channel_accounts WHERE team_id = $1 AND id = $2 AND quota_read_at IS NOT NULL`, teamID, accountID)
	quotas, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[omniflow.Quota])
	if err != nil || len(quotas) == 0 {
		return nil, err
	}
	return quotas[0], nil
}
