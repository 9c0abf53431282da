package postgres

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// together lets as many relays apply the intakes at once, each one its own.
func (s *spine) together(intakes ...omniflow.Intake) {
	s.t.Helper()
	var gate sync.WaitGroup
	gate.Add(len(intakes))
	calls := make([]func() error, len(intakes))
	for i, in := range intakes {
		s.Exec(`INSERT INTO inbox (team_id, channel, channel_account_id, event_key, body) VALUES ($1, 'whatsapp', $2, $3, '{}')`, s.ID, s.account(omniflow.WhatsApp), uuid.NewString())
		calls[i] = func() error {
			_, err := s.DrainInbox(s.t.Context(), 1, func([]omniflow.InboxItem) omniflow.Intake {
				gate.Done()
				gate.Wait()
				return in
			})
			return err
		}
	}
	for _, err := range race(calls...) {
		require.NoError(s.t, err, "no batch waits for another that waits for it")
	}
}

// answered is a message of the member to a conversation, sent, and what a
// webhook says of it.
func (s *spine) answered(ch omniflow.Channel, conversation uuid.UUID, e omniflow.Evidence) omniflow.Status {
	s.t.Helper()
	id := s.say(conversation, omniflow.OriginAgent, s.Member, text("x"))
	s.Exec(`UPDATE messages SET state = 'sent', sent_at = now(), attempted_at = now(), attempt = 1, confirmed_at = now() WHERE id = $1`, id)
	s.Exec(`UPDATE conversations SET armed_until = NULL WHERE id = $1`, conversation) // it has to be told
	return s.status(ch, omniflow.ClaimedMessage{ID: id, Attempt: 1}, e)
}

