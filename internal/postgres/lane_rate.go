package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// rateOfLanes is the rate in force of those that operators set for lanes on
// limiter n: the newest. One that was set before its broadcast was planned
// waits for the lane.
const rateOfLanes = `
  SELECT r.rate_per_second, r.set_by, r.set_at, r.broadcast_id
  FROM lane_rates r JOIN broadcast_lanes USING (broadcast_id, channel_account_id) JOIN broadcasts p ON p.id = r.broadcast_id
  WHERE r.channel_account_id = n.channel_account_id AND r.limiter = n.name AND p.planned_at IS NOT NULL
  ORDER BY r.set_at DESC LIMIT 1`

// orderRate sets the rate of a lane, which is in force for its whole account
// until the lane has ended. A lane that has ended is refused with
// broadcast_finished.
func (s *Store) orderRate(ctx context.Context, tx pgx.Tx, o omniflow.ControlOrder, planned bool) (bool, error) {
	if o.Channel == "" {
		err := tx.QueryRow(ctx, `SELECT channel FROM channel_accounts WHERE team_id = $1 AND id = $2`, o.TeamID, o.ChannelAccountID).Scan(&o.Channel)
		if err != nil {
			return false, oneRow(err, "channel account", o.ChannelAccountID)
		}
	}
	limiter, err := limiterOf(ctx, tx, o)
	if err != nil {
		return false, err
	}
	if r := omniflow.CheckBroadcastRate(o.Channel, limiter, o.RatePerSecond); r != nil {
		return false, r
	}
	if planned {
		if err := checkLane(ctx, tx, o); err != nil {
			return false, err
		}
	}
	tag, err := tx.Exec(ctx, `
		INSERT INTO lane_rates AS r (broadcast_id, channel_account_id, team_id, limiter, rate_per_second, set_by) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (channel_account_id, broadcast_id) DO UPDATE SET rate_per_second = $5, set_by = $6, set_at = clock_timestamp()
		WHERE r.rate_per_second <> $5 OR EXISTS (SELECT FROM lane_rates o WHERE o.channel_account_id = $2 AND o.limiter = $4 AND o.set_at > r.set_at)`,
		o.BroadcastID, o.ChannelAccountID, o.TeamID, string(limiter), o.RatePerSecond, orNil(o.ActorID))
	if err != nil || tag.RowsAffected() == 0 {
		return false, err
	}
	return true, s.obeyLaneRates(ctx, tx, o.TeamID, o.ChannelAccountID)
}

// checkLane refuses a rate for a lane that is not there or has ended: nobody
// would end the rate.
func checkLane(ctx context.Context, tx pgx.Tx, o omniflow.ControlOrder) error {
	lanes, err := listLanes(ctx, tx, o.TeamID, []uuid.UUID{o.BroadcastID})
	if err != nil {
		return err
	}
	place := slices.IndexFunc(lanes, func(l BroadcastLane) bool { return l.ChannelAccountID == o.ChannelAccountID })
	if place < 0 {
		return omniflow.Refuse(omniflow.NotFound, "SYS-13", "the broadcast has no lane on this channel account")
	}
	tally, err := lanes[place].Tally()
	if err == nil && tally.Unresolved() == 0 {
		return omniflow.Refuse(omniflow.BroadcastFinished, "BRD-05", "the lane has ended; set the rate of the account")
	}
	return err
}

// beginLaneRates puts the rates in force that were set before the lanes were
// there.
func (s *Store) beginLaneRates(ctx context.Context, tx pgx.Tx, teamID, broadcastID uuid.UUID) error {
	rows, _ := tx.Query(ctx, `SELECT channel_account_id FROM lane_rates WHERE team_id = $1 AND broadcast_id = $2 ORDER BY 1`, teamID, broadcastID)
	accounts, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return fmt.Errorf("list rates of broadcast %s: %w", broadcastID, err)
	}
	return s.obeyLaneRates(ctx, tx, teamID, accounts...)
}

// endLaneRates ends the rates that were set for lanes of a broadcast, all or
// that of one account: the accounts go on at the next newest, or at their own.
func (s *Store) endLaneRates(ctx context.Context, tx pgx.Tx, teamID, broadcastID, account uuid.UUID) error {
	rows, _ := tx.Query(ctx, `
		DELETE FROM lane_rates WHERE team_id = $1 AND broadcast_id = $2
		  AND ($3::uuid = '00000000-0000-0000-0000-000000000000'::uuid OR channel_account_id = $3) RETURNING channel_account_id`, teamID, broadcastID, account)
	accounts, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return fmt.Errorf("end rates of broadcast %s: %w", broadcastID, err)
	}
	slices.SortFunc(accounts, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	return s.obeyLaneRates(ctx, tx, teamID, accounts...)
}

// obeyLaneRates brings the limiters of accounts to the rate in force of their
// lanes, or back to the accounts' own limit. They are locked first: of two who
// end a rate at once the second sees what the first did.
func (s *Store) obeyLaneRates(ctx context.Context, tx pgx.Tx, teamID uuid.UUID, accounts ...uuid.UUID) error {
	for _, id := range accounts {
		rows, _ := tx.Query(ctx, `SELECT name FROM limiters WHERE team_id = $1 AND channel_account_id = $2 ORDER BY name FOR NO KEY UPDATE`, teamID, id)
		names, err := pgx.CollectRows(rows, pgx.RowTo[omniflow.LimiterName])
		if err != nil {
			return fmt.Errorf("lock limiters of account %s: %w", id, err)
		}
		for _, name := range names {
			if err := s.obeyLaneRate(ctx, tx, teamID, id, name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) obeyLaneRate(ctx context.Context, tx pgx.Tx, teamID, accountID uuid.UUID, name omniflow.LimiterName) error {
	var limit float64
	var ordered bool
	err := tx.QueryRow(ctx, `
		WITH f AS (
		  SELECT n.channel_account_id, n.name, COALESCE(n.account_limit, n.limit_per_second) AS own, r.rate_per_second AS ordered
		  FROM limiters n LEFT JOIN LATERAL (`+rateOfLanes+`) r ON true WHERE n.team_id = $1 AND n.channel_account_id = $2 AND n.name = $3)
		UPDATE limiters l SET account_limit = CASE WHEN f.ordered IS NOT NULL THEN f.own END
		FROM f WHERE l.channel_account_id = f.channel_account_id AND l.name = f.name RETURNING COALESCE(f.ordered, f.own), f.ordered IS NOT NULL`,
		teamID, accountID, string(name)).Scan(&limit, &ordered)
	if err != nil {
		return fmt.Errorf("find the rate of account %s: %w", accountID, err)
	}
	_, err = s.setRate(ctx, tx, teamID, accountID, name, limit, !ordered)
	return err
}

// endRateOfLane ends the rate of a lane that has nothing left to send.
func (s *Store) endRateOfLane(ctx context.Context, lane omniflow.Lane) error {
	var set bool
	err := s.pool.QueryRow(ctx, `SELECT true FROM lane_rates WHERE broadcast_id = $1 AND channel_account_id = $2`,
		lane.BroadcastID, lane.ChannelAccountID).Scan(&set)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for the rate of lane %s: %w", lane.ChannelAccountID, err)
	}
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		return s.endLaneRates(ctx, tx, lane.TeamID, lane.BroadcastID, lane.ChannelAccountID)
	})
}
