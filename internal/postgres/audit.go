package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// By says in whose name, and in whose words why, something is done. The zero
// ActorID is the platform.
type By struct {
	ActorID uuid.UUID
	Reason  string
}

// audit enters in the audit log, in the transaction of the deed, that
// actorID (zero: the system) did action to object.
func audit(ctx context.Context, tx pgx.Tx, teamID, actorID uuid.UUID, action, object string, detail map[string]any) error {
	var actor *uuid.UUID
	if actorID != uuid.Nil {
		actor = &actorID
	}
	_, err := tx.Exec(ctx, `
INSERT INTO audit_log (id, team_id, actor_id, action, object, detail) VALUES ($1, $2, $3, $4, $5, $6)`,
		newID(), teamID, actor, action, object, detail)
	if err != nil {
		return fmt.Errorf("write audit log: %w", err)
	}
	return nil
}
