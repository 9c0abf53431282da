package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// wakeConversation makes sure that the run of a conversation looks at the
// database at the given time or earlier; zero means now. It promises a signal
// only if the run would sleep longer, or if there is none: what a customer
// writes costs no event of the engine unless a deadline becomes earlier.
//
// armed_until is when the run looks by itself; at or before now, it is about to
// look, or a signal is under way. A run sets it in the transaction that finds
// nothing more to do. The caller holds the conversation, so no change is missed
// between its look and its sleep.
func wakeConversation(ctx context.Context, tx pgx.Tx, ref omniflow.ConversationRef, at time.Time) error {
	_, err := wakeNow(ctx, tx, ref, at)
	return err
}

// wakeNow is wakeConversation; it returns the promised signal, so that who is
// in a hurry delivers it by himself once the transaction is committed. None:
// the run is about to look.
func wakeNow(ctx context.Context, tx pgx.Tx, ref omniflow.ConversationRef, at time.Time) (*Signal, error) {
	in := omniflow.ServeConversationInput{ConversationRef: ref}
	err := tx.QueryRow(ctx, `
		UPDATE conversations SET armed_until = now()
		WHERE id = $1 AND (armed_until IS NULL OR armed_until > GREATEST($2, now())) RETURNING channel`, ref.ConversationID, orNull(at)).Scan(&in.Channel)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("wake conversation %s: %w", ref.ConversationID, err)
	}
	return newSignal(ctx, tx, ref.TeamID, ref.ConversationID, omniflow.ServeConversationRun, omniflow.ServeConversationID(ref.TeamID, ref.ConversationID), in,
		"conversation on "+string(in.Channel))
}

// servedMessagesOf are messages of one conversation that webhooks have settled.
type servedMessagesOf struct {
	omniflow.ConversationRef
	Messages []uuid.UUID
}

// servedBy finds the conversations whose run has something to do with what
// webhooks said: an unknown outcome was learned, or one that was given up had
// come through after all.
func servedBy(ctx context.Context, tx pgx.Tx, statuses []omniflow.Status) ([]servedMessagesOf, error) {
	if len(statuses) == 0 {
		return nil, nil
	}
	ids := make([]uuid.UUID, len(statuses))
	for i, s := range statuses {
		ids[i] = s.MessageID
	}
	rows, _ := tx.Query(ctx, `
		SELECT x.team_id, x.conversation_id, array_agg(DISTINCT x.message_id) AS messages
		FROM unnest($1::uuid[]) AS i(id) JOIN conversation_messages x ON x.message_id = i.id JOIN messages m ON m.id = i.id
		WHERE x.done_at IS NULL OR x.origin = 'agent' AND NOT x.replied AND m.state IN ('sent', 'received', 'read')
		GROUP BY 1, 2`, ids)
	served, err := pgx.CollectRows(rows, pgx.RowToStructByName[servedMessagesOf])
	if err != nil {
		return nil, fmt.Errorf("find conversations of statuses: %w", err)
	}
	return served, nil
}

// wakeServed tells the runs of those conversations, which are held.
func wakeServed(ctx context.Context, tx pgx.Tx, served []servedMessagesOf) error {
	for _, c := range served {
		if err := wakeConversation(ctx, tx, c.ConversationRef, time.Time{}); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE conversation_messages SET done_at = NULL WHERE message_id = ANY ($1) AND done_at IS NOT NULL`, c.Messages); err != nil {
			return fmt.Errorf("look at a message again: %w", err)
		}
	}
	return nil
}
