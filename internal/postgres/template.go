package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// Template is a row of templates: a WhatsApp message template of one business account.
type Template struct {
	ID         uuid.UUID
	TeamID     uuid.UUID
	WABAID     string `db:"waba_id"`
	Name       string
	Language   string
	BodyParams int
	State      string               // approved, or Meta's word for why not
	Components []string             `db:"-"` // its buttons: URL, PHONE_NUMBER, QUICK_REPLY, FLOW (GRP-25)
	Header     omniflow.MessageKind // the file at its head: image, video, file, or "" for none
}

// SaveTemplate stores t and returns it as stored; one with the same business
// account, name and language is updated and keeps its id.
func (s *Store) SaveTemplate(ctx context.Context, t Template) (Template, error) {
	err := s.inTeam(ctx, t.TeamID, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `
INSERT INTO templates (id, team_id, waba_id, name, language, body_params, state, components, header)
VALUES ($1, $2, $3, $4, $5, $6, $7, COALESCE($8::text[], '{}'), $9)
ON CONFLICT (team_id, waba_id, name, language) DO UPDATE SET body_params = excluded.body_params, state = excluded.state,
  components = excluded.components, header = excluded.header
RETURNING id`, t.ID, t.TeamID, t.WABAID, t.Name, t.Language, t.BodyParams, t.State, t.Components, t.Header).Scan(&t.ID)
		if err != nil {
			return fmt.Errorf("save template %s: %w", t.ID, err)
		}
		return nil
	})
	return t, err
}
