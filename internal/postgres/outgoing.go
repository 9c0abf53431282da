package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// outgoingRow is one message with what decides whether it may leave now.
type outgoingRow struct {
	ID, TeamID, ChannelAccountID, ConversationID, ContentID uuid.UUID
	State, Code, Recipient                                  string
	Attempt, Tries                                          int
	AttemptedAt, DueAt                                      *time.Time
	Channel, Account                                        string
	Contents                                                []omniflow.Content
	ReconcileAfter, GiveUpAfter                             time.Duration
	OnUnknown                                               omniflow.UnknownPolicy
	ToGroup                                                 bool
	GroupState                                              *omniflow.GroupState
	GroupSuspended, GroupDeleted                            bool
	Behind                                                  bool // an earlier message of the conversation is not settled
	Now                                                     time.Time
	AttemptKey                                              *uuid.UUID // LINE: of the call that carries it
	said
}

const outgoingSelect = `
SELECT m.id, m.team_id, m.channel_account_id, m.conversation_id, m.content_id, m.state::text, COALESCE(m.code, '') AS code, m.recipient, m.attempt, m.tries,
  m.attempted_at, m.due_at, a.channel, a.state AS account, k.body AS contents, t.reconcile_after, t.give_up_after, t.on_unknown,
  g.id IS NOT NULL AS to_group, g.state AS group_state, COALESCE(g.suspended_at IS NOT NULL, false) AS group_suspended,
  COALESCE(g.deleted_at IS NOT NULL, false) AS group_deleted,
  CASE WHEN x.message_id IS NULL
    THEN EXISTS (SELECT FROM messages e WHERE e.conversation_id = m.conversation_id AND e.id < m.id AND e.state IN ('queued', 'sending'))
    ELSE EXISTS (SELECT FROM conversation_messages y JOIN messages e ON e.id = y.message_id WHERE y.conversation_id = x.conversation_id AND y.done_at IS NULL
      AND y.place < x.place AND y.sender_id IS NOT DISTINCT FROM x.sender_id AND e.state IN ('queued', 'sending')) END AS behind,
  now() AS now, m.attempt_key, COALESCE(x.origin, '') AS origin, x.sender_id, COALESCE(x.quoted_id, '') AS quoted_id, COALESCE(x.place, 0) AS place
FROM messages m JOIN channel_accounts a ON a.id = m.channel_account_id JOIN contents k ON k.id = m.content_id JOIN teams t ON t.team_id = m.team_id
LEFT JOIN groups g ON g.id = m.conversation_id
LEFT JOIN conversation_messages x ON x.message_id = m.id
WHERE m.team_id = $1 AND m.id = $2`

func lockOutgoing(ctx context.Context, tx pgx.Tx, ref omniflow.MessageRef) (outgoingRow, error) {
	rows, _ := tx.Query(ctx, outgoingSelect+` FOR UPDATE OF m`, ref.TeamID, ref.MessageID)
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[outgoingRow])
	return r, oneRow(err, "message", ref.MessageID)
}

func (r outgoingRow) status() omniflow.MessageStatus {
	return omniflow.MessageStatus{State: omniflow.MessageState(r.State), Code: omniflow.Code(r.Code), DueAt: orZero(r.DueAt)}
}

// group is the group that the message goes to, nil: to one customer.
func (r outgoingRow) group() *omniflow.Group {
	if !r.ToGroup {
		return nil
	}
	return &omniflow.Group{State: *r.GroupState, Suspended: r.GroupSuspended, Deleted: r.GroupDeleted}
}

// stoppedPause is how long a message of a stopped account waits before it
// looks again by itself; an operator has to act first (sendWaiting).
const stoppedPause = 10 * time.Minute

