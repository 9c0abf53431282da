package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// SavedReply is a row of saved_replies.
type SavedReply struct {
	ID        uuid.UUID
	TeamID    uuid.UUID
	MemberID  uuid.UUID // the author
	CreatedAt time.Time
	omniflow.SavedReplyDraft
}

const replyColumns = `id, team_id, member_id, created_at, topic, kind, audience, roles, stores, contents, module`

func scanReply(row pgx.CollectableRow) (r SavedReply, err error) {
	err = row.Scan(&r.ID, &r.TeamID, &r.MemberID, &r.CreatedAt, &r.Topic, &r.Kind, &r.Audience, &r.Roles, &r.Stores, &r.Contents, &r.Module)
	return r, err
}

// CreateSavedReply stores r under r.ID; one that is there under this id is
// left alone. It returns what is stored.
func (s *Store) CreateSavedReply(ctx context.Context, r SavedReply) (SavedReply, error) {
	var out SavedReply
	err := s.inTeam(ctx, r.TeamID, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
INSERT INTO saved_replies (id, team_id, member_id, topic, kind, audience, roles, stores, contents, module)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING`,
			r.ID, r.TeamID, r.MemberID, r.Topic, r.Kind, r.Audience, append([]omniflow.Role{}, r.Roles...), append([]string{}, r.Stores...),
			append([]omniflow.Content{}, r.Contents...), r.Module)
		if err != nil {
			return fmt.Errorf("create saved reply %s: %w", r.ID, err)
		}
		out, err = findReply(ctx, tx, r.TeamID, r.ID)
		return err
	})
	return out, err
}

// FindSavedReply loads a saved reply of a team, or a Refusal not_found.
func (s *Store) FindSavedReply(ctx context.Context, teamID, id uuid.UUID) (SavedReply, error) {
	var out SavedReply
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) (err error) {
		out, err = findReply(ctx, tx, teamID, id)
		return err
	})
	return out, err
}

func findReply(ctx context.Context, tx pgx.Tx, teamID, id uuid.UUID) (SavedReply, error) {
	rows, _ := tx.Query(ctx, `SELECT `+replyColumns+` FROM saved_replies WHERE team_id = $1 AND id = $2`, teamID, id)
	r, err := pgx.CollectExactlyOneRow(rows, scanReply)
	return r, oneRow(err, "saved reply", id)
}

// ListSavedReplies lists, newest first, the saved replies that apply to a
// member (RPL-03): the same rule as omniflow.SavedReplyDraft.Visible.
func (s *Store) ListSavedReplies(ctx context.Context, teamID uuid.UUID, m omniflow.ReplyMember, p Page) ([]SavedReply, error) {
	var out []SavedReply
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `
SELECT `+replyColumns+` FROM saved_replies WHERE team_id = $1 AND ($2 = '00000000-0000-0000-0000-000000000000'::uuid OR id < $2)
  AND (audience = 'all_members' OR audience = 'only_myself' AND member_id = $3 OR audience = 'given_roles' AND $4 = ANY(roles)
    OR audience = 'given_stores' AND $5 <> '' AND $5 = ANY(stores))
ORDER BY id DESC LIMIT $6`, teamID, p.After, m.ID, m.Role, m.Store, p.Limit)
		replies, err := pgx.CollectRows(rows, scanReply)
		out = replies
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list saved replies: %w", err)
	}
	return out, nil
}

// DeleteSavedReply deletes a saved reply; broadcasts that used it keep what
// they froze. A Refusal not_found if there is none.
func (s *Store) DeleteSavedReply(ctx context.Context, teamID, id uuid.UUID) error {
	return s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `DELETE FROM saved_replies WHERE team_id = $1 AND id = $2`, teamID, id)
		if err != nil {
			return fmt.Errorf("delete saved reply %s: %w", id, err)
		}
		if tag.RowsAffected() == 0 {
			return omniflow.Refuse(omniflow.NotFound, "SYS-13", "no such saved reply")
		}
		return nil
	})
}
