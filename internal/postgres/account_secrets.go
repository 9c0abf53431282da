package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// SetAccountSecrets replaces the sealed secrets of a channel account, and lets
// it send again if a stop code had stopped it. Workers use the new ones
// within ten seconds. Refusal not_found: the team has no such account.
func (s *Store) SetAccountSecrets(ctx context.Context, teamID, id uuid.UUID, sealed []byte, by By) error {
	return s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		var found uuid.UUID
		err := tx.QueryRow(ctx, `
			UPDATE channel_accounts SET secrets = $3, state = 'active', stop_code = '', stopped_at = NULL
			WHERE team_id = $1 AND id = $2 RETURNING id`, teamID, id, sealed).Scan(&found)
		if err != nil {
			return oneRow(err, "channel account", id)
		}
		if err := sendWaiting(ctx, tx, teamID, id); err != nil {
			return err
		}
		return audit(ctx, tx, teamID, by.ActorID, "account.secrets", id.String(), map[string]any{"reason": by.Reason})
	})
}
