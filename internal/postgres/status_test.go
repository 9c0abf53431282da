package postgres

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

func TestEvidenceIsNotLostToARecordUnderWay(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.WhatsApp, 1)
	s.plan("你好")
	fence, _ := s.take(omniflow.WhatsApp)
	m := s.claim(omniflow.WhatsApp, fence, 1).Messages[0]

	recorder, err := s.pool.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = recorder.Rollback(t.Context()) }()
	_, err = recorder.Exec(t.Context(), `UPDATE messages SET state = 'unknown', code = 'outcome_unknown' WHERE id = $1`, m.ID)
	require.NoError(t, err)
	merged := make(chan omniflow.IntakeResult)
	go func() { merged <- s.evidence(omniflow.WhatsApp, m, omniflow.Sent, "wamid.1") }()
	require.Eventually(t, func() bool {
		var waiting int
		s.Scan(&waiting, `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`)
		return waiting > 0
	}, 10*time.Second, time.Millisecond)
	require.NoError(t, recorder.Commit(t.Context()))
	require.Equal(t, 1, (<-merged).Changed)
	require.Equal(t, 1, s.tally(omniflow.WhatsApp).Sent)
}

func TestSilenceIsNoProofWhileWebhooksWaitInTheInbox(t *testing.T) {
	t.Parallel()
	s, _ := ambiguous(t, 30, 25)
	s.Exec(`UPDATE messages SET attempted_at = attempted_at - interval '2 minutes', due_at = now() WHERE state = 'unknown'`)
	s.Exec(`INSERT INTO inbox (team_id, channel, channel_account_id, event_key, body, received_at) VALUES ($1, 'whatsapp', $2, 'k', '{}', now() - interval '90 seconds')`,
		s.ID, s.account(omniflow.WhatsApp))
	require.Equal(t, omniflow.Reconciled{Postponed: 1}, s.reconcileNow(omniflow.WhatsApp, omniflow.Prove))
	_, err := s.DrainInbox(t.Context(), 10, func([]omniflow.InboxItem) omniflow.Intake { return omniflow.Intake{} })
	require.NoError(t, err)
	s.Exec(`UPDATE messages SET due_at = now() WHERE state = 'unknown'`)
	require.Equal(t, omniflow.Reconciled{Requeued: 1}, s.reconcileNow(omniflow.WhatsApp, omniflow.Prove))
}

func TestPurgeKeepsReleasedKeys(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	key := RequestKey{TeamID: s.ID, ActorID: s.Member, Key: "k"}
	first, err := s.ClaimRequest(t.Context(), key, []byte("f"), time.Minute)
	require.NoError(t, err)
	require.NoError(t, s.ReleaseRequest(t.Context(), key, first.Token))
	require.NoError(t, s.Purge(t.Context()))
	again, err := s.ClaimRequest(t.Context(), key, []byte("f"), time.Minute)
	require.NoError(t, err)
	require.Equal(t, first.ResourceID, again.ResourceID, "the same request makes the same thing")
}
