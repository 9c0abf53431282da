package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// LoadSurvey loads the survey that a team sends after an ending, or a Refusal
// not_found.
func (s *Store) LoadSurvey(ctx context.Context, teamID uuid.UUID) (omniflow.Survey, error) {
	var out omniflow.Survey
	var channels []string
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `SELECT survey_text, survey_channels FROM teams WHERE team_id = $1`, teamID).Scan(&out.Text, &channels)
		return oneRow(err, "team", teamID)
	})
	out.Channels = asChannels(channels)
	return out, err
}

// SaveSurvey stores it; endings from now on have it.
func (s *Store) SaveSurvey(ctx context.Context, teamID uuid.UUID, v omniflow.Survey, by By) error {
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE teams SET survey_text = $2, survey_channels = $3 WHERE team_id = $1`, teamID, v.Text, append([]omniflow.Channel{}, v.Channels...))
		if err != nil {
			return err
		}
		return audit(ctx, tx, teamID, by.ActorID, "team.survey", teamID.String(), map[string]any{"on": v.Text != "", "channels": v.Channels})
	})
	if err != nil {
		return fmt.Errorf("save survey of team %s: %w", teamID, err)
	}
	return nil
}
