package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// RetryCount is how many rows of a scope have one reason.
type RetryCount struct {
	Code       omniflow.Code
	Rows       int
	Recipients int
}

// CountRetry counts what a retry would repeat now, by reason. Refusals:
// not_found; retry_not_allowed for a named conversation that the broadcast did
// not fail to reach; retry_empty.
func (s *Store) CountRetry(ctx context.Context, teamID, source uuid.UUID, r omniflow.RetryRequest) ([]RetryCount, error) {
	var out []RetryCount
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		if err := requireBroadcast(ctx, tx, teamID, source); err != nil {
			return err
		}
		if err := checkNamed(ctx, tx, teamID, source, r); err != nil {
			return err
		}
		where := repeatable
		switch r.Scope {
		case omniflow.RetryUnknown:
			where = `m.team_id = @team_id AND m.broadcast_id = @source AND m.state = 'unknown' AND @scope <> '' AND @ids::uuid[] IS NOT NULL`
		case omniflow.RetryRest:
			where = repeatable + ` OR m.team_id = @team_id AND m.broadcast_id = @source AND m.state = 'queued' AND m.attempt_key IS NULL AND EXISTS (
  SELECT FROM broadcast_lanes l JOIN channel_accounts a ON a.id = l.channel_account_id
  WHERE l.broadcast_id = @source AND l.channel_account_id = m.channel_account_id AND (l.control = 'stopped' OR l.control <> 'cancelled' AND a.state = 'stopped'))`
		}
		rows, _ := tx.Query(ctx, `
SELECT COALESCE(m.code, '') AS code, count(*) AS rows, count(DISTINCT m.conversation_id) AS recipients FROM messages m
WHERE `+where+` GROUP BY 1 ORDER BY 2 DESC, 1`, retryArgs(teamID, source, r.Scope, r.ConversationIDs))
		counts, err := pgx.CollectRows(rows, pgx.RowToStructByName[RetryCount])
		if err != nil {
			return fmt.Errorf("count retry of %s: %w", source, err)
		}
		if len(counts) == 0 {
			return omniflow.Refuse(omniflow.RetryEmpty, "BRD-05", "there is nothing to retry in this scope, or it is being retried already")
		}
		out = counts
		return nil
	})
	return out, err
}

// checkNamed refuses a list with a recipient who has nothing to be repeated.
func checkNamed(ctx context.Context, tx pgx.Tx, teamID, source uuid.UUID, r omniflow.RetryRequest) error {
	if r.Scope != omniflow.RetryList {
		return nil
	}
	var bad int
	err := tx.QueryRow(ctx, `
SELECT count(*) FROM (SELECT DISTINCT unnest(@ids::uuid[]) AS id) c WHERE NOT EXISTS (
  SELECT FROM messages m WHERE m.conversation_id = c.id AND `+repeatable+`)`, retryArgs(teamID, source, r.Scope, r.ConversationIDs)).Scan(&bad)
	if err != nil {
		return fmt.Errorf("check retry of %s: %w", source, err)
	}
	if bad > 0 {
		return omniflow.Refuse(omniflow.RetryNotAllowed, "MSG-01",
			"%d of the conversations were sent to, are no recipients whose message failed, or are being retried already", bad)
	}
	return nil
}

// storeRetry links a new broadcast to the one it repeats, and enters in the
// audit log who asked for it.
func storeRetry(ctx context.Context, tx pgx.Tx, b NewBroadcast) error {
	if b.RetryOf == uuid.Nil {
		return nil
	}
	retry, err := json.Marshal(b.Retry)
	if err != nil {
		return fmt.Errorf("write retry: %w", err)
	}
	if _, err := tx.Exec(ctx, `UPDATE broadcasts SET retry_of = $3, retry = $4 WHERE team_id = $1 AND id = $2`, b.TeamID, b.ID, b.RetryOf, retry); err != nil {
		return err
	}
	return audit(ctx, tx, b.TeamID, b.By.ActorID, "broadcast.retry", b.RetryOf.String(), map[string]any{
		"reason": b.By.Reason, "scope": b.Retry.Scope, "conversations": len(b.Retry.ConversationIDs), "broadcast_id": b.ID})
}

// LoadRequest gives the request of a broadcast, or a Refusal not_found.
func (s *Store) LoadRequest(ctx context.Context, teamID, id uuid.UUID) (omniflow.BroadcastRequest, error) {
	var out omniflow.BroadcastRequest
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		return oneRow(tx.QueryRow(ctx, `SELECT request FROM broadcasts WHERE team_id = $1 AND id = $2`, teamID, id).Scan(&out), "broadcast", id)
	})
	return out, err
}
