package pace

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// limiter is a shared limiter in memory: exact, and in step with its clock.
type limiter struct {
	mu     sync.Mutex
	rate   float64
	tat    time.Time
	leased int
	asked  int
	err    error
	closed bool
}

func (l *limiter) Lease(_ context.Context, _ uuid.UUID, _ omniflow.LimiterName, n int) (omniflow.Lease, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	if l.err != nil {
		return omniflow.Lease{}, l.err
	}
	now := time.Now()
	if l.tat.Before(now) {
		l.tat = now
	}
	out := omniflow.Lease{Delay: l.tat.Sub(now), Interval: time.Duration(float64(time.Second) / l.rate), Rate: l.rate, Limit: l.rate}
	if l.closed || out.Delay > 600*time.Millisecond {
		return out, nil
	}
	out.Slots = n
	l.leased += n
	l.tat = l.tat.Add(time.Duration(n) * out.Interval)
	return out, nil
}

var account = uuid.MustParse("0190b6a4-0000-7000-8000-000000000001")

// takeFor lets so many goroutines take slots for a while and returns how many
// they got in all.
func takeFor(t *testing.T, p *Pacer, goroutines int, d time.Duration) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	var taken atomic.Int64
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for {
				n, err := p.Take(ctx, account, omniflow.MessagesLimiter, 64)
				if err != nil {
					return
				}
				taken.Add(int64(n))
			}
		})
	}
	wg.Wait()
	return int(taken.Load())
}

func TestManyTakersGetTheRateAndNeverMoreThanWasLeased(t *testing.T) {
	t.Parallel()
	for _, rate := range []float64{0.5, 5, 80, 2000} {
		synctest.Test(t, func(t *testing.T) {
			l := &limiter{rate: rate}
			taken := takeFor(t, New(l), 8, 20*time.Second)
			require.LessOrEqual(t, taken, l.leased)
			require.InDelta(t, 20*rate, taken, 20*rate*0.02+1, "at %g per second", rate)
		})
	}
}

func TestTwoProcessesShareOneLimiter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &limiter{rate: 80}
		var sum atomic.Int64
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { sum.Add(int64(takeFor(t, New(l), 4, 10*time.Second))) })
		}
		wg.Wait()
		require.LessOrEqual(t, int(sum.Load()), l.leased)
		require.InDelta(t, 800, int(sum.Load()), 24)
	})
}

func TestAPauseIsNotFollowedByABurst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := New(&limiter{rate: 100})
		_, err := p.Take(t.Context(), account, omniflow.MessagesLimiter, 64)
		require.NoError(t, err)
		<-time.After(time.Minute)
		require.LessOrEqual(t, takeFor(t, p, 8, 100*time.Millisecond), 12)
	})
}

func TestTakeEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := New(&limiter{rate: 80, closed: true})
		ctx, cancel := context.WithCancel(t.Context())
		errs := make(chan error, 3)
		for range 3 { // one holds the turn, two wait for it
			go func() {
				_, err := p.Take(ctx, account, omniflow.MessagesLimiter, 1)
				errs <- err
			}()
		}
		synctest.Wait()
		cancel()
		for range 3 {
			require.ErrorIs(t, <-errs, context.Canceled)
		}
	})
}

func TestAFaultOfTheLimiterIsTheTakers(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	l := &limiter{rate: 80, err: away}
	p := New(l)
	_, err := p.Take(t.Context(), account, omniflow.MessagesLimiter, 1)
	require.ErrorIs(t, err, away)
	l.err = nil
	n, err := p.Take(t.Context(), account, omniflow.MessagesLimiter, 1)
	require.NoError(t, err, "the turn was given back")
	require.Equal(t, 1, n)
}

func TestARefusedLeaseWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &limiter{rate: 10, tat: time.Now().Add(5 * time.Second)}
		began := time.Now()
		n, err := New(l).Take(t.Context(), account, omniflow.MessagesLimiter, 1)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.GreaterOrEqual(t, time.Since(began), 5*time.Second)
		require.LessOrEqual(t, l.asked, 7, "about once a second")
	})
}

func TestReturnedSlotsAreUsableForTheirTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &limiter{rate: 1000}
		p := New(l)
		_, err := p.Take(t.Context(), account, omniflow.MessagesLimiter, 1) // hears the rate
		require.NoError(t, err)
		n, err := p.Take(t.Context(), account, omniflow.MessagesLimiter, 64)
		require.NoError(t, err)
		require.Equal(t, 25, n)
		p.Return(account, omniflow.MessagesLimiter, n)
		began := time.Now()
		again, err := p.Take(t.Context(), account, omniflow.MessagesLimiter, 64)
		require.NoError(t, err)
		require.Equal(t, n, again)
		require.Zero(t, time.Since(began), "their time has come already")
		p.Return(account, omniflow.MessagesLimiter, n)
		<-time.After(time.Second)
		require.Zero(t, total(p.queue(key{account, omniflow.MessagesLimiter}), time.Now()), "too late")
	})
}

// Slots of a lease that is used up are lost: moved into the next lease they
// would fall into the time of another process.
func TestReturnNeverMovesSlotsIntoAnotherLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := New(nil)
		q := p.queue(key{account, omniflow.MessagesLimiter})
		now := time.Now()
		q.add(now, now, omniflow.Lease{Slots: 2, Interval: time.Millisecond, Rate: 1000})
		q.add(now, now, omniflow.Lease{Slots: 10, Delay: 30 * time.Millisecond, Interval: time.Millisecond, Rate: 1000})
		<-time.After(2 * time.Millisecond)
		require.Equal(t, 2, total(q, time.Now()))
		_, _ = q.wants(time.Now()) // the first lease is used up and gone
		p.Return(account, omniflow.MessagesLimiter, 2)
		<-time.After(28 * time.Millisecond)
		got := 0
		for range 20 {
			n, _ := q.take(time.Now(), 1)
			got += n
		}
		require.Equal(t, 1, got, "only the slot that is due")
		require.Equal(t, 9, q.leases[0].left)
	})
}

func TestReturnNeverMakesMoreThanWasTaken(t *testing.T) {
	t.Parallel()
	p := New(nil)
	q := p.queue(key{account, omniflow.MessagesLimiter})
	p.Return(account, omniflow.MessagesLimiter, 5)
	require.Empty(t, q.leases)
	q.add(start, start, omniflow.Lease{Slots: 4, Interval: 100 * time.Millisecond, Rate: 10})
	require.Equal(t, 1, total(q, start))
	p.Return(account, omniflow.MessagesLimiter, 3)
	p.Return(account, omniflow.MessagesLimiter, 3)
	require.Equal(t, 4, q.leases[0].left)
	require.Equal(t, start, q.leases[0].next)
	p.Return(account, omniflow.MessagesLimiter, -2)
	require.Equal(t, 4, q.leases[0].left)
}

func TestSlowDropsWhatWasLeased(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &limiter{rate: 1000}
		p := New(l)
		for range 2 {
			_, err := p.Take(t.Context(), account, omniflow.MessagesLimiter, 64)
			require.NoError(t, err)
		}
		l.closed = true
		p.Slow(account, omniflow.MessagesLimiter)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := p.Take(ctx, account, omniflow.MessagesLimiter, 64)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestLimitersAreApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &limiter{rate: 100}
		p := New(l)
		for range 3 {
			_, err := p.Take(t.Context(), account, omniflow.MessagesLimiter, 1)
			require.NoError(t, err)
		}
		p.Slow(account, omniflow.MulticastLimiter)
		require.NotEmpty(t, p.queue(key{account, omniflow.MessagesLimiter}).leases)
		require.NotSame(t, p.queue(key{account, omniflow.MessagesLimiter}), p.queue(key{account, omniflow.MulticastLimiter}))
	})
}
