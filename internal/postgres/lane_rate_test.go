package postgres

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"omniflow/internal/omniflow"
)

// orderTo sets the rate of the WhatsApp lane of a broadcast.
func (s *spine) orderTo(broadcast uuid.UUID, perSecond float64) bool {
	s.t.Helper()
	changed, err := s.ControlBroadcast(s.t.Context(), omniflow.ControlOrder{TeamID: s.ID, BroadcastID: broadcast, ChannelAccountID: s.account(omniflow.WhatsApp),
		ActorID: s.Member, Order: omniflow.OrderSetRate, RatePerSecond: perSecond})
	require.NoError(s.t, err)
	return changed
}

// limits are the limit in force of the WhatsApp account and, while a lane's is,
// its own.
func (s *spine) limits() (limit float64, own *float64) {
	s.t.Helper()
	a, err := s.LoadAccount(s.t.Context(), s.ID, s.account(omniflow.WhatsApp))
	require.NoError(s.t, err)
	return a.Limiters[0].LimitPerSecond, a.Limiters[0].AccountLimit
}

func (s *spine) finish(broadcast uuid.UUID) {
	s.t.Helper()
	require.NoError(s.t, s.FinishBroadcast(s.t.Context(), s.ID, broadcast, omniflow.Completed))
}

func TestARateEndsWithItsLane(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(s *spine){
		"the lane has nothing left": func(s *spine) {
			s.Exec(`UPDATE messages SET state = 'sent'`)
			s.tally(omniflow.WhatsApp)
		},
		"the broadcast ends":               func(s *spine) { s.finish(s.job.BroadcastID) },
		"the broadcast ends a second time": func(s *spine) { s.finish(s.job.BroadcastID); s.finish(s.job.BroadcastID) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSpine(t)
			s.customers(omniflow.WhatsApp, 2)
			s.plan("您好")
			require.True(t, s.orderTo(s.job.BroadcastID, 20))
			require.False(t, s.orderTo(s.job.BroadcastID, 20), "a second click is a no-op")
			s.tally(omniflow.WhatsApp)
			limit, own := s.limits()
			require.InDelta(t, 20, limit, 0, "as long as something is left")
			require.InDelta(t, 80, *own, 0)
			b, err := s.LoadBroadcast(t.Context(), s.ID, s.job.BroadcastID)
			require.NoError(t, err)
			require.Equal(t, s.job.BroadcastID, *b.Lanes[0].RateOf)
			require.Equal(t, s.Member, *b.Lanes[0].RateBy)
			require.Equal(t, "Jess", b.Lanes[0].RateByName)
			require.InDelta(t, 80, b.Lanes[0].AccountLimit, 0)

			end(s)
			limit, own = s.limits()
			require.InDelta(t, 80, limit, 0)
			require.Nil(t, own)
			b, err = s.LoadBroadcast(t.Context(), s.ID, s.job.BroadcastID)
			require.NoError(t, err)
			require.Nil(t, b.Lanes[0].RateOf)
			require.Empty(t, b.Lanes[0].RateByName)
		})
	}
}

// Two broadcasts share an account: the newest order holds, and what is left of
// them when one ends.
func TestTheNewestRateOfAnAccountHolds(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.WhatsApp, 2)
	first := s.plan("一").job.BroadcastID
	second := s.plan("二").job.BroadcastID
	for _, c := range []struct {
		name string
		do   func()
		want float64
	}{
		{"the first", func() { s.orderTo(first, 20) }, 20},
		{"the second after it", func() { s.orderTo(second, 40) }, 40},
		{"the first again, the same", func() { require.True(t, s.orderTo(first, 20)) }, 20},
		{"the first ends", func() { s.finish(first) }, 40},
		{"the account", func() {
			require.NoError(t, s.SetAccountRate(t.Context(), s.ID, s.account(omniflow.WhatsApp), 30, By{ActorID: s.Member, Reason: "r"}))
		}, 30},
		{"the second ends", func() { s.finish(second) }, 30},
	} {
		c.do()
		limit, _ := s.limits()
		require.InDelta(t, c.want, limit, 0, c.name)
	}
	b, err := s.LoadBroadcast(t.Context(), s.ID, second)
	require.NoError(t, err)
	require.Nil(t, b.Lanes[0].RateOf, "the account's own")
	require.Equal(t, "Jess", b.Lanes[0].RateByName)
}

func TestRatesThatEndAtOnceGiveTheAccountBack(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.WhatsApp, 2)
	var broadcasts []uuid.UUID
	for i := range 6 {
		broadcasts = append(broadcasts, s.plan("x").job.BroadcastID)
		s.orderTo(broadcasts[i], float64(10+i))
	}
	var all errgroup.Group
	for _, id := range broadcasts {
		all.Go(func() error { return s.FinishBroadcast(t.Context(), s.ID, id, omniflow.Completed) })
	}
	require.NoError(t, all.Wait())
	limit, own := s.limits()
	require.InDelta(t, 80, limit, 0)
	require.Nil(t, own)
}

func TestARateOfALaneThatIsToComeWaitsForIt(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.WhatsApp, 2)
	s.plan("您好")
	s.Exec(`DELETE FROM messages`)
	s.Exec(`DELETE FROM broadcast_lanes`)
	s.Exec(`UPDATE broadcasts SET planned_at = NULL`)
	require.True(t, s.orderTo(s.job.BroadcastID, 20))
	limit, _ := s.limits()
	require.InDelta(t, 80, limit, 0, "an agent is not slowed by what has not begun")
	_, err := s.PlanBroadcast(t.Context(), s.job)
	require.NoError(t, err)
	limit, _ = s.limits()
	require.InDelta(t, 20, limit, 0)
}

func TestALaneThatHasEndedTakesNoRate(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.WhatsApp, 1)
	s.plan("您好")
	s.Exec(`UPDATE messages SET state = 'sent'`)
	for ch, code := range map[omniflow.Channel]omniflow.Code{omniflow.WhatsApp: omniflow.BroadcastFinished, omniflow.Facebook: omniflow.NotFound} {
		_, err := s.ControlBroadcast(t.Context(), omniflow.ControlOrder{TeamID: s.ID, BroadcastID: s.job.BroadcastID, ChannelAccountID: s.account(ch),
			Order: omniflow.OrderSetRate, RatePerSecond: 20})
		var no *omniflow.Refusal
		require.ErrorAs(t, err, &no)
		require.Equal(t, code, no.Code)
	}
	limit, _ := s.limits()
	require.InDelta(t, 80, limit, 0)
}

func TestAThrottledAccountCreepsWhenALaneEnds(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.WhatsApp, 1)
	s.plan("您好")
	s.orderTo(s.job.BroadcastID, 20)
	require.NoError(t, s.Throttled(t.Context(), s.account(omniflow.WhatsApp), omniflow.MessagesLimiter, "130429", 0))
	s.finish(s.job.BroadcastID)
	b, err := s.LoadBroadcast(t.Context(), s.ID, s.job.BroadcastID)
	require.NoError(t, err)
	require.InDelta(t, 80, b.Lanes[0].LimitPerSecond, 0)
	require.Less(t, b.Lanes[0].RateNow, 40.0, "the provider granted less a moment ago")
	require.Equal(t, "130429", b.Lanes[0].Reason)
}
