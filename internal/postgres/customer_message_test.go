package postgres

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres/postgrestest"
)

// wrote is a message of the n-th customer of ch.
func (s *spine) wrote(ch omniflow.Channel, n int, provider string, at time.Time) omniflow.CustomerMessage {
	return omniflow.CustomerMessage{TeamID: s.ID, Channel: ch, ChannelAccountID: s.account(ch), Sender: postgrestest.Recipient(string(ch), n),
		ProviderID: provider, Kind: "text", Text: "請問 🙏", At: at, Raw: []byte(`{"a": 1}`)}
}

// last is when the customer wrote last.
func (s *spine) last(conversation uuid.UUID) time.Time {
	s.t.Helper()
	var at time.Time
	s.Scan(&at, `SELECT last_customer_message_at FROM conversations WHERE id = $1`, conversation)
	return at
}

func TestACustomerMessageIsStoredOnceForRepeatedWebhooks(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	conversation := s.customers(omniflow.WhatsApp, 1)[0]
	m := s.wrote(omniflow.WhatsApp, 0, "wamid.1", time.Now())
	require.Equal(t, omniflow.IntakeResult{Items: 1, Messages: 1}, s.drain(omniflow.Intake{Messages: []omniflow.CustomerMessage{m, m}}))
	require.Equal(t, omniflow.IntakeResult{Items: 1}, s.drain(omniflow.Intake{Messages: []omniflow.CustomerMessage{m}}))
	require.Equal(t, omniflow.IntakeResult{Items: 1, Messages: 1}, s.drain(omniflow.Intake{Messages: []omniflow.CustomerMessage{s.wrote(omniflow.WhatsApp, 0, "wamid.2", time.Now())}}))
	var ids []string
	s.Scan(&ids, `SELECT array_agg(provider_id ORDER BY provider_id) FROM inbound_messages WHERE conversation_id = $1 AND team_id = $2 AND body ->> 'text' = '請問 🙏'`, conversation, s.ID)
	require.Equal(t, []string{"wamid.1", "wamid.2"}, ids)
}

func TestTheWindowMovesForwardOnlyAndNeverIntoTheFuture(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	conversation := s.customers(omniflow.Facebook, 2)[0] // wrote an hour ago
	now := time.Now()
	for _, c := range []struct {
		name     string
		at, want time.Time
	}{
		{"later", now.Add(-30 * time.Minute), now.Add(-30 * time.Minute)},
		{"a webhook that comes late", now.Add(-40 * time.Minute), now.Add(-30 * time.Minute)},
		{"later again", now.Add(-10 * time.Minute), now.Add(-10 * time.Minute)},
		{"a clock that is ahead", now.Add(time.Hour), now},
	} {
		m := s.wrote(omniflow.Facebook, 0, c.name, c.at)
		require.Equal(t, 1, s.drain(omniflow.Intake{Messages: []omniflow.CustomerMessage{m}}).Messages)
		require.WithinDuration(t, c.want, s.last(conversation), 20*time.Second, c.name)
	}
	var future int
	s.Scan(&future, `SELECT count(*) FROM conversations WHERE last_customer_message_at > clock_timestamp()`)
	require.Zero(t, future)
	s.Exec(`UPDATE conversations SET last_customer_message_at = NULL WHERE id = $1`, conversation)
	s.drain(omniflow.Intake{Messages: []omniflow.CustomerMessage{s.wrote(omniflow.Facebook, 0, "first ever", now.Add(-time.Hour))}})
	require.WithinDuration(t, now.Add(-time.Hour), s.last(conversation), time.Millisecond)
}

func TestEX066AReplyOnLINEMarksEarlierMessagesRead(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.LINE, 2)
	fence := 0
	var sent []omniflow.ClaimedMessage
	for _, text := range []string{"一", "二", "三"} {
		s.plan(text)
		fence, _ = s.take(omniflow.LINE)
		claimed := s.claim(omniflow.LINE, fence, 9).Messages
		require.Len(t, claimed, 2)
		s.record(omniflow.Sent, claimed...)
		sent = append(sent, claimed...)
	}
	s.Exec(`UPDATE messages SET state = 'received' WHERE id = $1`, sent[2].ID)
	replied := time.Now()
	s.plan("四") // after the reply was written
	fence, _ = s.take(omniflow.LINE)
	later := s.claim(omniflow.LINE, fence, 9).Messages
	s.record(omniflow.Sent, later...)
	s.plan("五")
	fence, _ = s.take(omniflow.LINE)
	waiting := s.claim(omniflow.LINE, fence, 1).Messages
	require.Len(t, waiting, 1)

	for range 2 {
		s.drain(omniflow.Intake{Messages: []omniflow.CustomerMessage{s.wrote(omniflow.LINE, 0, "1", replied)}})
	}
	for i, m := range sent {
		want := omniflow.Sent
		if m.Recipient == postgrestest.Recipient("line", 0) {
			want = omniflow.Read
		}
		require.Equal(t, want, s.state(m.ID), "message %d", i)
	}
	for _, m := range later {
		require.Equal(t, omniflow.Sent, s.state(m.ID), "sent after the reply")
	}
	require.Equal(t, omniflow.Sending, s.state(waiting[0].ID))
	var read int
	s.Scan(&read, `SELECT count(*) FROM messages WHERE read_at IS NOT NULL`)
	require.Equal(t, 3, read)
}

func TestAReplyElsewhereMarksNothingRead(t *testing.T) {
	t.Parallel()
	for _, ch := range []omniflow.Channel{omniflow.WhatsApp, omniflow.Facebook, omniflow.Instagram} {
		t.Run(string(ch), func(t *testing.T) {
			t.Parallel()
			s := newSpine(t)
			m := s.sent(ch, 1, "您好")[0]
			s.drain(omniflow.Intake{Messages: []omniflow.CustomerMessage{s.wrote(ch, 0, "1", time.Now())}})
			require.Equal(t, omniflow.Sent, s.state(m.ID))
		})
	}
}
