package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// MachineKey is a row of machine_keys: a program acts as a member with it.
type MachineKey struct {
	ID       uuid.UUID
	TeamID   uuid.UUID
	MemberID uuid.UUID
	Name     string
	SHA256   []byte // of the key; the key itself is kept nowhere
}

// CreateMachineKey stores k. The same id again replaces the digest: the first
// key was never shown to anybody. A member of another team is not_found.
func (s *Store) CreateMachineKey(ctx context.Context, k MachineKey) error {
	return s.inTeam(ctx, k.TeamID, func(tx pgx.Tx) error {
		if _, err := loadMember(ctx, tx, k.TeamID, k.MemberID); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
INSERT INTO machine_keys (id, team_id, member_id, name, key_sha256) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO UPDATE SET key_sha256 = excluded.key_sha256 WHERE machine_keys.team_id = excluded.team_id`,
			k.ID, k.TeamID, k.MemberID, k.Name, k.SHA256)
		if err != nil {
			return fmt.Errorf("create machine key %s: %w", k.ID, err)
		}
		return nil
	})
}

// FindMachineKey finds the team and member of a key that is not revoked by its
// digest, before any team is known. A Refusal not_found if there is none.
func (s *Store) FindMachineKey(ctx context.Context, sha256 []byte) (teamID, memberID uuid.UUID, err error) {
	err = s.pool.QueryRow(ctx, `
SELECT team_id, member_id FROM machine_keys WHERE key_sha256 = $1 AND revoked_at IS NULL`, sha256).Scan(&teamID, &memberID)
	return teamID, memberID, oneRow(err, "machine key", uuid.Nil)
}
