package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// markSeen says that a member has read everything there is (UNR-02, UNR-05).
func markSeen(ctx context.Context, tx pgx.Tx, teamID, id, memberID uuid.UUID) error {
	_, err := tx.Exec(ctx, `
INSERT INTO conversation_reads AS r (conversation_id, member_id, team_id, seen)
SELECT c.id, $3, c.team_id, c.customer_messages FROM conversations c WHERE c.team_id = $1 AND c.id = $2
ON CONFLICT (conversation_id, member_id) DO UPDATE SET seen = GREATEST(r.seen, excluded.seen)`, teamID, id, memberID)
	if err != nil {
		return fmt.Errorf("mark conversation %s seen: %w", id, err)
	}
	return nil
}

// markSeenByAll says that nobody need read any more what there is: somebody
// replied to it (UNR-03).
func markSeenByAll(ctx context.Context, tx pgx.Tx, teamID, id uuid.UUID) error {
	_, err := tx.Exec(ctx, `UPDATE conversations SET seen_by_all = customer_messages WHERE team_id = $1 AND id = $2 AND seen_by_all < customer_messages`, teamID, id)
	if err != nil {
		return fmt.Errorf("mark conversation %s seen by all: %w", id, err)
	}
	return nil
}

// replySeen notes in the transaction of an agent's reply that it was read: in a
// collaboration by the sender alone (UNR-05), else by everybody (UNR-02, UNR-03).
func replySeen(ctx context.Context, tx pgx.Tx, c conversationRow, senderID uuid.UUID) error {
	if c.Collaborators {
		return markSeen(ctx, tx, c.TeamID, c.ID, senderID)
	}
	return markSeenByAll(ctx, tx, c.TeamID, c.ID)
}

// ViewConversation notes that a member looks at a conversation. Only what is
// under "my" is read by that (UNR-02, UNR-05); in team events and pending
// viewing changes nobody's count (UNR-03, UNR-06, D-UNR-1).
//
// Refusals: not_found; permission_denied for who may not see it.
func (s *Store) ViewConversation(ctx context.Context, teamID, id, memberID uuid.UUID) error {
	return s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		c, in, err := holdFor(ctx, tx, teamID, id, memberID)
		if err != nil {
			return err
		}
		if no := in.Sighting().Sees(); no != nil {
			return no
		}
		if !omniflow.ViewingReads(c.State, in.Relation) {
			return nil
		}
		return markSeen(ctx, tx, teamID, id, memberID)
	})
}
