package postgres

import (
	"context"
	"fmt"
	"time"

	"omniflow/internal/omniflow"
)

// proofMessages is how many messages accepted later must have been confirmed
// by a webhook before silence about one is proof of its absence.
const proofMessages = 20

// reconcile decides the due unknown rows of a lane (design section 4). Late
// enough means reconcile_after since the attempt; proven means that webhooks
// about enough later messages of the account have come, that everything that
// came in time has been read, that none was or may have been about this one,
// and that no neighbour sent within a minute of it still waits for its own: a
// gap in the webhooks is no silence. A row of a cancelled lane that was never
// taken is cancelled, not queued.
const reconcile = `
WITH due AS (
  SELECT m.id, m.attempt, m.attempted_at, l.control = 'cancelled' AS cancelled,
    now() >= m.attempted_at + $4::interval AS late, now() >= m.attempted_at + $5::interval AS over,
    (SELECT COALESCE(sum(e.confirmed), 0) FROM webhook_evidence e
     WHERE e.channel_account_id = m.channel_account_id AND e.second > m.attempted_at) >= $6
    AND NOT EXISTS (SELECT FROM inbox i WHERE i.processed_at IS NULL
      AND i.channel_account_id = m.channel_account_id AND i.received_at <= m.attempted_at + $4::interval)
    AND NOT EXISTS (SELECT FROM delivery_doubts d WHERE d.conversation_id = m.conversation_id AND d.at >= m.attempted_at - interval '5 seconds')
    AND NOT EXISTS (SELECT FROM messages n
      WHERE n.broadcast_id = $1 AND n.channel_account_id = $2 AND n.seq BETWEEN m.seq - 200 AND m.seq + 200
        AND n.state = 'sent' AND n.confirmed_at IS NULL
        AND n.attempted_at BETWEEN m.attempted_at - interval '1 minute' AND m.attempted_at + interval '1 minute') AS proven
  FROM messages m JOIN broadcast_lanes l USING (broadcast_id, channel_account_id)
  WHERE m.broadcast_id = $1 AND m.channel_account_id = $2 AND m.state = 'unknown' AND m.due_at <= now()
  FOR UPDATE OF m
), decided AS (
  SELECT *, CASE
      WHEN $3 = 'fail' AND late THEN 'failed'
      WHEN late AND (proven OR $3 = 'resend') AND NOT over THEN CASE WHEN cancelled THEN 'cancelled' ELSE 'queued' END
      WHEN over THEN 'failed'
      ELSE 'unknown' END AS next FROM due
), done AS (
  UPDATE messages m SET state = d.next::message_state,
    code   = CASE d.next WHEN 'queued' THEN 'not_handed_over' WHEN 'cancelled' THEN 'cancelled' ELSE 'outcome_unknown' END,
    due_at = CASE d.next WHEN 'unknown' THEN now() + LEAST($4::interval, GREATEST(interval '2 seconds', (now() - d.attempted_at) / 4)) END,
    attempt_key = NULL
  FROM decided d WHERE m.id = d.id RETURNING d.next
)
SELECT count(*) FILTER (WHERE next IN ('queued', 'cancelled')), count(*) FILTER (WHERE next = 'failed'),
       count(*) FILTER (WHERE next = 'unknown') FROM done`

// ReconcileLane decides the unknown rows of a lane that are due, by the
// team's policy.
func (s *Store) ReconcileLane(ctx context.Context, lane omniflow.Lane, p omniflow.UnknownPolicy, reconcileAfter, giveUpAfter time.Duration) (omniflow.Reconciled, error) {
	var r omniflow.Reconciled
	err := s.pool.QueryRow(ctx, reconcile, lane.BroadcastID, lane.ChannelAccountID, string(p), reconcileAfter, giveUpAfter, proofMessages).
		Scan(&r.Requeued, &r.GivenUp, &r.Postponed)
	if err != nil {
		return r, fmt.Errorf("reconcile lane %s: %w", lane.ChannelAccountID, err)
	}
	return r, nil
}
