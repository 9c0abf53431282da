package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// DeadLetter is a row of dead_letters: an event that belonged to nothing.
type DeadLetter struct {
	ID               uuid.UUID
	TeamID           uuid.UUID
	Channel          omniflow.Channel
	ChannelAccountID uuid.UUID
	Reason           string
	Event            json.RawMessage
	CreatedAt        time.Time
	ReplayedAt       *time.Time
}

// ListDeadLetters lists the dead letters of a team, oldest first.
func (s *Store) ListDeadLetters(ctx context.Context, teamID uuid.UUID, page Page) ([]DeadLetter, error) {
	var out []DeadLetter
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `
SELECT id, team_id, channel, channel_account_id, reason, event, created_at, replayed_at
FROM dead_letters WHERE team_id = $1 AND id > $2 ORDER BY id LIMIT $3`, teamID, page.After, page.Limit)
		letters, err := pgx.CollectRows(rows, pgx.RowToStructByName[DeadLetter])
		if err != nil {
			return fmt.Errorf("list dead letters: %w", err)
		}
		out = letters
		return nil
	})
	return out, err
}

// ReplayDeadLetter puts a dead letter back into the inbox, once: envelope makes
// of it a body such as its provider posts. One that was replayed before is
// left alone and returned. Refusal not_found.
func (s *Store) ReplayDeadLetter(ctx context.Context, teamID, id uuid.UUID, by By, envelope func(DeadLetter, Account) ([]byte, error)) (DeadLetter, error) {
	var out DeadLetter
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE dead_letters SET replayed_at = now() WHERE team_id = $1 AND id = $2 AND replayed_at IS NULL`, teamID, id)
		if err != nil {
			return fmt.Errorf("mark dead letter %s: %w", id, err)
		}
		rows, _ := tx.Query(ctx, `
SELECT id, team_id, channel, channel_account_id, reason, event, created_at, replayed_at FROM dead_letters WHERE team_id = $1 AND id = $2`, teamID, id)
		if out, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[DeadLetter]); err != nil {
			return oneRow(err, "dead letter", id)
		}
		if tag.RowsAffected() == 0 {
			return nil
		}
		if err := readmit(ctx, tx, out, envelope); err != nil {
			return err
		}
		return audit(ctx, tx, teamID, by.ActorID, "dead_letter.replay", id.String(), map[string]any{"reason": by.Reason})
	})
	return out, err
}

// readmit puts l into the inbox. Its key is the letter's own, so that the
// bytes of an earlier delivery do not count as this one.
func readmit(ctx context.Context, tx pgx.Tx, l DeadLetter, envelope func(DeadLetter, Account) ([]byte, error)) error {
	rows, _ := tx.Query(ctx, `SELECT `+accountColumns+` FROM channel_accounts WHERE team_id = $1 AND id = $2`, l.TeamID, l.ChannelAccountID)
	a, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Account])
	if err != nil {
		return oneRow(err, "channel account", l.ChannelAccountID)
	}
	body, err := envelope(l, a)
	if err != nil {
		return fmt.Errorf("wrap dead letter %s: %w", l.ID, err)
	}
	key := sha256.Sum256([]byte("replay " + l.ID.String()))
	_, err = tx.Exec(ctx, `
INSERT INTO inbox (team_id, channel, channel_account_id, event_key, body) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		l.TeamID, l.Channel, l.ChannelAccountID, key[:], body)
	if err != nil {
		return fmt.Errorf("replay dead letter %s: %w", l.ID, err)
	}
	return nil
}
