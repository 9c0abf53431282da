package postgres

import (
	"context"
	"fmt"

	"omniflow/internal/omniflow"
)

// beat notes a sign of life, at most one a second, counts the newest outcomes
// of a lane and drops those that are too old to count ever again.
const beat = `
WITH alive AS (
  UPDATE broadcast_lanes SET beat_at = now()
  WHERE broadcast_id = $1 AND channel_account_id = $2 AND (beat_at IS NULL OR beat_at < now() - interval '900 milliseconds')
), last AS (
  SELECT taken, failed, sum(taken + failed) OVER (ORDER BY id DESC) AS reach FROM lane_outcomes
  WHERE broadcast_id = $1 AND channel_account_id = $2 ORDER BY id DESC LIMIT $3
), trimmed AS (
  DELETE FROM lane_outcomes WHERE broadcast_id = $1 AND channel_account_id = $2 AND id < (
    SELECT id FROM lane_outcomes WHERE broadcast_id = $1 AND channel_account_id = $2 ORDER BY id DESC OFFSET 2 * $3 LIMIT 1)
)
SELECT COALESCE(sum(taken), 0)::integer, COALESCE(sum(failed), 0)::integer FROM last WHERE reach - (taken + failed) < $3`

// Beat notes that somebody works on a lane, and counts its newest outcomes, up
// to omniflow.OutcomeWindow and the rest of the last statement.
func (s *Store) Beat(ctx context.Context, lane omniflow.Lane) (omniflow.Outcomes, error) {
	var o omniflow.Outcomes
	err := s.pool.QueryRow(ctx, beat, lane.BroadcastID, lane.ChannelAccountID, omniflow.OutcomeWindow).Scan(&o.Taken, &o.Failed)
	if err != nil {
		return o, fmt.Errorf("beat of lane %s: %w", lane.ChannelAccountID, err)
	}
	return o, nil
}
