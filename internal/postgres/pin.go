package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// dropPins removes the pins that a step ends: all of a conversation that is not
// handled, else those of who is no participant any more (PIN-03, D-PIN-1).
func dropPins(ctx context.Context, tx pgx.Tx, teamID, id uuid.UUID) error {
	tag, err := tx.Exec(ctx, `
DELETE FROM conversation_pins p USING conversations c
WHERE p.team_id = $1 AND p.conversation_id = $2 AND c.id = $2 AND (c.state <> 'handling' OR p.member_id IS DISTINCT FROM c.follower_id
  AND NOT EXISTS (SELECT FROM collaborators k WHERE k.conversation_id = $2 AND k.member_id = p.member_id))`, teamID, id)
	if err != nil {
		return fmt.Errorf("drop pins: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	return unpinned(ctx, tx, teamID, id)
}

// unpinned gives a conversation that auto-close left alone because it was
// pinned the full duration again (D-CLS-3).
func unpinned(ctx context.Context, tx pgx.Tx, teamID, id uuid.UUID) error {
	_, err := tx.Exec(ctx, `
UPDATE conversations c SET close_from = now(), reminded_at = NULL
WHERE c.team_id = $1 AND c.id = $2 AND c.state = 'handling' AND NOT EXISTS (SELECT FROM conversation_pins p WHERE p.conversation_id = c.id)
  AND EXISTS (SELECT FROM auto_close_rules r WHERE r.team_id = c.team_id AND r.enabled AND r.exclude_pinned AND c.channel = ANY (r.channels))`, teamID, id)
	if err != nil {
		return fmt.Errorf("restart duration: %w", err)
	}
	return nil
}

// SetPin pins a conversation of "my handling" for a member, or takes the pin
// away (PIN-01, PIN-04). Doing either twice changes nothing.
//
// Refusals: not_found, permission_denied, pin_not_allowed.
func (s *Store) SetPin(ctx context.Context, teamID, id, memberID uuid.UUID, pin bool) error {
	return s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		c, in, err := holdFor(ctx, tx, teamID, id, memberID)
		if err != nil {
			return err
		}
		if no := omniflow.PermitPin(in.Sighting()); no != nil {
			return no
		}
		statement := `INSERT INTO conversation_pins (conversation_id, member_id, team_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`
		if !pin {
			statement = `DELETE FROM conversation_pins WHERE conversation_id = $1 AND member_id = $2 AND team_id = $3`
		}
		tag, err := tx.Exec(ctx, statement, id, memberID, teamID)
		if err != nil {
			return fmt.Errorf("pin conversation %s: %w", id, err)
		}
		if tag.RowsAffected() == 0 {
			return nil
		}
		if pin {
			return nil // its deadline only becomes later
		}
		if err := unpinned(ctx, tx, teamID, id); err != nil {
			return err
		}
		return wakeConversation(ctx, tx, c.ref(), time.Time{})
	})
}
