package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// Team is a row of teams.
type Team struct {
	TeamID         uuid.UUID
	Name           string
	Plan           omniflow.Plan
	Flags          []string
	Timezone       string
	OnUnknown      omniflow.UnknownPolicy
	ReconcileAfter time.Duration
	GiveUpAfter    time.Duration
	// StopFailurePercent of a lane's last outcomes may fail before it stops; 0 is stored as the default.
	StopFailurePercent int
	CreatedAt          time.Time
}

const teamColumns = `team_id, name, plan, flags, timezone, on_unknown, reconcile_after, give_up_after, stop_failure_percent, created_at`

// CreateTeam stores t under t.TeamID and returns it as stored. A team that is
// already there under this id is left alone and returned.
func (s *Store) CreateTeam(ctx context.Context, t Team) (Team, error) {
	var out Team
	err := s.inTeam(ctx, t.TeamID, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
INSERT INTO teams (team_id, name, plan, flags, timezone, on_unknown, reconcile_after, give_up_after, stop_failure_percent)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (team_id) DO NOTHING`,
			t.TeamID, t.Name, t.Plan, t.Flags, t.Timezone, t.OnUnknown, t.ReconcileAfter, t.GiveUpAfter,
			cmp.Or(t.StopFailurePercent, omniflow.DefaultStopFailurePercent))
		if err != nil {
			return fmt.Errorf("create team %s: %w", t.TeamID, err)
		}
		out, err = loadTeam(ctx, tx, t.TeamID)
		return err
	})
	return out, err
}

// LoadTeam loads one team, or a Refusal not_found.
func (s *Store) LoadTeam(ctx context.Context, teamID uuid.UUID) (Team, error) {
	var out Team
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) (err error) {
		out, err = loadTeam(ctx, tx, teamID)
		return err
	})
	return out, err
}

func loadTeam(ctx context.Context, tx pgx.Tx, teamID uuid.UUID) (Team, error) {
	rows, _ := tx.Query(ctx, `SELECT `+teamColumns+` FROM teams WHERE team_id = $1`, teamID)
	t, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Team])
	return t, oneRow(err, "team", teamID)
}

// oneRow turns the absence of a row into a Refusal not_found: what belongs to
// another team does not exist either (SYS-13).
func oneRow(err error, noun string, id uuid.UUID) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pgx.ErrNoRows):
		return omniflow.Refuse(omniflow.NotFound, "SYS-13", "there is no %s with this id", noun)
	}
	return fmt.Errorf("load %s %s: %w", noun, id, err)
}

// Page asks for a part of a list: at most Limit items with an id after After
// (or before it, where a list shows the newest first).
type Page struct {
	After uuid.UUID
	Limit int
}
