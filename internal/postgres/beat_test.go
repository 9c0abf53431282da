package postgres

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

func TestTheLastOutcomesAreCounted(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.WhatsApp, 650)
	s.plan("一")
	lane := s.lanes[omniflow.WhatsApp]
	fence, _ := s.take(omniflow.WhatsApp)
	outcomes := func() omniflow.Outcomes {
		o, err := s.Beat(t.Context(), lane)
		require.NoError(t, err)
		return o
	}
	require.Equal(t, omniflow.Outcomes{}, outcomes())
	claimed := s.claim(omniflow.WhatsApp, fence, 50).Messages
	s.record(omniflow.Failed, claimed...)
	require.Equal(t, omniflow.Outcomes{Failed: 50}, outcomes())
	for range 12 {
		claimed = s.claim(omniflow.WhatsApp, fence, 50).Messages
		s.record(omniflow.Sent, claimed...)
	}
	require.Equal(t, omniflow.Outcomes{Taken: 500}, outcomes(), "what is older than 500 is forgotten")
	for _, m := range claimed[:10] { // WhatsApp tells of most failures later
		s.evidence(omniflow.WhatsApp, m, omniflow.Failed, "")
	}
	require.Equal(t, omniflow.Outcomes{Taken: 490, Failed: 10}, outcomes())
	_, err := s.StopLane(t.Context(), lane, omniflow.FailureRate)
	require.NoError(t, err)
	changed, err := s.ControlBroadcast(t.Context(), omniflow.ControlOrder{TeamID: s.ID, BroadcastID: s.job.BroadcastID, ActorID: s.Member, Order: omniflow.OrderResume})
	require.NoError(t, err)
	require.True(t, changed)
	require.Equal(t, omniflow.Outcomes{}, outcomes(), "who resumes begins anew")
}

func TestALaneSaysWhyItIsNotMoving(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.WhatsApp, 3)
	s.plan("一")
	lane := s.lanes[omniflow.WhatsApp]
	why := func() omniflow.Waiting {
		st, err := s.LaneStatus(t.Context(), lane, 60)
		require.NoError(t, err)
		return st.Waiting
	}
	require.Empty(t, why().Kind, "planned just now")
	s.Exec(`UPDATE broadcasts SET planned_at = now() - interval '1 minute'`)
	require.Equal(t, omniflow.WaitWorker, why().Kind)
	_, err := s.Beat(t.Context(), lane)
	require.NoError(t, err)
	require.Empty(t, why().Kind)
	s.Exec(`UPDATE limiters SET bulk_tat = now() + interval '1 second' WHERE channel_account_id = $1`, s.account(omniflow.WhatsApp))
	require.Equal(t, omniflow.WaitLimit, why().Kind)
	require.NoError(t, s.Throttled(t.Context(), s.account(omniflow.WhatsApp), omniflow.MessagesLimiter, "130429", time.Minute))
	require.Equal(t, omniflow.WaitThrottle, why().Kind)
	require.Equal(t, "130429", why().Code)
	s.order(omniflow.OrderPause)
	require.Equal(t, omniflow.WaitPaused, why().Kind)
	require.Equal(t, &s.Member, why().By)
	require.Empty(t, why().ByName, "SYS-12: what a run is told holds no name")
	s.order(omniflow.OrderResume)
	_, err = s.StopAccount(t.Context(), s.ID, s.account(omniflow.WhatsApp), "131031")
	require.NoError(t, err)
	require.Equal(t, omniflow.WaitStopped, why().Kind)
	require.Equal(t, "131031", why().Code)
	s.order(omniflow.OrderResume)
	fence, _ := s.take(omniflow.WhatsApp)
	messages := s.claim(omniflow.WhatsApp, fence, 3).Messages
	s.record(omniflow.Unknown, messages[:2]...)
	_, err = s.RecordMessages(t.Context(), s.ID, []omniflow.Record{{MessageID: messages[2].ID, Attempt: 1, State: omniflow.Queued, Code: omniflow.ProviderDown,
		At: time.Now(), DueAt: time.Now().Add(time.Minute)}})
	require.NoError(t, err)
	require.Equal(t, omniflow.WaitBackoff, why().Kind)
	require.WithinDuration(t, time.Now().Add(time.Minute), *why().Until, 5*time.Second)
	s.evidence(omniflow.WhatsApp, messages[2], omniflow.Received, "")
	require.Equal(t, omniflow.WaitWebhooks, why().Kind)
	require.Equal(t, 2, why().Rows)
	s.evidence(omniflow.WhatsApp, messages[0], omniflow.Received, "")
	s.evidence(omniflow.WhatsApp, messages[1], omniflow.Received, "")
	require.Empty(t, why().Kind)
}

// order applies an order of the member to every lane.
func (s *spine) order(o omniflow.Order) {
	s.t.Helper()
	changed, err := s.ControlBroadcast(s.t.Context(), omniflow.ControlOrder{TeamID: s.ID, BroadcastID: s.job.BroadcastID, ActorID: s.Member, Order: o, Reason: "why"})
	require.NoError(s.t, err)
	require.True(s.t, changed)
}
