package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// GroupSettings are what a team has set for its WhatsApp groups.
type GroupSettings struct {
	GroupReviewTimeout time.Duration
	InvitationTimeout  time.Duration
	RemovalTimeout     time.Duration
	InviteTemplate     string
	InviteLanguage     string
	ApproveInvited     bool
}

// LoadGroupSettings loads the settings of a team, or a Refusal not_found.
func (s *Store) LoadGroupSettings(ctx context.Context, teamID uuid.UUID) (GroupSettings, error) {
	var out GroupSettings
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, `
SELECT group_review_timeout, invitation_timeout, removal_timeout, invite_template, invite_language, approve_invited FROM teams WHERE team_id = $1`, teamID)
		out, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[GroupSettings])
		return oneRow(err, "team", teamID)
	})
	return out, err
}

// SaveGroupSettings stores the settings of a team; waits that run already keep
// their end. It is entered in the audit log.
func (s *Store) SaveGroupSettings(ctx context.Context, teamID uuid.UUID, g GroupSettings, by By) error {
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
UPDATE teams SET group_review_timeout = $2, invitation_timeout = $3, removal_timeout = $4, invite_template = $5, invite_language = $6, approve_invited = $7
WHERE team_id = $1`, teamID, g.GroupReviewTimeout, g.InvitationTimeout, g.RemovalTimeout, g.InviteTemplate, g.InviteLanguage, g.ApproveInvited)
		if err != nil {
			return err
		}
		return audit(ctx, tx, teamID, by.ActorID, "team.group_settings", teamID.String(), map[string]any{
			"review_seconds": g.GroupReviewTimeout.Seconds(), "invitation_seconds": g.InvitationTimeout.Seconds(),
			"removal_seconds": g.RemovalTimeout.Seconds(), "invite_template": g.InviteTemplate, "approve_invited": g.ApproveInvited})
	})
	if err != nil {
		return fmt.Errorf("save group settings of team %s: %w", teamID, err)
	}
	return nil
}

// GroupTemplate says what buttons an approved template of the account's
// business account has, and how many parameters its body takes. Refusal
// not_found; State tells when it may not be sent.
func (s *Store) GroupTemplate(ctx context.Context, teamID, accountID uuid.UUID, name, language string) (Template, error) {
	var out Template
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `
SELECT t.id, t.waba_id, t.body_params, t.state, t.components, t.header FROM templates t JOIN channel_accounts a ON a.team_id = t.team_id AND a.waba_id = t.waba_id
WHERE t.team_id = $1 AND a.id = $2 AND t.name = $3 AND t.language = $4`, teamID, accountID, name, language).
			Scan(&out.ID, &out.WABAID, &out.BodyParams, &out.State, &out.Components, &out.Header)
		return oneRow(err, "template", uuid.Nil)
	})
	out.TeamID, out.Name, out.Language = teamID, name, language
	return out, err
}
