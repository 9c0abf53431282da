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
SELECT id, created_at, actor_id, action, object, COALESCE(detail ->> 'reason', '') AS reason, detail - 'reason' AS detail FROM audit_log
WHERE team_id = $1 AND ($2 = '' OR object = $2) AND id < $3 ORDER BY id DESC LIMIT $4`, teamID, object, page.After, page.Limit)
		if out, err = pgx.CollectRows(rows, pgx.RowToStructByName[AuditEntry]); err != nil {
			return fmt.Errorf("list audit log: %w", err)
		}
		return nil
	})
	return out, err
}
