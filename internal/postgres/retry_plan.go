package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// behindFailed is a row that was skipped for an earlier one of the same
// recipient, m, that failed or was cancelled.
const behindFailed = `(m.state = 'skipped' AND m.code = 'previous_not_sent' AND EXISTS (
      SELECT FROM messages p WHERE p.broadcast_id = m.broadcast_id AND p.channel_account_id = m.channel_account_id
        AND p.seq < m.seq AND p.seq > m.seq - m.ordinal AND p.state IN ('failed', 'cancelled')))`

// repeatable are the rows of a broadcast (@source) that a retry repeats by its
// scope; @ids are the conversations of scopes list and unknown. A row that is
// repeated already is not repeated again: its repetition may be.
const repeatable = `
m.team_id = @team_id AND m.broadcast_id = @source AND NOT EXISTS (SELECT FROM retries x WHERE x.message_id = m.id)
    AND CASE @scope::text WHEN 'rest' THEN m.state = 'cancelled' OR ` + behindFailed + `
      WHEN 'failed' THEN m.state = 'failed' OR ` + behindFailed + `
      ELSE m.conversation_id = ANY(@ids::uuid[]) AND (m.state = 'failed' OR ` + behindFailed + `) END`

// planRetryRows repeats rows, judged anew, in the order of the first broadcast.
func planRetryRows(a omniflow.Audience) string {
	return `
WITH rules AS (
  SELECT * FROM unnest(@rule_channels::text[], @rule_parts::smallint[], @rule_pieces::smallint[], @rule_windows::interval[], @rule_codes::text[])
    AS r(channel, parts, pieces, max_age, code)
), again AS (
  SELECT m.id AS first, m.channel_account_id, m.conversation_id, m.content_id, m.pieces, m.recipient,
    CASE WHEN @content_id::uuid IS NULL THEN m.personal WHEN @personal::bool THEN (SELECT k.name FROM contacts k WHERE k.id = c.contact_id) END AS personal,
    uuid_v7(now(), row_number() OVER (ORDER BY m.channel_account_id, m.seq)) AS id,
    row_number() OVER (PARTITION BY m.channel_account_id ORDER BY m.seq) - 1 AS seq,
    row_number() OVER (PARTITION BY m.channel_account_id, m.conversation_id ORDER BY m.seq) AS ordinal, CASE
      ` + refusedWhen(a) + ` END AS code
  FROM messages m JOIN conversations c ON c.id = m.conversation_id JOIN channel_identities i ON i.id = c.channel_identity_id
  JOIN rules r ON r.channel = c.channel
  WHERE ` + repeatable + `
), planned AS (
  INSERT INTO messages (id, team_id, broadcast_id, channel_account_id, conversation_id, content_id, seq, ordinal, pieces, recipient, personal, state, code)
  SELECT id, @team_id, @broadcast_id, channel_account_id, conversation_id, COALESCE(@content_id, content_id), seq, ordinal, pieces, recipient, personal,
    CASE WHEN code IS NULL THEN 'queued' ELSE 'skipped' END::message_state, code FROM again
), noted AS (
  INSERT INTO retries (message_id, team_id, broadcast_id, repeated_by) SELECT first, @team_id, @broadcast_id, id FROM again
)
INSERT INTO broadcast_lanes (broadcast_id, channel_account_id, team_id, channel, planned, recipients)
SELECT @broadcast_id, a.id, @team_id, a.channel, count(*), count(DISTINCT p.conversation_id)
FROM again p JOIN channel_accounts a ON a.id = p.channel_account_id GROUP BY a.id, a.channel`
}