// ClaimMessage takes one message outside every broadcast for sending and
// commits before it returns; nil when it may not leave now, with the reason in
// the status. One that is found in sending was left there by a process that
// died: its outcome is unknown, and it is never sent again unproven. Messages
// of one conversation leave in order.
func (s *Store) ClaimMessage(ctx context.Context, ref omniflow.MessageRef) (*omniflow.OutgoingMessage, omniflow.MessageStatus, error) {
	var out *omniflow.OutgoingMessage
	var st omniflow.MessageStatus
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		r, err := lockOutgoing(ctx, tx, ref)
		if err != nil {
			return err
		}
		st = r.status()
		if err := r.lookAgain(ctx, tx); err != nil {
			return err
		}
		verdict, err := r.verdict(ctx, tx)
		if err != nil {
			return err
		}
		switch again := r.again(); {
		case st.State == omniflow.Sending && !again:
			st = omniflow.MessageStatus{State: omniflow.Unknown, Code: omniflow.OutcomeUnknown, DueAt: orZero(r.AttemptedAt).Add(r.ReconcileAfter)}
			return setMessage(ctx, tx, ref.MessageID, st)
		case st.State != omniflow.Queued && !again || st.DueAt.After(r.Now):
			return nil
		case verdict.Code != "" && !again:
			st = verdict
			return setMessage(ctx, tx, ref.MessageID, st)
		case r.Account != "active":
			st.State, st.Code, st.DueAt = omniflow.Queued, omniflow.AccountStopped, r.Now.Add(stoppedPause)
			return setMessage(ctx, tx, ref.MessageID, st)
		case r.Behind:
			st.State, st.DueAt = omniflow.Queued, r.Now.Add(time.Second)
			return setMessage(ctx, tx, ref.MessageID, st)
		}
		out, err = claimOutgoing(ctx, tx, r)
		st.State = omniflow.Sending
		return err
	})
	if err != nil {
		return nil, st, fmt.Errorf("claim message %s: %w", ref.MessageID, err)
	}
	return out, st, nil
}

// lookAgain waits for who is about to resume a stopped account, and keeps it
// stopped until the claim is committed: a message that is put off is seen by
// whoever resumes the account afterwards.
func (r *outgoingRow) lookAgain(ctx context.Context, tx pgx.Tx) error {
	if r.Account == "active" {
		return nil
	}
	err := tx.QueryRow(ctx, `SELECT state FROM channel_accounts WHERE id = $1 FOR SHARE`, r.ChannelAccountID).Scan(&r.Account)
	if err != nil {
		return fmt.Errorf("hold channel account %s: %w", r.ChannelAccountID, err)
	}
	return nil
}

func setMessage(ctx context.Context, tx pgx.Tx, id uuid.UUID, st omniflow.MessageStatus) error {
	_, err := tx.Exec(ctx, `UPDATE messages SET state = $2::message_state, code = NULLIF($3, ''), due_at = $4 WHERE id = $1`,
		id, string(st.State), string(st.Code), orNull(st.DueAt))
	return err
}

func claimOutgoing(ctx context.Context, tx pgx.Tx, r outgoingRow) (*omniflow.OutgoingMessage, error) {
	out := &omniflow.OutgoingMessage{TeamID: r.TeamID, ChannelAccountID: r.ChannelAccountID, Channel: omniflow.Channel(r.Channel), Contents: r.Contents,
		ToGroup: r.ToGroup, Origin: r.Origin, QuotedID: r.QuotedID, ReconcileAfter: r.ReconcileAfter,
		ClaimedMessage: omniflow.ClaimedMessage{ID: r.ID, ConversationID: r.ConversationID, ContentID: r.ContentID, Recipient: r.Recipient, Tries: r.Tries,
			Again: r.again()}}
	if err := r.fill(ctx, tx, out); err != nil {
		return nil, err
	}
	if r.ToGroup {
		if err := expectReceipts(ctx, tx, r); err != nil {
			return nil, err
		}
	}
	// Of one that was accepted, failed and is sent again, the trace moves to those of earlier attempts.
	err := tx.QueryRow(ctx, `
		WITH before AS (
		  INSERT INTO attempts (message_id, team_id, attempt, http_status, latency_ms, at, provider_id, trace)
		  SELECT id, team_id, attempt, http_status, latency_ms, sent_at, COALESCE(provider_id, ''), COALESCE(trace, '') FROM messages WHERE id = $1 AND http_status IS NOT NULL
		)
		UPDATE messages SET state = 'sending', code = NULL, due_at = NULL, attempt = attempt + 1, attempted_at = now(),
		  attempt_key = CASE WHEN $2 THEN COALESCE(attempt_key, $3) END, http_status = NULL, latency_ms = NULL, trace = NULL WHERE id = $1
		RETURNING attempt, attempted_at, COALESCE(attempt_key, '00000000-0000-0000-0000-000000000000')`, r.ID, sentTwiceIsOnce(omniflow.Channel(r.Channel)), newID()).
		Scan(&out.Attempt, &out.AttemptedAt, &out.RetryKey)
	return out, err
}

