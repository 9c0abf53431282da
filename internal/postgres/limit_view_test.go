package postgres

import (
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

func TestLimitsAndBacklogAreShown(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	limits, err := s.Limits(t.Context())
	require.NoError(t, err)
	require.Len(t, limits, 4)
	require.Zero(t, limits[0].Booked, "an idle limiter has booked nothing")
	_, err = s.Lease(t.Context(), s.account(omniflow.WhatsApp), omniflow.MessagesLimiter, 16)
	require.NoError(t, err)
	s.Exec(`INSERT INTO inbox (team_id, channel, channel_account_id, event_key, body, received_at) VALUES ($1, 'whatsapp', $2, 'k', '{}', now() - interval '1 minute')`,
		s.ID, s.account(omniflow.WhatsApp))
	s.Exec(`INSERT INTO outbox_signals (id, team_id, workflow, workflow_id, input, signal, created_at, delivered_at) VALUES
		(gen_random_uuid(), $1, 'w', 'a', '{}', 's', now() - interval '2 minutes', NULL), (gen_random_uuid(), $1, 'w', 'b', '{}', 's', now() - interval '1 hour', now())`, s.ID)
	s.customers(omniflow.WhatsApp, 3)
	s.plan("x")
	s.Exec(`UPDATE messages SET state = 'unknown', due_at = now(), attempted_at = now() - (CASE seq WHEN 0 THEN '24.5 hours' WHEN 1 THEN '26 hours' ELSE '1 minute' END)::interval`)
	s.Exec(`UPDATE channel_accounts SET state = 'stopped' WHERE id = $1`, s.account(omniflow.LINE))
	limits, err = s.Limits(t.Context())
	require.NoError(t, err)
	booked := 0.0
	for _, l := range limits {
		booked += l.Booked
	}
	require.Greater(t, booked, 0.0)
	waiting, err := s.Backlog(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, waiting.Inbox)
	require.GreaterOrEqual(t, waiting.InboxSeconds, 60.0)
	require.Equal(t, 1, waiting.StoppedAccounts)
	require.Equal(t, 1, waiting.Signals, "one was delivered")
	require.InDelta(t, 120, waiting.SignalsSeconds, 30)
	require.Equal(t, 3, waiting.Unknown)
	require.InDelta(t, 26*3600, waiting.UnknownSeconds, 30)
	require.Equal(t, 1, waiting.Undecided, "an hour after the day that a team has by default")
}
