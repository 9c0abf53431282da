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
		  CASE WHEN closed_until > now() THEN extract(epoch FROM closed_until - now()) ELSE 0 END::float8 AS closed,
		  CASE WHEN bulk_tat > now() THEN extract(epoch FROM bulk_tat - now()) ELSE 0 END::float8 AS booked, l.reason
		FROM limiters l JOIN channel_accounts a ON a.id = l.channel_account_id`)
	if err != nil {
		return nil, fmt.Errorf("list limits: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[LimitView])
}

// Backlog is what waits, of all teams together.
type Backlog struct {
	Inbox           int     // webhook requests not relayed
	InboxSeconds    float64 // age of the oldest
	Outbox          int     // promised starts not made
	OutboxSeconds   float64
	Signals         int // promised signals to runs not delivered
	SignalsSeconds  float64
	Unknown         int     // messages handed over without an answer
	UnknownSeconds  float64 // since the oldest was
	Undecided       int     // of these, an hour after their team's give_up_after: nobody decides them
	StoppedAccounts int     // channel accounts that take nothing until somebody acts
}

// Backlog counts what waits, for metrics.
func (s *Store) Backlog(ctx context.Context) (Backlog, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT i.n AS inbox, i.age AS inbox_seconds, o.n AS outbox, o.age AS outbox_seconds, s.n AS signals, s.age AS signals_seconds,
		  u.n AS unknown, u.age AS unknown_seconds, u.undecided, a.n AS stopped_accounts
		FROM (SELECT count(*) AS n, COALESCE(extract(epoch FROM now() - min(received_at)), 0)::float8 AS age FROM inbox WHERE processed_at IS NULL) i,
		     (SELECT count(*) AS n, COALESCE(extract(epoch FROM now() - min(created_at)), 0)::float8 AS age FROM outbox WHERE started_at IS NULL) o,
		     (SELECT count(*) AS n, COALESCE(extract(epoch FROM now() - min(created_at)), 0)::float8 AS age FROM outbox_signals WHERE delivered_at IS NULL) s,
		     (SELECT count(*) AS n, COALESCE(extract(epoch FROM now() - min(m.attempted_at)), 0)::float8 AS age,
		        count(*) FILTER (WHERE m.attempted_at < now() - t.give_up_after - interval '1 hour') AS undecided
		      FROM messages m JOIN teams t USING (team_id) WHERE m.due_at IS NOT NULL AND m.state = 'unknown') u,
		     (SELECT count(*) AS n FROM channel_accounts WHERE state = 'stopped') a`)
	if err != nil {
		return Backlog{}, fmt.Errorf("count what waits: %w", err)
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Backlog])
}
