package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"omniflow/internal/omniflow"
)

// autoCloseColumns are those of scanAutoClose.
const autoCloseColumns = `id, name, channels, enabled, duration, grace, reminder, exclude_pinned, quiet_from, quiet_until, version`

func scanAutoClose(row pgx.CollectableRow) (omniflow.AutoCloseRule, error) {
	var r omniflow.AutoCloseRule
	var channels []string
	var from, until pgtype.Time
	err := row.Scan(&r.ID, &r.Name, &channels, &r.Enabled, &r.Duration, &r.Grace, &r.Reminder, &r.ExcludePinned, &from, &until, &r.Version)
	r.Channels = asChannels(channels)
	if from.Valid {
		r.Quiet = &omniflow.QuietHours{From: time.Duration(from.Microseconds) * time.Microsecond, Until: time.Duration(until.Microseconds) * time.Microsecond}
	}
	return r, err
}

func loadAutoClose(ctx context.Context, tx pgx.Tx, teamID, id uuid.UUID) (omniflow.AutoCloseRule, error) {
	rows, _ := tx.Query(ctx, `SELECT `+autoCloseColumns+` FROM auto_close_rules WHERE team_id = $1 AND id = $2`, teamID, id)
	r, err := pgx.CollectExactlyOneRow(rows, scanAutoClose)
	return r, oneRow(err, "auto-close rule", id)
}

// ListAutoClose lists the rules of a team, oldest first.
func (s *Store) ListAutoClose(ctx context.Context, teamID uuid.UUID) ([]omniflow.AutoCloseRule, error) {
	var out []omniflow.AutoCloseRule
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) (err error) {
		out, err = listAutoClose(ctx, tx, teamID)
		return err
	})
	return out, err
}

func listAutoClose(ctx context.Context, tx pgx.Tx, teamID uuid.UUID) ([]omniflow.AutoCloseRule, error) {
	rows, _ := tx.Query(ctx, `SELECT `+autoCloseColumns+` FROM auto_close_rules WHERE team_id = $1 ORDER BY id`, teamID)
	out, err := pgx.CollectRows(rows, scanAutoClose)
	if err != nil {
		return nil, fmt.Errorf("list auto-close rules: %w", err)
	}
	return out, nil
}
