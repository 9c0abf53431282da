package activities_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/activities"
	"omniflow/internal/omniflow"
	"omniflow/internal/postgres/postgrestest"
	"omniflow/internal/simulator"
)

// order applies an order of the member to the lane of ch.
func (s *stage) order(ch omniflow.Channel, o omniflow.Order) {
	s.t.Helper()
	done, err := s.acts.ControlBroadcast(s.t.Context(), omniflow.ControlOrder{TeamID: s.ID, BroadcastID: s.lanes[ch].BroadcastID,
		ChannelAccountID: s.Account[string(ch)], Channel: ch, ActorID: s.Member, Order: o})
	require.NoError(s.t, err)
	require.True(s.t, done.Changed)
}

// last is when the provider of ch was last given a message.
func (s *stage) last(ch omniflow.Channel) (at time.Time, n int) {
	for _, d := range s.sim.Truth(simulator.Channel(ch), postgrestest.ExternalID(string(ch), s.Account[string(ch)])) {
		if n++; d.At.After(at) {
			at = d.At
		}
	}
	return at, n
}

// TestAnOrderTakesEffectWithinASecond: at any rate, also where one call
// carries 500 recipients, nothing leaves later than a second after it.
func TestAnOrderTakesEffectWithinASecond(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ch        omniflow.Channel
		customers int
		rate      float64 // calls per second; the provider's own limit is 80
		order     omniflow.Order
	}{
		{omniflow.LINE, 4000, 2, omniflow.OrderPause}, // one call in half a second
		{omniflow.LINE, 8000, 6, omniflow.OrderCancel},
		{omniflow.WhatsApp, 600, 1000, omniflow.OrderPause}, // as fast as it goes: only the provider holds it up
		{omniflow.WhatsApp, 600, 1000, omniflow.OrderCancel},
		{omniflow.Facebook, 200, 3, omniflow.OrderPause},
	} {
		t.Run(fmt.Sprintf("%s at %g a second, %s", c.ch, c.rate, c.order), func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.many(string(c.ch), c.customers)
			s.plan("週年慶 🎉")
			s.Exec(`UPDATE limiters SET limit_per_second = $2, rate = $2 WHERE channel_account_id = $1`, s.Account[string(c.ch)], c.rate)
			ended := make(chan activities.SendSliceResult)
			go func() { ended <- s.send(c.ch) }()
			require.Eventually(t, func() bool { _, n := s.last(c.ch); return n > 0 }, 20*time.Second, 10*time.Millisecond)
			s.order(c.ch, c.order)
			ordered := time.Now()
			result := <-ended
			require.Less(t, time.Since(ordered), 3*time.Second, "the slice comes back")
			require.Contains(t, []omniflow.Code{omniflow.HeldPaused, omniflow.HeldCancelled}, result.Held)
			at, n := s.last(c.ch)
			require.Less(t, n, c.customers)
			require.Less(t, at.Sub(ordered), time.Second)
		})
	}
}

// many adds customers in one statement.
func (s *stage) many(channel string, n int) {
	s.t.Helper()
	recipients := make([]string, n)
	for i := range recipients {
		recipients[i] = postgrestest.Recipient(channel, i)
	}
	s.Exec(`WITH r AS (SELECT gen_random_uuid() AS contact, gen_random_uuid() AS identity, * FROM unnest($1::text[]) AS r(external)),
		k AS (INSERT INTO contacts (id, team_id) SELECT contact, $2 FROM r),
		i AS (INSERT INTO channel_identities (id, team_id, contact_id, channel_account_id, external_id) SELECT identity, $2, contact, $3, external FROM r)
		INSERT INTO conversations (id, team_id, contact_id, channel_identity_id, channel_account_id, channel, state, follower_id, last_customer_message_at)
		SELECT gen_random_uuid(), $2, contact, identity, $3, $4, 'handling', $5, now() FROM r`, recipients, s.ID, s.Account[channel], channel, s.Member)
}

func TestALaneStopsWhenTooMuchFails(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.many("whatsapp", 600)
	s.plan("週年慶 🎉")
	var next []simulator.NextFault
	for i := range 600 {
		next = append(next, simulator.NextFault{Recipient: postgrestest.Recipient("whatsapp", i), Fault: simulator.Permanent})
	}
	s.fault(omniflow.WhatsApp, simulator.Faults{Next: next})
	result := s.send(omniflow.WhatsApp)
	require.Equal(t, omniflow.HeldStopped, result.Held)
	st, err := s.store.LaneStatus(t.Context(), s.lanes[omniflow.WhatsApp], 60)
	require.NoError(t, err)
	require.Equal(t, omniflow.Stopped, st.Control)
	require.Equal(t, string(omniflow.FailureRate), st.Reason)
	require.Equal(t, omniflow.WaitStopped, st.Waiting.Kind)
	require.GreaterOrEqual(t, st.Tally.Failed, omniflow.OutcomesAtLeast)
	require.Positive(t, st.Tally.Queued, "the rest waits for an operator")
	s.fault(omniflow.WhatsApp, simulator.Faults{})
	s.order(omniflow.WhatsApp, omniflow.OrderResume)
	require.True(t, s.send(omniflow.WhatsApp).Done)
	require.Equal(t, 600, s.tally(omniflow.WhatsApp).Failed+s.tally(omniflow.WhatsApp).Sent)
}

func TestQuotasAreRead(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	n, err := s.acts.RefreshQuotas(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n, "only LINE counts")
	var known bool
	s.Scan(&known, `SELECT quota_read_at IS NOT NULL AND quota_limit IS NULL AND quota_used = 0 FROM channel_accounts WHERE id = $1`, s.Account["line"])
	require.True(t, known)
	n, err = s.acts.RefreshQuotas(t.Context())
	require.NoError(t, err)
	require.Zero(t, n, "once an hour")
}

// Outside the hours of a broadcast nothing of it leaves and no row is touched;
// in them everything does.
func TestNothingLeavesOutsideTheHours(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.many("whatsapp", 5)
	s.plan("早安")
	lane := s.lanes[omniflow.WhatsApp]
	hours := func(from time.Duration) {
		at := time.Now().UTC().Add(from)
		s.Exec(`UPDATE broadcasts SET request = request || jsonb_build_object('hours', jsonb_build_object('from', $2::text, 'to', $3::text, 'timezone', 'UTC')) WHERE id = $1`,
			lane.BroadcastID, at.Format("15:04"), at.Add(4*time.Hour).Format("15:04"))
	}
	hours(2 * time.Hour)
	require.Equal(t, omniflow.HeldHours, s.send(omniflow.WhatsApp).Held)
	require.Empty(t, s.delivered(omniflow.WhatsApp))
	require.Equal(t, omniflow.Tally{Planned: 5, Queued: 5}, s.tally(omniflow.WhatsApp))
	st, err := s.store.LaneStatus(t.Context(), lane, 60)
	require.NoError(t, err)
	require.Equal(t, omniflow.WaitHours, st.Waiting.Kind)
	require.WithinDuration(t, time.Now().Add(2*time.Hour), *st.Waiting.Until, 2*time.Minute)

	hours(-2 * time.Hour)
	require.True(t, s.send(omniflow.WhatsApp).Done)
	require.Len(t, s.delivered(omniflow.WhatsApp), 5)
}