// MessageStatus reads where a message stands. DueAt is zero once it is due: by
// the database's clock, whatever that of who asks says.
func (s *Store) MessageStatus(ctx context.Context, ref omniflow.MessageRef) (omniflow.MessageStatus, error) {
	var st omniflow.MessageStatus
	var due *time.Time
	err := s.pool.QueryRow(ctx, `SELECT state::text, COALESCE(code, ''), CASE WHEN due_at > now() THEN due_at END, channel_account_id FROM messages WHERE team_id = $1 AND id = $2`, ref.TeamID, ref.MessageID).
		Scan(&st.State, &st.Code, &due, &st.ChannelAccountID)
	st.DueAt = orZero(due)
	return st, oneRow(err, "message", ref.MessageID)
}

// PostponeMessage lets a message that waits to be sent wait until at, a time of
// the caller's clock: so long from the database's.
func (s *Store) PostponeMessage(ctx context.Context, ref omniflow.MessageRef, at time.Time, code omniflow.Code) error {
	_, err := s.pool.Exec(ctx, `UPDATE messages SET due_at = now() + $3::interval, code = NULLIF($4, '') WHERE team_id = $1 AND id = $2 AND state = 'queued'`,
		ref.TeamID, ref.MessageID, time.Until(at), string(code))
	if err != nil {
		return fmt.Errorf("postpone message %s: %w", ref.MessageID, err)
	}
	return nil
}

// ReconcileMessage decides a message whose outcome is unknown and due, as
// ReconcileLane does those of a lane.
func (s *Store) ReconcileMessage(ctx context.Context, ref omniflow.MessageRef) (omniflow.MessageStatus, error) {
	var st omniflow.MessageStatus
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		r, err := lockOutgoing(ctx, tx, ref)
		if err != nil {
			return err
		}
		st = r.status()
		if st.State != omniflow.Unknown || st.DueAt.After(r.Now) {
			return nil
		}
		proven, err := provenAbsent(ctx, tx, r)
		if err != nil {
			return err
		}
		if st = r.decide(proven); st.State == omniflow.Queued {
			st, err = r.inOrder(ctx, tx, st, proven)
			if err != nil {
				return err
			}
		}
		return setMessage(ctx, tx, ref.MessageID, st)
	})
	if err != nil {
		return st, fmt.Errorf("reconcile message %s: %w", ref.MessageID, err)
	}
	return st, nil
}

// provenAbsent says that webhooks about enough later messages of the account
// have come, everything that came in time has been read, and none was about
// this one.
func provenAbsent(ctx context.Context, tx pgx.Tx, r outgoingRow) (bool, error) {
	var proven bool
	err := tx.QueryRow(ctx, `
		SELECT (SELECT COALESCE(sum(e.confirmed), 0) FROM webhook_evidence e WHERE e.channel_account_id = $1 AND e.second > $2) >= $3
		  AND NOT EXISTS (SELECT FROM inbox i WHERE i.processed_at IS NULL AND i.channel_account_id = $1 AND i.received_at <= $2 + $4::interval)
		  AND NOT EXISTS (SELECT FROM delivery_doubts d WHERE d.conversation_id = $5 AND d.at >= $2 - interval '5 seconds')`,
		r.ChannelAccountID, r.AttemptedAt, proofMessages, r.ReconcileAfter, r.ConversationID).Scan(&proven)
	return proven, err
}

// decide is the policy of design section 4 for one unknown message.
func (r outgoingRow) decide(proven bool) omniflow.MessageStatus {
	age := r.Now.Sub(orZero(r.AttemptedAt))
	late, over := age >= r.ReconcileAfter, age >= r.GiveUpAfter
	switch {
	case r.OnUnknown == omniflow.Fail && late, over:
		return omniflow.MessageStatus{State: omniflow.Failed, Code: omniflow.OutcomeUnknown}
	case late && (proven || r.OnUnknown == omniflow.Resend):
		return omniflow.MessageStatus{State: omniflow.Queued, Code: omniflow.NotHandedOver}
	}
	pause := min(r.ReconcileAfter, max(2*time.Second, age/4))
	return omniflow.MessageStatus{State: omniflow.Unknown, Code: omniflow.OutcomeUnknown, DueAt: r.Now.Add(pause)}
}
