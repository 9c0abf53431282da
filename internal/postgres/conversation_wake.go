package postgres

import (
	"context"
	"fmt"
	"time"

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
// nothing more to do, so no change is missed between its look and its sleep.
func wakeConversation(ctx context.Context, tx pgx.Tx, ref omniflow.ConversationRef, at time.Time) error {
	_, err := wakeNow(ctx, tx, ref, at)
	return err
}

// wakeNow is wakeConversation; it returns the promised signal, so that who is
// in a hurry delivers it by himself once the transaction is committed. None:
// the run is about to look.
func wakeNow(ctx context.Context, tx pgx.Tx, ref omniflow.ConversationRef, at time.Time) (*Signal, error) {
	tag, err := tx.Exec(ctx, `
		UPDATE conversations SET armed_until = now()
		WHERE id = $1 AND (armed_until IS NULL OR armed_until > GREATEST($2, now()))`, ref.ConversationID, orNull(at))
	if err != nil {
		return nil, fmt.Errorf("wake conversation %s: %w", ref.ConversationID, err)
	}
	if tag.RowsAffected() == 0 {
		return nil, nil
	}
	return newSignal(ctx, tx, ref.TeamID, ref.ConversationID, omniflow.ServeConversationRun, omniflow.ServeConversationID(ref.TeamID, ref.ConversationID), ref, "conversation")
}
