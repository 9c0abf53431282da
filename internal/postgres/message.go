package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"omniflow/internal/omniflow"
)

// The claims move due rows of a slice from queued to sending, or to skipped
// where a check refuses them, in one statement. Each is put together from the
// same pieces. Rows are updated by their place on the page: one that somebody
// changed meanwhile is left to the next pass.
const (
	// claimGate says whether the lane gives anything to this fence ($6).
	claimGate = `
WITH gate AS MATERIALIZED (
  SELECT l.control, a.state AS account, EXISTS (
    SELECT FROM broadcast_slices s
    WHERE s.broadcast_id = $1 AND s.channel_account_id = $2 AND s.from_seq = $3 AND s.fence = $6) AS mine
  FROM broadcast_lanes l JOIN channel_accounts a ON a.id = l.channel_account_id
  WHERE l.broadcast_id = $1 AND l.channel_account_id = $2
)`
	// claimPicked is up to $7 rows from seq $5 on that no call has carried yet.
	claimPicked = claimGate + `, picked AS (
  SELECT m.ctid, m.conversation_id, m.content_id, m.seq FROM messages m
  WHERE (SELECT control = 'running' AND account = 'active' AND mine FROM gate)
    AND m.broadcast_id = $1 AND m.channel_account_id = $2 AND m.seq >= $5 AND m.seq < $4
    AND m.state = 'queued' AND m.attempt_key IS NULL AND (m.due_at IS NULL OR m.due_at <= now())
    AND (m.ordinal = 1 OR (
      SELECT p.state IN ('sent', 'received', 'read') FROM messages p
      WHERE p.broadcast_id = $1 AND p.channel_account_id = $2 AND p.seq = m.seq - 1 LIMIT 1))
  ORDER BY m.seq LIMIT $7::integer
)`
	// claimJudged checks them again (D-SYS-00). $11 checks that the customer is
	// still bound, and not that the conversation is still handled (BRD-11).
	claimJudged = `, judged AS MATERIALIZED (
  SELECT k.ctid, CASE
      WHEN i.blocked_at IS NOT NULL THEN 'customer_blocked'
      WHEN $11 AND NOT EXISTS (SELECT FROM contact_bindings b WHERE b.member_id = $8 AND b.contact_id = c.contact_id) THEN 'no_longer_bound'
      WHEN NOT $11 AND (c.state <> 'handling' OR c.follower_id IS DISTINCT FROM $8) THEN 'no_longer_handling'
      WHEN $9::interval > interval '0' AND COALESCE(c.last_customer_message_at, '-infinity') < now() - $9::interval THEN $10
    END AS verdict`
	claimJudgedFrom = `
  FROM picked k JOIN conversations c ON c.id = k.conversation_id
  JOIN channel_identities i ON i.id = c.channel_identity_id
`
	// claimTaken takes those that passed, under the key that stands before it.
	claimTaken = `), claimed AS (
  UPDATE messages m SET
    state = CASE WHEN j.verdict IS NULL THEN 'sending' ELSE 'skipped' END::message_state,
    code = j.verdict, due_at = NULL, fence = $6,
    attempt = m.attempt + CASE WHEN j.verdict IS NULL THEN 1 ELSE 0 END,
    attempted_at = CASE WHEN j.verdict IS NULL THEN now() ELSE m.attempted_at END`
	claimReturned = `
  FROM judged j WHERE m.ctid = j.ctid AND m.state = 'queued' AND m.attempt_key IS NULL AND (m.due_at IS NULL OR m.due_at <= now())
  RETURNING false AS again, ` + claimColumns + `
)` + claimResult
	claimColumns = `m.id, m.seq, m.state::text, m.conversation_id, m.content_id, m.recipient, m.attempt_key, m.attempt, m.tries, m.attempted_at, m.personal`
	claimResult  = `
SELECT g.control, g.account, g.mine, c.* FROM gate g LEFT JOIN claimed c ON true ORDER BY c.seq`

	// claimPlain is for channels without retry keys.
	claimPlain = claimPicked + claimJudged + claimJudgedFrom + claimTaken + claimReturned
	// claimPush gives each row a key of its own.
	claimPush = claimPicked + claimJudged + `, uuid_v7(clock_timestamp(), row_number() OVER ()) AS fresh_key` + claimJudgedFrom +
		claimTaken + `, attempt_key = CASE WHEN j.verdict IS NULL THEN j.fresh_key END` + claimReturned
	// claimChunk takes rows of one content for one call, under the key $12.
	claimChunk = claimPicked + claimJudged + claimJudgedFrom + `  WHERE k.content_id = (SELECT content_id FROM picked ORDER BY seq LIMIT 1)
` + claimTaken + `, attempt_key = CASE WHEN j.verdict IS NULL THEN $12::uuid END` + claimReturned

	// claimAgain takes rows that carry a retry key: a call that was perhaps
	// accepted goes again whole and unchecked, even in a cancelled lane: what is
	// under way is finished (SYS-10). $5 is how many calls.
	claimAgain = claimGate + `, again AS (
  SELECT m.attempt_key FROM messages m
  WHERE (SELECT control IN ('running', 'cancelled') AND account = 'active' AND mine FROM gate)
    AND m.broadcast_id = $1 AND m.channel_account_id = $2 AND m.seq >= $3 AND m.seq < $4
    AND m.state = 'queued' AND m.attempt_key IS NOT NULL AND (m.due_at IS NULL OR m.due_at <= now())
  ORDER BY m.seq LIMIT $5::integer
), claimed AS (
  UPDATE messages m SET state = 'sending', code = NULL, due_at = NULL, attempt = m.attempt + 1, attempted_at = now(), fence = $6
  WHERE EXISTS (SELECT FROM again) AND m.broadcast_id = $1 AND m.channel_account_id = $2 AND m.seq >= $3 AND m.seq < $4
    AND m.state = 'queued' AND m.attempt_key = ANY (ARRAY(SELECT attempt_key FROM again))
  RETURNING true AS again, ` + claimColumns + `
)` + claimResult
)

