package postgres

import (
	"context"
	"fmt"
)

// The rows of a lane by state are kept in lane_counts and lane_changes by
// triggers of messages; their sum is exact in every snapshot.
const (
	// countsOf is the counts and changes of lane ($1, $2), bucket by bucket.
	countsOf = `SELECT * FROM lane_counts WHERE broadcast_id = $1 AND channel_account_id = $2
    UNION ALL SELECT * FROM lane_changes WHERE broadcast_id = $1 AND channel_account_id = $2`
	// countsOfBroadcasts is those of all lanes of the broadcasts $2.
	countsOfBroadcasts = `SELECT * FROM lane_counts WHERE broadcast_id = ANY($2) UNION ALL SELECT * FROM lane_changes WHERE broadcast_id = ANY($2)`
	// countsAsJSON adds counts up: an object of state and rows.
	countsAsJSON = `jsonb_build_object('queued', COALESCE(sum(queued), 0), 'sending', COALESCE(sum(sending), 0), 'sent', COALESCE(sum(sent), 0),
    'received', COALESCE(sum(received), 0), 'read', COALESCE(sum(read), 0), 'failed', COALESCE(sum(failed), 0),
    'skipped', COALESCE(sum(skipped), 0), 'cancelled', COALESCE(sum(cancelled), 0), 'unknown', COALESCE(sum(unknown), 0))`
)

// foldCounts moves the changes into the counts. One process at a time folds:
// two would wait for each other's rows.
const foldCounts = `
WITH turn AS MATERIALIZED (
  SELECT pg_try_advisory_xact_lock(hashtext('omniflow fold counts')) AS mine
), gone AS (
  DELETE FROM lane_changes WHERE (SELECT mine FROM turn) RETURNING *
), folded AS (
  INSERT INTO lane_counts AS c
  SELECT broadcast_id, channel_account_id, bucket, team_id, sum(queued), sum(sending), sum(sent), sum(received), sum(read), sum(failed),
    sum(skipped), sum(cancelled), sum(unknown) FROM gone GROUP BY 1, 2, 3, 4
  ON CONFLICT (broadcast_id, channel_account_id, bucket) DO UPDATE SET
    queued = c.queued + excluded.queued, sending = c.sending + excluded.sending, sent = c.sent + excluded.sent,
    received = c.received + excluded.received, read = c.read + excluded.read, failed = c.failed + excluded.failed,
    skipped = c.skipped + excluded.skipped, cancelled = c.cancelled + excluded.cancelled, unknown = c.unknown + excluded.unknown
)
SELECT count(*) FROM gone`

// FoldCounts brings the counts of lanes up to date, so that reading them stays
// cheap. It returns how many changes it folded; what is read is the same
// before and after.
func (s *Store) FoldCounts(ctx context.Context) (int, error) {
	var n int
	if err := s.pool.QueryRow(ctx, foldCounts).Scan(&n); err != nil {
		return 0, fmt.Errorf("fold counts: %w", err)
	}
	return n, nil
}
