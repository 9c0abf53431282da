package postgres

import (
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// limited is a team with WhatsApp's limiter set as given; every change of
// bulk_tat is noted with the clock that the lease saw.
func limited(t *testing.T, limit, reserve float64) *spine {
	s := newSpine(t)
	s.Exec(`UPDATE limiters SET limit_per_second = $1, rate = $1, reserve = $2`, limit, reserve)
	s.Exec(`CREATE TABLE leased (id integer GENERATED ALWAYS AS IDENTITY, clock timestamptz, before timestamptz, until timestamptz)`)
	s.Exec(`CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		INSERT INTO leased (clock, before, until) VALUES (new.adjusted_at, old.bulk_tat, new.bulk_tat); RETURN new; END $$`)
	s.Exec(`CREATE TRIGGER note AFTER UPDATE ON limiters FOR EACH ROW WHEN (old.bulk_tat <> new.bulk_tat) EXECUTE FUNCTION note()`)
	return s
}

func (s *spine) lease(n int) omniflow.Lease {
	s.t.Helper()
	l, err := s.Lease(s.t.Context(), s.account(omniflow.WhatsApp), omniflow.MessagesLimiter, n)
	require.NoError(s.t, err)
	return l
}

func (s *spine) interactive() omniflow.Lease {
	s.t.Helper()
	l, err := s.LeaseInteractive(s.t.Context(), s.account(omniflow.WhatsApp), omniflow.MessagesLimiter, time.Hour)
	require.NoError(s.t, err)
	return l
}

func (s *spine) throttled(after time.Duration) {
	s.t.Helper()
	require.NoError(s.t, s.Throttled(s.t.Context(), s.account(omniflow.WhatsApp), omniflow.MessagesLimiter, "130429", after))
}

// earlier moves the limiter's past away from now.
func (s *spine) earlier(by time.Duration) {
	s.t.Helper()
	s.Exec(`UPDATE limiters SET adjusted_at = adjusted_at - $1::interval, cut_at = cut_at - $1::interval,
		closed_until = closed_until - $1::interval, bulk_tat = bulk_tat - $1::interval, tat = tat - $1::interval`, by)
	s.Exec(`TRUNCATE leased`)
}

func (s *spine) rate() float64 {
	s.t.Helper()
	var rate float64
	s.Scan(&rate, `SELECT rate FROM limiters WHERE channel_account_id = $1`, s.account(omniflow.WhatsApp))
	return rate
}

const micro = 3 * time.Microsecond // the database's clock counts microseconds

func TestLeasesOfManyProcessesNeverOverlap(t *testing.T) {
	t.Parallel()
	const limit, reserve, size, leases, processes = 2000, 0.02, 4, 80, 8
	s := limited(t, limit, reserve)
	share := float64(limit * (1 - reserve))
	var mu sync.Mutex
	var delays []time.Duration
	var wg sync.WaitGroup
	for range processes {
		wg.Go(func() {
			for got := 0; got < leases; {
				l, err := s.Lease(t.Context(), s.account(omniflow.WhatsApp), omniflow.MessagesLimiter, size)
				if err != nil {
					t.Error(err)
					return
				}
				if l.Slots == 0 {
					<-time.After(5 * time.Millisecond)
					continue
				}
				got++
				mu.Lock()
				delays = append(delays, l.Delay)
				if l.Slots != size || math.Abs(l.Interval.Seconds()*share-1) > 1e-6 {
					t.Errorf("not all or none, or at another rate: %+v", l)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	noted := s.noted(share, size)
	require.Len(t, noted, leases*processes, "what is refused books nothing")
	slices.Sort(delays)
	want := make([]time.Duration, len(noted))
	for i, n := range noted {
		want[i] = n.from.Sub(n.clock)
		require.LessOrEqual(t, want[i], leaseAhead+micro)
		require.GreaterOrEqual(t, want[i], -micro, "never in the past")
		if i > 0 {
			require.GreaterOrEqual(t, n.from.Sub(noted[i-1].until), -micro, "leases overlap")
		}
	}
	slices.Sort(want)
	for i := range want {
		require.InDelta(t, max(0, want[i]), delays[i], float64(micro), "the caller is told what was booked")
	}
	require.LessOrEqual(t, busiestSecond(noted, size), int(share)+1)
}

// booked is one lease as the database keeps it: its slots lie in [from, until).
type booked struct{ clock, from, until time.Time }

// noted reads every lease of size slots, in the order of their slots.
func (s *spine) noted(share float64, size int) []booked {
	s.t.Helper()
	rows, err := s.pool.Query(s.t.Context(), `SELECT clock, until - make_interval(secs => $1), until FROM leased ORDER BY until`, float64(size)/share)
	require.NoError(s.t, err)
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (b booked, err error) {
		return b, row.Scan(&b.clock, &b.from, &b.until)
	})
	require.NoError(s.t, err)
	return out
}

// busiestSecond counts the slots of the busiest second.
func busiestSecond(leases []booked, size int) int {
	var slots []time.Time
	for _, l := range leases {
		for i := range size {
			slots = append(slots, l.from.Add(time.Duration(i)*l.until.Sub(l.from)/time.Duration(size)))
		}
	}
	busiest, first := 0, 0
	for i, at := range slots {
		for at.Sub(slots[first]) >= time.Second {
			first++
		}
		busiest = max(busiest, i-first+1)
	}
	return busiest
}

// bookAhead leases the bulk slots of the next 100 s to somebody.
func (s *spine) bookAhead() {
	s.t.Helper()
	s.Exec(`UPDATE limiters SET bulk_tat = clock_timestamp() + interval '100 seconds'`)
}

func TestALeaseIsWorth200MillisecondsAtMostAnd600Ahead(t *testing.T) {
	t.Parallel()
	s := limited(t, 80, 0.02)
	first := s.lease(16)
	require.Equal(t, 16, first.Slots)
	require.Zero(t, first.Delay)
	require.InDelta(t, 1/78.4, first.Interval.Seconds(), 1e-6)
	require.InDelta(t, 80, first.Rate, 1e-9)
	require.InDelta(t, 80, first.Limit, 1e-9)
	second := s.lease(7840) // asked for at the rate that somebody heard of long ago
	require.Equal(t, 16, second.Slots)
	require.LessOrEqual(t, second.Delay, 205*time.Millisecond)
	s.bookAhead()
	for range 2 {
		refused := s.lease(1)
		require.Zero(t, refused.Slots)
		require.InDelta(t, 100, refused.Delay.Seconds(), 10, "when it is worth asking again")
	}
	s.earlier(time.Hour)
	late := s.lease(1)
	require.Equal(t, 1, late.Slots)
	require.Zero(t, late.Delay, "time that nobody used is not saved up")
	require.Greater(t, s.lease(1).Delay, time.Duration(0))
}

func TestInteractiveSlotsComeAtOnceWithinTheReserve(t *testing.T) {
	t.Parallel()
	s := limited(t, 80, 0.05) // 4 a second are reserved
	s.bookAhead()
	var before, after time.Time
	s.Scan(&before, `SELECT bulk_tat FROM limiters WHERE channel_account_id = $1`, s.account(omniflow.WhatsApp))
	for i := range 4 {
		l := s.interactive()
		require.Equal(t, 1, l.Slots)
		require.Zero(t, l.Delay, "reserved slot %d", i)
	}
	s.Exec(`UPDATE limiters SET tat = tat + interval '1 minute'`) // the reserve is used up
	s.Scan(&after, `SELECT bulk_tat FROM limiters WHERE channel_account_id = $1`, s.account(omniflow.WhatsApp))
	require.Equal(t, before, after, "the reserve is not taken from the bulk slots")
	s.Exec(`UPDATE limiters SET borrowed_tat = clock_timestamp() + interval '1 minute' WHERE channel_account_id = $1`, s.account(omniflow.WhatsApp)) // and so is what bulk lends
	for i := range 3 {
		l := s.interactive()
		require.Equal(t, 1, l.Slots)
		require.InDelta(t, 100, l.Delay.Seconds(), 10)
		s.Scan(&after, `SELECT bulk_tat FROM limiters WHERE channel_account_id = $1`, s.account(omniflow.WhatsApp))
		require.InDelta(t, float64(i+1)/76, after.Sub(before).Seconds(), 1e-5, "it is the next bulk slot")
	}
	require.Zero(t, s.lease(1).Slots, "bulk waits behind them")
}

func TestNoReserveMeansTheNextBulkSlot(t *testing.T) {
	t.Parallel()
	s := limited(t, 0.1, 0)
	for _, want := range []float64{0, 10, 20} {
		l := s.interactive()
		require.Equal(t, 1, l.Slots)
		require.InDelta(t, want, l.Delay.Seconds(), 9)
	}
	l := s.lease(1)
	require.Zero(t, l.Slots)
	require.InDelta(t, 30, l.Delay.Seconds(), 9)
}

func TestAThrottleHalvesTheRateAtMostOnceASecond(t *testing.T) {
	t.Parallel()
	s := limited(t, 80, 0.02)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := s.Throttled(t.Context(), s.account(omniflow.WhatsApp), omniflow.MessagesLimiter, "130429", 0); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.InDelta(t, 40, s.rate(), 1e-9, "eight refusals of one second are one")
	for _, want := range []float64{20, 10, 5, 4, 4} {
		s.Exec(`UPDATE limiters SET cut_at = cut_at - interval '2 seconds', closed_until = now() + interval '1 hour'`)
		s.throttled(0)
		require.InDelta(t, want, s.rate(), 1e-9, "5 % is the floor")
	}
	var reason string
	s.Scan(&reason, `SELECT reason FROM limiters WHERE channel_account_id = $1`, s.account(omniflow.WhatsApp))
	require.Equal(t, "130429", reason)
	var others int
	s.Scan(&others, `SELECT count(*) FROM limiters WHERE rate = 80 AND reason = ''`)
	require.Equal(t, 3, others, "the other accounts keep their rate")
}

func TestAThrottleClosesTheAccountForAsLongAsItAsks(t *testing.T) {
	t.Parallel()
	s := limited(t, 80, 0.02)
	s.throttled(30 * time.Second)
	for _, l := range []omniflow.Lease{s.lease(1), s.interactive()} {
		require.Zero(t, l.Slots)
		require.InDelta(t, 30, l.Delay.Seconds(), 5)
	}
	s.throttled(time.Second)
	require.InDelta(t, 30, s.lease(1).Delay.Seconds(), 5, "a shorter wait does not open it earlier")
	s.earlier(30 * time.Second)
	require.Equal(t, 1, s.lease(1).Slots)
	require.Equal(t, 1, s.interactive().Slots)
}

func TestTheRateCreepsBackBy5PercentASecond(t *testing.T) {
	t.Parallel()
	s := limited(t, 80, 0.02)
	began := time.Now()
	s.throttled(10 * time.Second)
	require.InDelta(t, 40, s.lease(1).Rate, 1e-9, "not while it is closed")
	s.earlier(12 * time.Second)          // open for two seconds
	between := func(want, got float64) { // a second of the test's own is 4 more
		t.Helper()
		require.GreaterOrEqual(t, got, want)
		require.LessOrEqual(t, got, want+4*time.Since(began).Seconds())
	}
	between(48, s.lease(1).Rate)
	s.earlier(3 * time.Second)
	between(60, s.lease(1).Rate)
	s.earlier(time.Hour)
	l := s.lease(1)
	require.InDelta(t, 80, l.Rate, 1e-9, "never over the limit")
	require.InDelta(t, 1/78.4, l.Interval.Seconds(), 1e-6)
	var reason string
	s.Scan(&reason, `SELECT reason FROM limiters WHERE channel_account_id = $1`, s.account(omniflow.WhatsApp))
	require.Empty(t, reason)
}

// setTo sets WhatsApp's limit as an operator's order does.
func (s *spine) setTo(perSecond float64) bool {
	s.t.Helper()
	var changed bool
	err := pgx.BeginFunc(s.t.Context(), s.pool, func(tx pgx.Tx) (err error) {
		changed, err = s.setRate(s.t.Context(), tx, s.ID, s.account(omniflow.WhatsApp), omniflow.MessagesLimiter, perSecond, false)
		return err
	})
	require.NoError(s.t, err)
	return changed
}

func TestSetRateTakesEffectWithinASecond(t *testing.T) {
	t.Parallel()
	s := limited(t, 0.1, 0)
	require.Equal(t, 1, s.lease(1).Slots)
	require.Greater(t, s.lease(1).Delay, 5*time.Second)
	require.True(t, s.setTo(50))
	require.False(t, s.setTo(50), "it was that already")
	l := s.lease(1)
	require.LessOrEqual(t, l.Delay, time.Second, "not after the ten seconds of the old rate")
	require.InDelta(t, 50, l.Rate, 1e-9)
	require.InDelta(t, 50, l.Limit, 1e-9)
}

func TestSetRateLeavesLeasedSlotsAlone(t *testing.T) {
	t.Parallel()
	s := limited(t, 80, 0)
	var end time.Time
	for s.lease(16).Slots > 0 { // as three processes do that hold a lease each
	}
	s.Scan(&end, `SELECT bulk_tat FROM limiters WHERE channel_account_id = $1`, s.account(omniflow.WhatsApp))
	require.True(t, s.setTo(70))
	var now time.Time
	s.Scan(&now, `SELECT bulk_tat FROM limiters WHERE channel_account_id = $1`, s.account(omniflow.WhatsApp))
	require.WithinDuration(t, end, now, micro, "new slots begin after the leased ones, or the two rates would add up")
}

func TestAnUnknownAccountHasNoLimiter(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	for _, id := range []uuid.UUID{newID(), s.account(omniflow.LINE)} { // LINE's goes by multicast calls
		_, err := s.Lease(t.Context(), id, omniflow.MessagesLimiter, 1)
		require.ErrorIs(t, err, pgx.ErrNoRows)
		require.ErrorContains(t, err, id.String())
		_, err = s.LeaseInteractive(t.Context(), id, omniflow.MessagesLimiter, time.Hour)
		require.ErrorIs(t, err, pgx.ErrNoRows)
		require.ErrorIs(t, s.Throttled(t.Context(), id, omniflow.MessagesLimiter, "429", 0), pgx.ErrNoRows)
	}
}

// The order finds the limiter by the content: 2,000 pushes where a name is in
// the text, 200 multicasts elsewhere.
func TestTheLimitOfAnOrderedRateFollowsTheContent(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]omniflow.LimiterName{"您好": omniflow.MulticastLimiter, "您好 " + omniflow.CustomerName: omniflow.MessagesLimiter} {
		t.Run(string(want), func(t *testing.T) {
			t.Parallel()
			s := newSpine(t)
			s.customers(omniflow.LINE, 1)
			s.plan(text)
			s.Exec(`INSERT INTO limiters (channel_account_id, name, team_id, limit_per_second, rate) VALUES ($1, 'messages', $2, 80, 80)`, s.account(omniflow.LINE), s.ID)
			order := omniflow.ControlOrder{TeamID: s.ID, BroadcastID: s.job.BroadcastID, ChannelAccountID: s.account(omniflow.LINE),
				Channel: omniflow.LINE, Order: omniflow.OrderSetRate, RatePerSecond: 150}
			changed, err := s.ControlBroadcast(t.Context(), order)
			require.NoError(t, err)
			require.True(t, changed)
			b, err := s.LoadBroadcast(t.Context(), s.ID, s.job.BroadcastID)
			require.NoError(t, err)
			require.Equal(t, want, b.Lanes[0].Limiter)
			require.InDelta(t, 150, b.Lanes[0].LimitPerSecond, 0)

			order.RatePerSecond = 1500
			_, err = s.ControlBroadcast(t.Context(), order)
			if want == omniflow.MulticastLimiter {
				var no *omniflow.Refusal
				require.ErrorAs(t, err, &no)
				require.Equal(t, omniflow.RateInvalid, no.Code)
				return
			}
			require.NoError(t, err)
		})
	}
}
