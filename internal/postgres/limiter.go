package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// leaseAhead is how far in front of the clock bulk slots may be leased. With
// leases worth 200 ms it lets three processes hold one each.
const leaseAhead = 600 * time.Millisecond

// leasedWithin is a time by which every leased bulk slot has passed: the last
// lease begins within leaseAhead and is worth about 200 ms. Only at rates under
// five a second may a slot take longer, and then it is the only one.
const leasedWithin = leaseAhead + 300*time.Millisecond

// current is a limiter with its rate brought up to now. clock_timestamp is
// read once the row is locked by the caller's statement.
const current = `
WITH l AS (
  SELECT *, clock_timestamp() AS clock FROM limiters WHERE channel_account_id = $1 AND name = $2 FOR UPDATE
), cur AS (
  SELECT *, LEAST(limit_per_second, rate + limit_per_second * 0.05
    * GREATEST(0, extract(epoch FROM clock - GREATEST(adjusted_at, closed_until)))) AS now_rate FROM l
)`

// leaseBulk takes up to $3 slots, at most 200 ms' worth of the bulk share of
// the rate now, if they start within the time ahead ($4); GCRA, so unused time
// is not saved up.
const leaseBulk = current + `, want AS (
  SELECT *, GREATEST(bulk_tat, clock) AS start, now_rate * (1 - reserve) AS share,
    LEAST($3, GREATEST(1, ceil(now_rate * (1 - reserve) * 0.2)))::float8 AS n FROM cur
), new AS (
  UPDATE limiters t SET rate = w.now_rate, adjusted_at = w.clock,
    reason = CASE WHEN w.now_rate >= w.limit_per_second THEN '' ELSE w.reason END,
    bulk_tat = CASE WHEN w.closed_until <= w.clock AND w.start <= w.clock + $4::interval
      THEN w.start + make_interval(secs => w.n / w.share) ELSE w.bulk_tat END
  FROM want w WHERE t.channel_account_id = w.channel_account_id AND t.name = w.name
  RETURNING w.*
)
SELECT CASE WHEN closed_until <= clock AND start <= clock + $4::interval THEN n ELSE 0 END,
       extract(epoch FROM GREATEST(start, closed_until) - clock)::float8, share, now_rate, limit_per_second FROM new`

// leaseInteractive takes one slot. Within the reserve it is due at once (GCRA
// at rate × reserve with a burst of one second's worth, at least one). Beyond
// the reserve it is due at once too, as long as fewer than a tenth of the rate
// were lent in the second (GCRA at a twentieth of the rate with a burst of one
// second's worth; not at all under 20 a second), and bulk traffic pays for it:
// its next slots come that much later, so that the rate holds and nobody who
// waits for an answer stands behind slots that were leased ahead. Beyond that
// it takes the next bulk slot, in front of every later lease, unless that is
// over $3 away.
const leaseInteractive = current + `, want AS (
  SELECT *, GREATEST(now_rate * reserve, 0.1) AS share, now_rate * 0.05 AS lent,
         GREATEST(tat, clock) <= clock + interval '1 second' AND reserve > 0 AS reserved FROM cur
), lend AS (
  SELECT *, NOT reserved AND lent >= 1 AND GREATEST(borrowed_tat, clock) <= clock + make_interval(secs => 1 - 1 / lent) AS borrowed FROM want
), way AS (
  SELECT *, closed_until <= clock AND (reserved OR borrowed OR bulk_tat <= clock + $3::interval) AS given FROM lend
), new AS (
  UPDATE limiters t SET rate = w.now_rate, adjusted_at = w.clock,
    tat          = CASE WHEN w.given AND w.reserved THEN GREATEST(w.tat, w.clock) + make_interval(secs => 1 / w.share) ELSE w.tat END,
    borrowed_tat = CASE WHEN w.given AND w.borrowed THEN GREATEST(w.borrowed_tat, w.clock) + make_interval(secs => 1 / w.lent) ELSE w.borrowed_tat END,
    bulk_tat     = CASE WHEN w.given AND NOT w.reserved
      THEN GREATEST(w.bulk_tat, w.clock) + make_interval(secs => 1 / (w.now_rate * (1 - w.reserve))) ELSE w.bulk_tat END
  FROM way w WHERE t.channel_account_id = w.channel_account_id AND t.name = w.name
  RETURNING w.*
)
SELECT CASE WHEN given THEN 1 ELSE 0 END::float8,
       extract(epoch FROM CASE WHEN closed_until > clock THEN closed_until WHEN reserved OR borrowed THEN clock
                               ELSE GREATEST(bulk_tat, clock) END - clock)::float8, now_rate, now_rate, limit_per_second FROM new`

