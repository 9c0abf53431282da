package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// AuditEntry is who did what, and why.
type AuditEntry struct {
	ID        uuid.UUID
	CreatedAt time.Time
	ActorID   *uuid.UUID // nil: the system or the platform
	ActorName string
	Action    string
	Object    string
	Reason    string
	Detail    json.RawMessage
}

// ListAudit lists the audit log of a team, newest first; object "" is all of it.
func (s *Store) ListAudit(ctx context.Context, teamID uuid.UUID, object string, page Page) ([]AuditEntry, error) {
	if page.After == uuid.Nil {
		page.After = uuid.Max
	}
	var out []AuditEntry
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, `
SELECT l.id, l.created_at, actor_id, COALESCE(m.name, '') AS actor_name, action, object, COALESCE(detail ->> 'reason', '') AS reason, detail - 'reason' AS detail
FROM audit_log l LEFT JOIN members m ON m.team_id = l.team_id AND m.id = l.actor_id
WHERE l.team_id = $1 AND ($2 = '' OR object = $2) AND l.id < $3 ORDER BY l.id DESC LIMIT $4`, teamID, object, page.After, page.Limit)
		if out, err = pgx.CollectRows(rows, pgx.RowToStructByName[AuditEntry]); err != nil {
			return fmt.Errorf("list audit log: %w", err)
		}
		return nil
	})
	return out, err
}
