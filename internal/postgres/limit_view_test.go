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
}
