package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// said is what a ledger row of a conversation has beside it.
type said struct {
	Origin   omniflow.Origin // "": the row is of no conversation
	SenderID *uuid.UUID
	QuotedID string
	Place    int64
}

// again says that the row's call may have been taken, under a key that LINE
// knows: the same call under the same key is safe, and the only way to learn.
func (r outgoingRow) again() bool {
	return r.AttemptKey != nil && (r.State == string(omniflow.Queued) || r.State == string(omniflow.Sending))
}

// sentTwiceIsOnce says whether the same call may be made twice on ch: under LINE's
// retry key, and on web chat, where the ledger itself is the hand-over.
func sentTwiceIsOnce(ch omniflow.Channel) bool { return ch == omniflow.LINE || ch == omniflow.Webchat }

// verdict is why the message may never leave, failed or skipped, or nothing. It
// holds the conversation's state until the claim is committed.
func (r outgoingRow) verdict(ctx context.Context, tx pgx.Tx) (omniflow.MessageStatus, error) {
	if r.Origin == "" || r.State != string(omniflow.Queued) {
		return omniflow.MessageStatus{}, nil
	}
	d := omniflow.Departing{Origin: r.Origin, Group: r.group(), Reply: omniflow.Reply{Channel: omniflow.Channel(r.Channel)}}
	var flags []string
	var sender uuid.UUID
	if r.SenderID != nil {
		sender = *r.SenderID
	}
	var held uuid.UUID
	err := tx.QueryRow(ctx, `SELECT id FROM conversations WHERE id = $1 FOR SHARE`, r.ConversationID).Scan(&held)
	if err != nil {
		return omniflow.MessageStatus{}, fmt.Errorf("hold conversation %s: %w", r.ConversationID, err)
	}
	err = tx.QueryRow(ctx, `
SELECT c.state, c.waiting_since IS NOT NULL, c.last_customer_message_at, COALESCE(i.blocked_at IS NOT NULL, false), t.flags,
  COALESCE(c.follower_id = $2, false), c.follower_id IS NOT NULL, COALESCE(m.role, ''), COALESCE(m.state, ''),
  EXISTS (SELECT FROM collaborators k WHERE k.conversation_id = c.id AND k.member_id = $2), EXISTS (SELECT FROM collaborators k WHERE k.conversation_id = c.id),
  EXISTS (SELECT FROM contact_bindings b WHERE b.contact_id = c.contact_id),
  CASE $3 WHEN 'reminder' THEN c.reminded_at IS NULL OR EXISTS (SELECT FROM conversation_messages y JOIN messages e ON e.id = y.message_id
    WHERE y.conversation_id = c.id AND y.place > $4 AND y.origin = 'agent' AND e.state NOT IN ('failed', 'skipped', 'cancelled'))
    WHEN 'survey' THEN EXISTS (SELECT FROM conversation_messages y WHERE y.conversation_id = c.id AND y.origin = 'survey'
      AND (y.message_id = $5 AND y.created_at < c.closed_at OR y.place > $4)) ELSE false END
FROM conversations c JOIN teams t ON t.team_id = c.team_id LEFT JOIN channel_identities i ON i.id = c.channel_identity_id LEFT JOIN members m ON m.id = $2
WHERE c.id = $1`, r.ConversationID, sender, string(r.Origin), r.Place, r.ID).
		Scan(&d.State, &d.Waiting, &d.LastCustomerAt, &d.Blocked, &flags, &d.Relation.Follower, &d.Followed, &d.Actor.Role, &d.Actor.State,
			&d.Relation.Collaborator, &d.Collaborators, &d.Bound, &d.Stale)
	if err != nil {
		return omniflow.MessageStatus{}, fmt.Errorf("look at conversation %s: %w", r.ConversationID, err)
	}
	d.ParticipantsOnly = slices.Contains(flags, string(omniflow.CollaborationEnabled))
	return d.Verdict(r.Contents, r.Now), nil
}

// fill puts the customer's name of now into a claimed message of a
// conversation, at its first attempt and never again, for a name may look like
// the variable: what is stored is what was said (D-VAR-1).
func (r outgoingRow) fill(ctx context.Context, tx pgx.Tx, out *omniflow.OutgoingMessage) error {
	if r.Origin == "" || r.Attempt > 0 || !omniflow.PersonalContents(r.Contents) {
		return nil
	}
	var name string
	err := tx.QueryRow(ctx, `SELECT COALESCE(k.name, '') FROM conversations c LEFT JOIN contacts k ON k.id = c.contact_id WHERE c.id = $1`, r.ConversationID).Scan(&name)
	if err != nil {
		return fmt.Errorf("load name for message %s: %w", r.ID, err)
	}
	out.Contents = omniflow.FillContents(r.Contents, name)
	if _, err := tx.Exec(ctx, `UPDATE contents SET body = $2 WHERE id = $1`, r.ContentID, out.Contents); err != nil {
		return fmt.Errorf("store what message %s says: %w", r.ID, err)
	}
	return nil
}

// inOrder keeps a message that surely never left from being sent behind what
// its sender has said since: then it failed, and the sender decides (D-MSG-1).
func (r outgoingRow) inOrder(ctx context.Context, tx pgx.Tx, st omniflow.MessageStatus, proven bool) (omniflow.MessageStatus, error) {
	if r.Origin == "" {
		return st, nil
	}
	var overtaken bool
	err := tx.QueryRow(ctx, `
SELECT EXISTS (SELECT FROM conversation_messages y JOIN messages e ON e.id = y.message_id
  WHERE y.conversation_id = $1 AND y.place > $2 AND y.sender_id IS NOT DISTINCT FROM $3 AND e.attempted_at IS NOT NULL)`,
		r.ConversationID, r.Place, r.SenderID).Scan(&overtaken)
	if err != nil || !overtaken {
		return st, err
	}
	st.State, st.Code = omniflow.Failed, omniflow.OutcomeUnknown
	if proven {
		st.Code = omniflow.NotHandedOver
	}
	return st, nil
}
