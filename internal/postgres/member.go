package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// Member is a row of members.
type Member struct {
	ID        uuid.UUID
	TeamID    uuid.UUID
	Name      string
	Email     string
	Role      omniflow.Role
	Store     string
	Region    string
	State     omniflow.MemberState
	CreatedAt time.Time
}

const memberColumns = `id, team_id, name, email, role, store, region, state, created_at`

// CreateMember stores m under m.ID and returns it as stored; one that is there
// under this id is left alone and returned.
func (s *Store) CreateMember(ctx context.Context, m Member) (Member, error) {
	var out Member
	err := s.inTeam(ctx, m.TeamID, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
INSERT INTO members (id, team_id, name, email, role, store, region) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING`,
			m.ID, m.TeamID, m.Name, m.Email, m.Role, m.Store, m.Region)
		if err != nil {
			return fmt.Errorf("create member %s: %w", m.ID, err)
		}
		out, err = loadMember(ctx, tx, m.TeamID, m.ID)
		return err
	})
	return out, err
}

// LoadMember loads one member of a team, or a Refusal not_found.
func (s *Store) LoadMember(ctx context.Context, teamID, id uuid.UUID) (Member, error) {
	var out Member
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) (err error) {
		out, err = loadMember(ctx, tx, teamID, id)
		return err
	})
	return out, err
}

func loadMember(ctx context.Context, tx pgx.Tx, teamID, id uuid.UUID) (Member, error) {
	rows, _ := tx.Query(ctx, `SELECT `+memberColumns+` FROM members WHERE team_id = $1 AND id = $2`, teamID, id)
	m, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Member])
	return m, oneRow(err, "member", id)
}

// ListMembers lists members in the order in which they were made.
func (s *Store) ListMembers(ctx context.Context, teamID uuid.UUID, page Page) ([]Member, error) {
	var out []Member
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `SELECT `+memberColumns+` FROM members WHERE team_id = $1 AND id > $2 ORDER BY id LIMIT $3`,
			teamID, page.After, page.Limit)
		members, err := pgx.CollectRows(rows, pgx.RowToStructByName[Member])
		if err != nil {
			return fmt.Errorf("list members: %w", err)
		}
		out = members
		return nil
	})
	return out, err
}

// LoadActor loads what rules need of the member in whose name a request comes:
// role and state now, whatever its token said. A Refusal not_found if the team
// has no such member.
func (s *Store) LoadActor(ctx context.Context, teamID, memberID uuid.UUID) (omniflow.Actor, error) {
	var a omniflow.Actor
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `
SELECT m.role, m.state, t.plan FROM members m JOIN teams t USING (team_id) WHERE m.team_id = $1 AND m.id = $2`,
			teamID, memberID).Scan(&a.Role, &a.State, &a.Plan)
		return oneRow(err, "member", memberID)
	})
	return a, err
}
