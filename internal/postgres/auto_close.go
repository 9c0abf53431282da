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

// SaveAutoClose stores a rule under its id, new with Version 0, or in place of
// the version that the caller saw. Running timers are computed anew: a run whose
// conversation may end earlier now is told by RecountAutoClose.
//
// Refusals: not_found, auto_close_channel_taken, version_conflict.
func (s *Store) SaveAutoClose(ctx context.Context, teamID uuid.UUID, r omniflow.AutoCloseRule, by By) (omniflow.AutoCloseRule, error) {
	var out omniflow.AutoCloseRule
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		others, err := holdAutoClose(ctx, tx, teamID)
		if err != nil {
			return err
		}
		if no := r.Conflict(others); no != nil {
			return no
		}
		if err := writeAutoClose(ctx, tx, teamID, r); err != nil {
			return err
		}
		if out, err = loadAutoClose(ctx, tx, teamID, r.ID); err != nil {
			return err
		}
		if err := orderRecount(ctx, tx, teamID); err != nil {
			return err
		}
		return audit(ctx, tx, teamID, by.ActorID, "auto_close.save", r.ID.String(), map[string]any{"enabled": r.Enabled, "channels": r.Channels,
			"duration_seconds": r.Duration.Seconds(), "reminder": r.Reminder != "", "exclude_pinned": r.ExcludePinned})
	})
	return out, err
}

// holdAutoClose keeps others from changing the rules of a team meanwhile.
func holdAutoClose(ctx context.Context, tx pgx.Tx, teamID uuid.UUID) ([]omniflow.AutoCloseRule, error) {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('auto_close ' || $1::text, 0))`, teamID); err != nil {
		return nil, fmt.Errorf("hold auto-close rules: %w", err)
	}
	return listAutoClose(ctx, tx, teamID)
}

func writeAutoClose(ctx context.Context, tx pgx.Tx, teamID uuid.UUID, r omniflow.AutoCloseRule) error {
	var from, until *string
	if r.Quiet != nil {
		a, b := r.Quiet.From.String(), r.Quiet.Until.String()
		from, until = &a, &b
	}
	args := []any{r.ID, teamID, r.Name, r.Channels, r.Enabled, r.Duration, r.Grace, r.Reminder, r.ExcludePinned, from, until, r.Version}
	if r.Version == 0 {
		_, err := tx.Exec(ctx, `
INSERT INTO auto_close_rules (id, team_id, name, channels, enabled, duration, grace, reminder, exclude_pinned, quiet_from, quiet_until, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, ('00:00'::time + $10::text::interval), ('00:00'::time + $11::text::interval), $12 + 1) ON CONFLICT (id) DO NOTHING`, args...)
		if err != nil {
			return fmt.Errorf("create auto-close rule: %w", err)
		}
		return nil
	}
	tag, err := tx.Exec(ctx, `
UPDATE auto_close_rules SET name = $3, channels = $4, enabled = $5, duration = $6, grace = $7, reminder = $8, exclude_pinned = $9,
  quiet_from = ('00:00'::time + $10::text::interval), quiet_until = ('00:00'::time + $11::text::interval), version = version + 1
WHERE id = $1 AND team_id = $2 AND version = $12`, args...)
	if err != nil {
		return fmt.Errorf("save auto-close rule: %w", err)
	}
	if tag.RowsAffected() == 1 {
		return nil
	}
	if _, err := loadAutoClose(ctx, tx, teamID, r.ID); err != nil {
		return err
	}
	return omniflow.Refuse(omniflow.VersionConflict, "SYS-04", "you gave version %d, which the rule is not at: read it again", r.Version)
}

// DeleteAutoClose deletes a rule; what it would have ended stays open. Refusal
// not_found.
func (s *Store) DeleteAutoClose(ctx context.Context, teamID, id uuid.UUID, by By) error {
	return s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `DELETE FROM auto_close_rules WHERE team_id = $1 AND id = $2`, teamID, id)
		if err != nil {
			return fmt.Errorf("delete auto-close rule %s: %w", id, err)
		}
		if tag.RowsAffected() == 0 {
			return omniflow.Refuse(omniflow.NotFound, "SYS-13", "there is no auto-close rule with this id")
		}
		return audit(ctx, tx, teamID, by.ActorID, "auto_close.delete", id.String(), map[string]any{})
	})
}