// ClaimMessages takes up to c.Max due rows of a slice for sending. It commits
// before it returns: whoever crashes now leaves them in sending, and the next
// attempt of the slice finds them there. What was perhaps accepted under a
// retry key is looked for when c.Cursor is at the slice's beginning, before any
// fresh row: who got such rows asks again from there.
func (s *Store) ClaimMessages(ctx context.Context, c omniflow.Claim) (omniflow.Claimed, error) {
	multicast := c.RetryKey != uuid.Nil
	if (c.Push || multicast) && c.Cursor <= c.From {
		calls := c.Max
		if multicast {
			calls = 1
		}
		out, err := s.claim(ctx, claimAgain, c.BroadcastID, c.ChannelAccountID, c.From, c.To, calls, c.Fence)
		if err != nil || out.Last >= 0 || out.Held != "" {
			return out, err
		}
	}
	if c.Finish {
		return omniflow.Claimed{Last: -1, Held: omniflow.HeldHours}, nil
	}
	args := []any{c.BroadcastID, c.ChannelAccountID, c.From, c.To, c.Cursor, c.Fence, c.Max, c.ActorID, c.Window, string(c.WindowCode), c.Bound}
	switch {
	case c.Push:
		return s.claim(ctx, claimPush, args...)
	case multicast:
		return s.claim(ctx, claimChunk, append(args, c.RetryKey)...)
	}
	return s.claim(ctx, claimPlain, args...)
}

// claim runs one of the claims.
func (s *Store) claim(ctx context.Context, statement string, args ...any) (omniflow.Claimed, error) {
	rows, err := s.pool.Query(ctx, statement, args...)
	if err != nil {
		return omniflow.Claimed{}, fmt.Errorf("claim messages: %w", err)
	}
	defer rows.Close()
	out := omniflow.Claimed{Last: -1}
	var row claimedRow
	for rows.Next() {
		if err := row.scan(rows, &out); err != nil {
			return omniflow.Claimed{}, fmt.Errorf("read claimed message: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return omniflow.Claimed{}, fmt.Errorf("claim messages: %w", err)
	}
	return out, nil
}

// claimedRow is one row of a claim, in pgx's own types: these it reads
// without reflection, and a send reads one row a message.
type claimedRow struct {
	control, account               string
	mine                           bool
	again                          pgtype.Bool
	id, conversation, content, key pgtype.UUID
	seq                            pgtype.Int4
	attempt, tries                 pgtype.Int2
	state, recipient, name         pgtype.Text
	at                             pgtype.Timestamptz
}

// scan reads the row and adds it to out.
func (c *claimedRow) scan(rows pgx.Rows, out *omniflow.Claimed) error {
	err := rows.Scan(&c.control, &c.account, &c.mine, &c.again, &c.id, &c.seq, &c.state, &c.conversation, &c.content,
		&c.recipient, &c.key, &c.attempt, &c.tries, &c.at, &c.name)
	if err != nil {
		return err
	}
	if !c.id.Valid {
		out.Held = held(omniflow.Control(c.control), c.account, c.mine)
		return nil
	}
	out.Last = max(out.Last, int(c.seq.Int32))
	if omniflow.MessageState(c.state.String) == omniflow.Skipped {
		out.Skipped++
		return nil
	}
	out.Messages = append(out.Messages, omniflow.ClaimedMessage{ID: c.id.Bytes, Seq: int(c.seq.Int32),
		ConversationID: c.conversation.Bytes, ContentID: c.content.Bytes, Recipient: c.recipient.String, Name: c.name.String,
		Attempt: int(c.attempt.Int16), Tries: int(c.tries.Int16), AttemptedAt: c.at.Time,
		RetryKey: c.key.Bytes, Again: c.key.Valid && c.again.Bool})
	return nil
}

// held says why a lane gives nothing; "" when it is open.
func held(control omniflow.Control, account string, mine bool) omniflow.Code {
	switch {
	case !mine:
		return omniflow.FenceLost
	case control == omniflow.ControlCancelled:
		return omniflow.HeldCancelled
	case control == omniflow.Paused:
		return omniflow.HeldPaused
	case control == omniflow.Stopped:
		return omniflow.HeldStopped
	case account != "active":
		return omniflow.HeldAccount
	}
	return ""
}
