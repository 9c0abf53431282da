package postgres

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// evidence puts a webhook about m into the inbox's drain.
func (s *spine) evidence(ch omniflow.Channel, m omniflow.ClaimedMessage, e omniflow.Evidence, provider string) omniflow.IntakeResult {
	s.t.Helper()
	return s.drain(omniflow.Intake{Statuses: []omniflow.Status{{TeamID: s.ID, ChannelAccountID: s.account(ch), MessageID: m.ID,
		Attempt: m.Attempt, State: e, ProviderID: provider, At: time.Now(), Raw: []byte(`{}`)}}})
}

// drain gives an intake to DrainInbox through one inbox row.
func (s *spine) drain(in omniflow.Intake) omniflow.IntakeResult {
	s.t.Helper()
	s.Exec(`INSERT INTO inbox (team_id, channel, channel_account_id, event_key, body) VALUES ($1, 'whatsapp', $2, $3, '{}')`,
		s.ID, s.account(omniflow.WhatsApp), newID().NodeID())
	result, err := s.DrainInbox(s.t.Context(), 10, func([]omniflow.InboxItem) omniflow.Intake { return in })
	require.NoError(s.t, err)
	return result
}

func (s *spine) reconcileNow(ch omniflow.Channel, p omniflow.UnknownPolicy) omniflow.Reconciled {
	s.t.Helper()
	r, err := s.ReconcileLane(s.t.Context(), s.lanes[ch], p, time.Minute, 24*time.Hour)
	require.NoError(s.t, err)
	return r
}

// ambiguous is a lane of n rows of which the first is unknown and the others
// were sent later; confirmed of them have been confirmed by webhooks.
func ambiguous(t *testing.T, n, confirmed int) (*spine, omniflow.ClaimedMessage) {
	s := newSpine(t)
	s.customers(omniflow.WhatsApp, n+1)
	s.plan("你好")
	fence, _ := s.take(omniflow.WhatsApp)
	lost := s.claim(omniflow.WhatsApp, fence, 1).Messages[0]
	s.record(omniflow.Unknown, lost)
	s.age(omniflow.WhatsApp, 5*time.Second)
	later := s.claim(omniflow.WhatsApp, fence, n).Messages
	require.Len(t, later, n)
	s.record(omniflow.Sent, later...)
	for _, m := range later[:confirmed] {
		s.evidence(omniflow.WhatsApp, m, omniflow.Sent, "wamid."+m.Recipient)
	}
	return s, lost
}

func TestSilenceIsNoProofBeforeTheWebhookPathIsProvenAlive(t *testing.T) {
	t.Parallel()
	s, _ := ambiguous(t, 30, 19)
	require.Equal(t, omniflow.Reconciled{}, s.reconcileNow(omniflow.WhatsApp, omniflow.Prove), "not due yet")
	s.Exec(`UPDATE messages SET attempted_at = attempted_at - interval '2 minutes', due_at = now() WHERE state = 'unknown'`)
	require.Equal(t, omniflow.Reconciled{Postponed: 1}, s.reconcileNow(omniflow.WhatsApp, omniflow.Prove))
	require.Equal(t, 1, s.tally(omniflow.WhatsApp).Unknown)
}

func TestAbsenceIsProvenBy20LaterMessages(t *testing.T) {
	t.Parallel()
	s, lost := ambiguous(t, 30, 20)
	s.Exec(`UPDATE messages SET attempted_at = attempted_at - interval '2 minutes', due_at = now() WHERE state = 'unknown'`)
	require.Equal(t, omniflow.Reconciled{Requeued: 1}, s.reconcileNow(omniflow.WhatsApp, omniflow.Prove))
	fence, _ := s.take(omniflow.WhatsApp)
	again := s.claim(omniflow.WhatsApp, fence, 9).Messages
	require.Len(t, again, 1)
	require.Equal(t, lost.ID, again[0].ID)
	require.Equal(t, 2, again[0].Attempt, "a new attempt has a new key")
}