// planRetry settles the rows of the scope that are not settled yet, and
// repeats them, in one transaction: a row is never sent by both broadcasts.
func (s *Store) planRetry(ctx context.Context, tx pgx.Tx, j omniflow.BroadcastJob) error {
	if err := lockBroadcast(ctx, tx, j.RetryOf); err != nil {
		return err
	}
	ids, err := settleForRetry(ctx, tx, j)
	if err != nil {
		return fmt.Errorf("settle rows of broadcast %s: %w", j.RetryOf, err)
	}
	args := ruleArgs(retryArgs(j.TeamID, j.RetryOf, j.Retry.Scope, ids), j.Request)
	args["actor_id"], args["broadcast_id"], args["content_id"] = j.ActorID, j.BroadcastID, (*uuid.UUID)(nil)
	args["personal"] = omniflow.PersonalContents(j.Request.Messages) // of another content: the first one's names are frozen
	if j.Retry.Template != nil {
		id := newID()
		body, err := json.Marshal(j.Request.Messages)
		if err != nil {
			return fmt.Errorf("write content: %w", err)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO contents (id, team_id, body) VALUES ($1, $2, $3)`, id, j.TeamID, body); err != nil {
			return fmt.Errorf("store content: %w", err)
		}
		args["content_id"] = &id
	}
	if _, err = tx.Exec(ctx, planRetryRows(j.Request.Audience), args); err != nil {
		return err
	}
	return planMedia(ctx, tx, j)
}

func retryArgs(teamID, source uuid.UUID, scope omniflow.RetryScope, ids []uuid.UUID) pgx.NamedArgs {
	return pgx.NamedArgs{"team_id": teamID, "source": source, "scope": string(scope), "ids": append([]uuid.UUID{}, ids...)}
}

// settleForRetry makes the rows of the scope final where they stand, and
// returns the conversations that the scope names.
func settleForRetry(ctx context.Context, tx pgx.Tx, j omniflow.BroadcastJob) ([]uuid.UUID, error) {
	switch j.Retry.Scope {
	case omniflow.RetryUnknown:
		return failUnknown(ctx, tx, j.TeamID, j.RetryOf)
	case omniflow.RetryRest:
		return nil, cancelStopped(ctx, tx, j.TeamID, j.RetryOf)
	}
	return j.Retry.ConversationIDs, nil
}

// failUnknown fails every unknown row and skips what waits behind it.
func failUnknown(ctx context.Context, tx pgx.Tx, teamID, source uuid.UUID) ([]uuid.UUID, error) {
	rows, _ := tx.Query(ctx, `
		UPDATE messages SET state = 'failed', code = 'outcome_unknown', due_at = NULL
		WHERE team_id = $1 AND broadcast_id = $2 AND state = 'unknown' RETURNING conversation_id`, teamID, source)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, `
		UPDATE messages m SET state = 'skipped', code = 'previous_not_sent', due_at = NULL
		WHERE m.team_id = $1 AND m.broadcast_id = $2 AND m.conversation_id = ANY ($3) AND m.state = 'queued' AND m.ordinal > 1 AND EXISTS (
		  SELECT FROM messages p WHERE p.broadcast_id = m.broadcast_id AND p.channel_account_id = m.channel_account_id
		    AND p.seq < m.seq AND p.seq > m.seq - m.ordinal AND p.state = 'failed')`, teamID, source, ids)
	return ids, err
}

// cancelStopped gives up what waits in the lanes that a stop code holds; what
// was perhaps taken keeps its own course.
func cancelStopped(ctx context.Context, tx pgx.Tx, teamID, source uuid.UUID) error {
	rows, _ := tx.Query(ctx, `
		UPDATE broadcast_lanes l SET control = 'cancelled', control_reason = 'retried', control_by = NULL, control_at = now()
		FROM channel_accounts a
		WHERE l.team_id = $1 AND l.broadcast_id = $2 AND a.id = l.channel_account_id
		  AND (l.control = 'stopped' OR l.control IN ('running', 'paused') AND a.state = 'stopped') RETURNING l.channel_account_id`, teamID, source)
	accounts, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		UPDATE messages SET state = 'cancelled', code = 'retried', due_at = NULL
		WHERE team_id = $1 AND broadcast_id = $2 AND channel_account_id = ANY ($3) AND state = 'queued' AND attempt_key IS NULL`,
		teamID, source, accounts)
	return err
}
