package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// LimitView is one limiter for people who watch: rates per second, times in
// seconds from now.
type LimitView struct {
	Channel          omniflow.Channel
	ChannelAccountID uuid.UUID
	Name             string
	Limit            float64
	Rate             float64
	Closed           float64
	Booked           float64
	Reason           string
}

// Limits lists every limiter of every team, for metrics.
func (s *Store) Limits(ctx context.Context) ([]LimitView, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT a.channel, a.id AS channel_account_id, l.name, l.limit_per_second AS limit, `+rateNow+` AS rate,
		  GREATEST(0, extract(epoch FROM closed_until - now()))::float8 AS closed,
		  GREATEST(0, extract(epoch FROM bulk_tat - now()))::float8 AS booked, l.reason
		FROM limiters l JOIN channel_accounts a ON a.id = l.channel_account_id`)
	if err != nil {
		return nil, fmt.Errorf("list limits: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[LimitView])
}