func TestRepeatedWebhooksAreOneProof(t *testing.T) {
	t.Parallel()
	s, _ := ambiguous(t, 30, 15)
	var id omniflow.ClaimedMessage
	s.Scan(&id.ID, `SELECT id FROM messages WHERE confirmed_at IS NOT NULL LIMIT 1`)
	id.Attempt = 1
	for range 10 {
		s.evidence(omniflow.WhatsApp, id, omniflow.Received, "")
	}
	s.Exec(`UPDATE messages SET attempted_at = attempted_at - interval '2 minutes', due_at = now() WHERE state = 'unknown'`)
	require.Equal(t, omniflow.Reconciled{Postponed: 1}, s.reconcileNow(omniflow.WhatsApp, omniflow.Prove))
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		policy omniflow.UnknownPolicy
		age    time.Duration
		want   omniflow.Reconciled
		tally  omniflow.Tally
	}{
		{"prove waits", omniflow.Prove, time.Hour, omniflow.Reconciled{Postponed: 1}, omniflow.Tally{Planned: 1, Unknown: 1}},
		{"prove gives up after 24 h", omniflow.Prove, 24*time.Hour + time.Second, omniflow.Reconciled{GivenUp: 1}, omniflow.Tally{Planned: 1, Failed: 1}},
		{"fail fails", omniflow.Fail, 2 * time.Minute, omniflow.Reconciled{GivenUp: 1}, omniflow.Tally{Planned: 1, Failed: 1}},
		{"resend sends again", omniflow.Resend, 2 * time.Minute, omniflow.Reconciled{Requeued: 1}, omniflow.Tally{Planned: 1, Queued: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, _ := ambiguous(t, 0, 0)
			s.age(omniflow.WhatsApp, c.age)
			require.Equal(t, c.want, s.reconcileNow(omniflow.WhatsApp, c.policy))
			require.Equal(t, c.tally, s.tally(omniflow.WhatsApp))
		})
	}
}

func TestACancelledLaneSendsNothingThatWasNeverTaken(t *testing.T) {
	t.Parallel()
	s, _ := ambiguous(t, 0, 0)
	s.Exec(`UPDATE broadcast_lanes SET control = 'cancelled'`)
	s.age(omniflow.WhatsApp, 2*time.Minute)
	require.Equal(t, omniflow.Reconciled{Requeued: 1}, s.reconcileNow(omniflow.WhatsApp, omniflow.Resend))
	require.Equal(t, 1, s.tally(omniflow.WhatsApp).Cancelled)
}

func TestALateEchoRescuesAMessageThatWasGivenUp(t *testing.T) {
	t.Parallel()
	s, lost := ambiguous(t, 0, 0)
	s.age(omniflow.WhatsApp, 25*time.Hour)
	s.reconcileNow(omniflow.WhatsApp, omniflow.Prove)
	require.Equal(t, 1, s.tally(omniflow.WhatsApp).Failed)
	require.Equal(t, 1, s.evidence(omniflow.WhatsApp, lost, omniflow.Sent, "wamid.late").Changed)
	require.Equal(t, 1, s.tally(omniflow.WhatsApp).Sent)
}

func TestAGapInTheWebhooksIsNoSilence(t *testing.T) {
	t.Parallel()
	s, _ := ambiguous(t, 30, 29) // one neighbour still waits for its own webhook
	s.age(omniflow.WhatsApp, 2*time.Minute)
	require.Equal(t, omniflow.Reconciled{Postponed: 1}, s.reconcileNow(omniflow.WhatsApp, omniflow.Prove))
	s.Exec(`UPDATE messages SET confirmed_at = now() WHERE state = 'sent'`)
	s.Exec(`UPDATE messages SET due_at = now() WHERE state = 'unknown'`)
	require.Equal(t, omniflow.Reconciled{Requeued: 1}, s.reconcileNow(omniflow.WhatsApp, omniflow.Prove))
}

func TestWatermarksProveNothingAndRaiseDoubt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		clue omniflow.Clue
	}{
		{"a receipt that covers the time", omniflow.Clue{Watermark: true, Status: omniflow.Status{State: omniflow.Received}}},
		{"an echo that matches nothing", omniflow.Clue{Echo: true, Text: "shortened by the provider", Status: omniflow.Status{State: omniflow.Sent, ProviderID: "mid.x"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, lost := ambiguous(t, 30, 30)
			var before, after int
			s.Scan(&before, `SELECT sum(confirmed) FROM webhook_evidence`)
			clue := c.clue
			clue.TeamID, clue.ChannelAccountID, clue.Recipient, clue.At = s.ID, s.account(omniflow.WhatsApp), lost.Recipient, time.Now()
			s.drain(omniflow.Intake{Clues: []omniflow.Clue{clue}})
			s.Scan(&after, `SELECT sum(confirmed) FROM webhook_evidence`)
			require.Equal(t, before, after)
			s.age(omniflow.WhatsApp, 2*time.Minute)
			require.Equal(t, omniflow.Reconciled{Postponed: 1}, s.reconcileNow(omniflow.WhatsApp, omniflow.Prove))
		})
	}
}

func TestALateAnswerRescuesARowThatWasGivenBack(t *testing.T) {
	t.Parallel()
	s, lost := ambiguous(t, 30, 30)
	s.age(omniflow.WhatsApp, 2*time.Minute)
	require.Equal(t, omniflow.Reconciled{Requeued: 1}, s.reconcileNow(omniflow.WhatsApp, omniflow.Prove))
	require.Equal(t, 1, s.record(omniflow.Sent, lost))
	require.Equal(t, 31, s.tally(omniflow.WhatsApp).Sent)
}
