package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// stepWrite is a permitted step of a conversation that the transaction holds.
type stepWrite struct {
	conversationStep
	From, To      omniflow.ConversationState
	Former, Next  *uuid.UUID // follower
	Collaborators bool
}

// commit stores the step with its log, notifications and audit.
func (w stepWrite) commit(ctx context.Context, tx pgx.Tx) error {
	if err := w.write(ctx, tx); err != nil {
		return err
	}
	if err := w.log(ctx, tx); err != nil {
		return err
	}
	if err := w.notify(ctx, tx); err != nil {
		return err
	}
	return audit(ctx, tx, w.TeamID, w.ActorID, "conversation."+string(w.Event), w.ConversationID.String(),
		map[string]any{"from": w.From, "to": w.To, "follower": w.Next, "reason": w.Reason})
}

// write stores the step, with what begins or ends by it: the former follower's
// place (D-COL-4), the wait (closing ends it; out of the bot its level is shown
// at once, D-WTG-2), pins (PIN-03, D-PIN-1), the unread count of who follows
// (D-UNR-1). A reopened conversation closes itself only after the next human
// reply (section 18): one that left before counts no more, though its outcome
// is learned later.
func (w stepWrite) write(ctx context.Context, tx pgx.Tx) error {
	if w.Collaborators && w.Next != nil && w.Former != nil && *w.Next != *w.Former {
		_, err := tx.Exec(ctx, `UPDATE collaborators SET member_id = $3 WHERE conversation_id = $1 AND member_id = $2`, w.ConversationID, *w.Next, *w.Former)
		if err != nil {
			return fmt.Errorf("swap collaborator: %w", err)
		}
	}
	var since *time.Time
	var now time.Time
	err := tx.QueryRow(ctx, `
UPDATE conversations SET state = $3, follower_id = $4, version = version + 1,
  followed_at = CASE WHEN $4::uuid IS NULL THEN NULL WHEN follower_id IS DISTINCT FROM $4 OR followed_at IS NULL THEN now() ELSE followed_at END,
  closed_at = CASE WHEN $3 = 'closed' THEN now() END,
  waiting_since = CASE WHEN $3 = 'closed' THEN NULL ELSE waiting_since END,
  reminded_at = CASE WHEN state = $3 THEN reminded_at END,
  close_from = CASE WHEN state = 'closed' THEN now() ELSE close_from END,
  last_human_reply_at = CASE WHEN state = 'closed' THEN NULL ELSE last_human_reply_at END
WHERE team_id = $1 AND id = $2 RETURNING waiting_since, now()`,
		w.TeamID, w.ConversationID, string(w.To), w.Next).Scan(&since, &now)
	if err != nil {
		return fmt.Errorf("write step: %w", err)
	}
	if w.From == omniflow.Closed {
		_, err := tx.Exec(ctx, `
UPDATE conversation_messages x SET replied = true FROM messages m
WHERE x.conversation_id = $1 AND x.origin = 'agent' AND NOT x.replied AND m.id = x.message_id AND m.state <> 'queued'`, w.ConversationID)
		if err != nil {
			return fmt.Errorf("leave earlier replies out: %w", err)
		}
	}
	level, _ := omniflow.WaitingLevelOf(w.To, orZero(since), now)
	if _, err = tx.Exec(ctx, `UPDATE conversations SET waiting_level = $2 WHERE id = $1 AND waiting_level <> $2`,
		w.ConversationID, int16(level)); err != nil {
		return fmt.Errorf("show waiting level: %w", err)
	}
	if err := dropPins(ctx, tx, w.TeamID, w.ConversationID); err != nil {
		return err
	}
	if w.Event == omniflow.Follow || w.Event == omniflow.TakeOver {
		if err := markSeen(ctx, tx, w.TeamID, w.ConversationID, w.ActorID); err != nil {
			return err
		}
	}
	return wakeConversation(ctx, tx, omniflow.ConversationRef{TeamID: w.TeamID, ConversationID: w.ConversationID}, time.Time{})
}

// moveTexts are the log entry and the system message of each step (section 15;
// D-NTF-2 gives one-to-one conversations and groups the same). Who follows a
// conversation that nobody followed takes it over from nobody.
var moveTexts = map[omniflow.Event][2]omniflow.TextKey{
	omniflow.CreateWhatsApp: {omniflow.TextSystemFollower, ""},
	omniflow.Follow:         {omniflow.TextSystemFollower, omniflow.TextSystemFollower},
	omniflow.TakeOver:       {omniflow.TextLogTakenOver, omniflow.TextSystemFollower},
	omniflow.Transfer:       {omniflow.TextLogTransferred, omniflow.TextSystemFollower},
	omniflow.End:            {omniflow.TextLogEnded, ""},
	omniflow.AutoClose:      {omniflow.TextLogEnded, ""}, // D-CLS-5
	omniflow.Reopen:         {omniflow.TextLogReopened, ""},
}

// log writes the entry of the step and its system message.
func (w stepWrite) log(ctx context.Context, tx pgx.Tx) error {
	texts := moveTexts[w.Event]
	detail := map[string]any{"from": w.From, "to": w.To}
	if w.ActorID != uuid.Nil {
		detail["actor"], detail["m1"] = w.ActorID, w.ActorID
	}
	if w.Next != nil {
		detail["follower"] = *w.Next
	}
	switch {
	case w.Event == omniflow.Transfer:
		detail["receiver"], detail["m1"] = w.ReceiverID, w.ReceiverID
	case w.Event == omniflow.Follow && w.Former != nil:
		texts[0] = omniflow.TextLogTakenOver // a group is taken over by following it
		detail["former"] = *w.Former
	case w.Event == omniflow.TakeOver && w.Former != nil:
		detail["former"] = *w.Former
	case w.Event == omniflow.TakeOver: // of what nobody followed, by D-WAC-1
		texts[0] = omniflow.TextSystemFollower
	}
	entry := logEntry{TeamID: w.TeamID, ConversationID: w.ConversationID, ActionID: w.ActionID, Event: string(w.Event), TextKey: texts[0],
		ActorID: w.ActorID, Detail: detail}
	if err := logConversation(ctx, tx, entry); err != nil || texts[1] == "" {
		return err
	}
	entry.Kind, entry.TextKey = "system", texts[1]
	return logConversation(ctx, tx, entry)
}