// Lease takes up to n bulk slots of a limiter, at most 200 ms' worth of the
// rate now, whatever rate the caller last heard of. None means that
// the slots ahead are all taken or that the provider closed the account for a
// while; Delay tells when to ask again.
func (s *Store) Lease(ctx context.Context, accountID uuid.UUID, name omniflow.LimiterName, n int) (omniflow.Lease, error) {
	return s.lease(ctx, leaseBulk, accountID, string(name), float64(n), leaseAhead)
}

// LeaseInteractive takes one slot for a person's message, which does not queue
// behind bulk traffic, if it comes within the patience. None means that it does
// not, or that the provider closed the account; Delay tells when to ask again.
func (s *Store) LeaseInteractive(ctx context.Context, accountID uuid.UUID, name omniflow.LimiterName, patience time.Duration) (omniflow.Lease, error) {
	return s.lease(ctx, leaseInteractive, accountID, string(name), patience)
}

func (s *Store) lease(ctx context.Context, sql string, args ...any) (omniflow.Lease, error) {
	var slots, delay, share float64
	var l omniflow.Lease
	err := s.pool.QueryRow(ctx, sql, args...).Scan(&slots, &delay, &share, &l.Rate, &l.Limit)
	if err != nil {
		return omniflow.Lease{}, fmt.Errorf("lease send slots of account %s: %w", args[0], err)
	}
	l.Delay = max(0, seconds(delay))
	l.Interval = seconds(1 / share)
	l.Slots = int(slots)
	return l, nil
}

// Throttled tells a limiter that the provider refused a call for its rate:
// the rate is halved, at most once a second however many calls were refused,
// down to 5 % of the limit, and nothing is leased for retryAfter. The rate
// creeps back by 5 % of the limit a second (AIMD).
func (s *Store) Throttled(ctx context.Context, accountID uuid.UUID, name omniflow.LimiterName, code string, retryAfter time.Duration) error {
	tag, err := s.pool.Exec(ctx, current+`
		UPDATE limiters t SET
		  rate = CASE WHEN c.cut_at < c.clock - interval '1 second' THEN GREATEST(c.limit_per_second * 0.05, c.now_rate / 2) ELSE t.rate END,
		  cut_at = CASE WHEN c.cut_at < c.clock - interval '1 second' THEN c.clock ELSE c.cut_at END,
		  adjusted_at = c.clock, reason = $3, closed_until = GREATEST(c.closed_until, c.clock + $4::interval)
		FROM cur c WHERE t.channel_account_id = c.channel_account_id AND t.name = c.name`,
		accountID, string(name), code, retryAfter)
	if err == nil && tag.RowsAffected() == 0 {
		err = pgx.ErrNoRows
	}
	if err != nil {
		return fmt.Errorf("slow account %s: %w", accountID, err)
	}
	return nil
}

// setRate sets the limit of an account's limiter, effective after the slots
// that are leased already (within 0.9 s): were they given out again, both
// rates would add up. What people have booked beyond them keeps its number of
// slots. The rate becomes the limit at once; with creep, when nobody asked for
// it just now, one that a throttle answer lowered creeps there. It returns false
// when it was that already.
func (s *Store) setRate(ctx context.Context, tx pgx.Tx, teamID, accountID uuid.UUID, name omniflow.LimiterName, perSecond float64, creep bool) (bool, error) {
	tag, err := tx.Exec(ctx, `
		WITH l AS (
		  SELECT *, CASE WHEN $6 AND reason <> '' THEN LEAST(rate, $4) ELSE $4 END AS new_rate FROM limiters
		  WHERE team_id = $1 AND channel_account_id = $2 AND name = $3 AND limit_per_second <> $4 FOR NO KEY UPDATE)
		UPDATE limiters t SET limit_per_second = $4, rate = l.new_rate, adjusted_at = now(), reason = CASE WHEN l.new_rate < $4 THEN l.reason ELSE '' END,
		  bulk_tat = CASE WHEN l.bulk_tat <= clock_timestamp() + $5::interval THEN l.bulk_tat
		    ELSE clock_timestamp() + $5::interval + (l.bulk_tat - clock_timestamp() - $5::interval) * (l.rate / l.new_rate) END
		FROM l WHERE t.channel_account_id = l.channel_account_id AND t.name = l.name`,
		teamID, accountID, string(name), perSecond, leasedWithin, creep)
	if err != nil {
		return false, fmt.Errorf("set rate of account %s: %w", accountID, err)
	}
	return tag.RowsAffected() == 1, nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