// Two relays have statuses and messages of the same conversations, the one in
// the order in which the other has them not.
func TestTwoRelaysNeverWaitForEachOther(t *testing.T) {
	t.Parallel()
	const rounds = 25
	for _, ch := range []omniflow.Channel{omniflow.WhatsApp, omniflow.LINE} {
		t.Run("statuses and messages on "+string(ch), func(t *testing.T) {
			t.Parallel()
			s := newSpine(t)
			c := s.customers(ch, 2)
			for range rounds {
				var in [2]omniflow.Intake
				for i := range in {
					in[i].Statuses = []omniflow.Status{s.answered(ch, c[1-i], omniflow.Received)}
					in[i].Messages = []omniflow.CustomerMessage{s.wrote(ch, i, uuid.NewString(), time.Now())}
				}
				s.together(in[:]...)
			}
			require.Equal(t, 2*rounds, s.countOf(`SELECT count(*) FROM inbound_messages`))
		})
	}
	t.Run("echoes of one text, and statuses", func(t *testing.T) {
		t.Parallel()
		s := newSpine(t)
		c := s.customers(omniflow.Instagram, 1)
		for round := range rounds {
			var statuses []omniflow.Status
			var clues []omniflow.Clue
			for i := range 4 {
				statuses = append(statuses, s.answered(omniflow.Instagram, c[0], omniflow.Sent))
				clues = append(clues, s.echo(0, fmt.Sprintf("mid.%d.%d", round, i), "x"))
			}
			s.Exec(`UPDATE messages SET state = 'unknown' WHERE id >= $1`, statuses[0].MessageID)
			s.together(omniflow.Intake{Clues: clues}, omniflow.Intake{Statuses: statuses})
		}
		require.Zero(t, s.countOf(`SELECT count(*) FROM messages WHERE state = 'unknown'`))
	})
	t.Run("groups", func(t *testing.T) {
		t.Parallel()
		s := newSpine(t)
		var said, joined []omniflow.GroupEvent
		var wrote []omniflow.CustomerMessage
		for i := range 3 {
			name := fmt.Sprint("group ", i)
			id := s.newGroup(name, omniflow.CallUnderWay)
			_, err := s.DecideGroup(t.Context(), s.ID, id, omniflow.GroupSucceeded, "", name, "")
			require.NoError(t, err)
			e := omniflow.GroupEvent{TeamID: s.ID, ChannelAccountID: s.account(omniflow.WhatsApp), GroupID: name, User: "886911000001", UserHash: "h1"}
			e.Type = omniflow.OnMemberJoined
			joined = append(joined, e)
			e.Type, e.User, e.UserHash = omniflow.OnSuspended, "", ""
			said = append(said, e)
			m := s.says(omniflow.WhatsApp, "886911000001", "hi")
			m.GroupID = name
			wrote = append(wrote, m)
		}
		unknown := omniflow.GroupEvent{TeamID: s.ID, ChannelAccountID: s.account(omniflow.WhatsApp), Type: omniflow.OnMemberJoined, Raw: []byte(`{}`)}
		for range rounds {
			var in [2]omniflow.Intake
			for i := range in {
				for n := range said {
					said[n].At, joined[n].At = said[n].At.Add(time.Second), time.Now()
					wrote[n].ProviderID = uuid.NewString()
				}
				in[i] = omniflow.Intake{Groups: slices.Concat(said, joined), Messages: slices.Clone(wrote)}
				for n := range 5 {
					unknown.GroupID = fmt.Sprint("nobody's ", n)
					in[i].Groups = append(in[i].Groups, unknown)
				}
			}
			slices.Reverse(in[1].Groups)
			slices.Reverse(in[1].Messages)
			s.together(in[:]...)
			unknown.At = unknown.At.Add(time.Second)
		}
		require.Equal(t, 6*rounds, s.countOf(`SELECT count(*) FROM inbound_messages`))
	})
	t.Run("stops", func(t *testing.T) {
		t.Parallel()
		s := newSpine(t)
		s.customers(omniflow.WhatsApp, 1)
		messages := s.claimed(omniflow.LINE, 1, "您好")
		fence, _ := s.take(omniflow.WhatsApp)
		messages = append(messages, s.claim(omniflow.WhatsApp, fence, 1).Messages...)
		for range rounds {
			s.Exec(`UPDATE channel_accounts SET state = 'active'`)
			s.Exec(`UPDATE broadcast_lanes SET control = 'running'`)
			var stops []omniflow.Stop
			for _, m := range messages {
				stops = append(stops, omniflow.Stop{TeamID: s.ID, Template: true, MessageID: m.ID, Reason: omniflow.ProviderRejected})
			}
			for _, ch := range []omniflow.Channel{omniflow.WhatsApp, omniflow.LINE, omniflow.Facebook} {
				stops = append(stops, omniflow.Stop{TeamID: s.ID, ChannelAccountID: s.account(ch), Code: "190"})
			}
			back := slices.Clone(stops)
			slices.Reverse(back)
			s.together(omniflow.Intake{Stops: stops}, omniflow.Intake{Stops: back})
		}
		require.Equal(t, 3, s.countOf(`SELECT count(*) FROM channel_accounts WHERE state = 'stopped'`))
		require.Zero(t, s.countOf(`SELECT count(*) FROM broadcast_lanes WHERE control = 'running'`))
	})
}

// A run has looked and is about to sleep: what it did not see wakes it.
func TestAWebhookWakesARunThatIsAboutToSleep(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.WhatsApp)
	m := c.doubted()
	c.Exec(`UPDATE conversations SET armed_until = now() WHERE id = $1`, c.id)
	run := c.begin()
	_, err := run.Exec(t.Context(), `UPDATE conversations SET armed_until = now() + interval '1 minute' WHERE id = $1`, c.id)
	require.NoError(t, err)
	before := c.signals(c.id)
	told := make(chan omniflow.IntakeResult)
	go func() { told <- c.evidence(omniflow.WhatsApp, m, omniflow.Sent, "wamid.1") }()
	c.blocked(1)
	require.NoError(t, run.Commit(t.Context()))
	require.Equal(t, 1, (<-told).Changed)
	require.Equal(t, before+1, c.signals(c.id))
}
