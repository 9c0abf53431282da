package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// LinkCount is what one broadcast of one member sent in a time.
type LinkCount struct {
	MemberID      uuid.UUID
	BroadcastID   uuid.UUID
	Messages      int // bubbles at customers (BRD-14)
	OfficialLinks int // in their texts, to the team's site (BRD-15)
	OtherLinks    int
}

// CountLinks counts, by broadcast, what was sent from one time up to another,
// from the rows of the ledger: one that was sent again after a fault is one row
// and counts once, one that failed counts nothing.
func (s *Store) CountLinks(ctx context.Context, teamID uuid.UUID, from, to time.Time) ([]LinkCount, error) {
	var out []LinkCount
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `
SELECT b.actor_id AS member_id, b.id AS broadcast_id, sum(m.pieces)::integer AS messages,
  sum(k.official_links)::integer AS official_links, sum(k.other_links)::integer AS other_links
FROM broadcasts b JOIN messages m ON m.broadcast_id = b.id JOIN contents k ON k.id = m.content_id
WHERE b.team_id = $1 AND b.planned_at < $3 AND (b.finished_at IS NULL OR b.finished_at >= $2)
  AND m.state IN ('sent', 'received', 'read')
  AND COALESCE(m.sent_at, m.attempted_at) >= $2 AND COALESCE(m.sent_at, m.attempted_at) < $3
GROUP BY 1, 2 ORDER BY 1, 2`, teamID, from, to)
		counts, err := pgx.CollectRows(rows, pgx.RowToStructByName[LinkCount])
		out = counts
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count links: %w", err)
	}
	return out, nil
}

// SetSiteDomains sets the domains of the team's own site; links counted before
// keep their kind.
func (s *Store) SetSiteDomains(ctx context.Context, teamID uuid.UUID, domains []string) error {
	return s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		var id uuid.UUID
		err := tx.QueryRow(ctx, `UPDATE teams SET site_domains = $2 WHERE team_id = $1 RETURNING team_id`, teamID, append([]string{}, domains...)).Scan(&id)
		return oneRow(err, "team", teamID)
	})
}
