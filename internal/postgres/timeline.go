package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// TimelineItem is one thing that happened to the messages of a recipient.
type TimelineItem struct {
	At         time.Time
	Kind       string // planned, wait, attempt, webhook or state
	MessageID  uuid.UUID
	Ordinal    int
	State      string
	Code       string // planned: eligible, or why skipped; wait: for what
	Until      *time.Time
	Attempt    int
	HTTPStatus int `db:"http_status"`
	LatencyMS  int `db:"latency_ms"`
	ProviderID string
	Trace      string // the provider's request id, for its support
}

// timeline is everything that is known of the rows of one recipient. A row
// that a claim refused carries that claim's fence: one without was skipped by
// the plan. Before its first claim a row waits for its turn under the limits
// of its account, after a fault for its backoff, at last for webhooks.
const timeline = `
WITH m AS (
  SELECT m.*, COALESCE(b.planned_at, now()) AS planned_at,
    CASE WHEN m.state = 'skipped' AND m.fence = 0 AND m.code <> 'previous_not_sent' THEN m.code ELSE 'eligible' END AS verdict,
    (SELECT max(at) FROM attempts a WHERE a.message_id = m.id) AS last_at
  FROM messages m JOIN broadcasts b ON b.id = m.broadcast_id
  WHERE m.team_id = $1 AND m.conversation_id = $3 AND m.broadcast_id = $2
), tried AS (
  SELECT a.*, a.at - make_interval(secs => a.latency_ms / 1000.0) AS began,
    lag(a.at) OVER w AS before, lag(a.code) OVER w AS before_code
  FROM (
    SELECT a.message_id, a.attempt, a.http_status, a.latency_ms, a.at, a.code, a.provider_id, a.trace, m.ordinal, m.planned_at
    FROM attempts a JOIN m ON m.id = a.message_id
    UNION ALL SELECT id, attempt, http_status, latency_ms, GREATEST(sent_at, attempted_at + make_interval(secs => latency_ms / 1000.0)), '', COALESCE(provider_id, ''), COALESCE(trace, ''), ordinal, planned_at
    FROM m WHERE http_status IS NOT NULL -- the call that was accepted
  ) a WINDOW w AS (PARTITION BY a.message_id ORDER BY a.at, a.attempt)
)
SELECT at, kind, message_id, ordinal, state, code, until, attempt, http_status, latency_ms, provider_id, trace FROM (
  SELECT planned_at AS at, 1 AS place, 'planned' AS kind, id AS message_id, ordinal, '' AS state, verdict AS code, NULL::timestamptz AS until,
    0 AS attempt, 0 AS http_status, 0 AS latency_ms, '' AS provider_id, '' AS trace FROM m
  UNION ALL SELECT COALESCE(before, planned_at), 4, 'wait', message_id, ordinal, 'queued', COALESCE(NULLIF(before_code, ''), 'limit'), began, attempt, 0, 0, '', ''
    FROM tried WHERE began > COALESCE(before, planned_at)
  UNION ALL SELECT at, 2, 'attempt', message_id, ordinal, '', code, NULL, attempt, http_status, latency_ms, provider_id, trace FROM tried
  UNION ALL SELECT e.at, 3, 'webhook', e.message_id, m.ordinal, e.state, e.code, NULL, e.attempt, 0, 0, '', ''
    FROM message_events e JOIN m ON m.id = e.message_id
  UNION ALL SELECT GREATEST(planned_at, attempted_at, last_at), 5, 'wait', id, ordinal, state::text, CASE state WHEN 'unknown' THEN 'webhooks'
      ELSE COALESCE(code, 'limit') END, due_at, attempt, 0, 0, '', '' FROM m WHERE state IN ('queued', 'unknown')
  UNION ALL SELECT GREATEST(planned_at, attempted_at, last_at, sent_at, received_at, read_at), 6, 'state', id, ordinal, state::text, COALESCE(code, ''), NULL,
    attempt, 0, 0, COALESCE(provider_id, ''), '' FROM m
) t ORDER BY at, place, message_id`

// Timeline tells what happened to the messages of one recipient of a
// broadcast, oldest first, without anything the customer said or is called. A
// Refusal not_found if the broadcast has no such recipient.
func (s *Store) Timeline(ctx context.Context, teamID, broadcastID, conversationID uuid.UUID) ([]TimelineItem, error) {
	var out []TimelineItem
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, timeline, teamID, broadcastID, conversationID)
		items, err := pgx.CollectRows(rows, pgx.RowToStructByName[TimelineItem])
		if err != nil {
			return fmt.Errorf("read timeline: %w", err)
		}
		if len(items) == 0 {
			return omniflow.Refuse(omniflow.NotFound, "SYS-13", "this broadcast has no such recipient")
		}
		out = items
		return nil
	})
	return out, err
}
