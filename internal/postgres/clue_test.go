package postgres

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres/postgrestest"
)

// clue is evidence e about a message to the n-th customer, found by id.
func (s *spine) clue(ch omniflow.Channel, n int, e omniflow.Evidence, provider string) omniflow.Clue {
	return omniflow.Clue{Recipient: postgrestest.Recipient(string(ch), n), Status: omniflow.Status{TeamID: s.ID, ChannelAccountID: s.account(ch),
		State: e, ProviderID: provider, At: time.Now(), Raw: fmt.Appendf(nil, `{"a": %q, "to": %d}`, provider, n)}}
}

// echo is Instagram's echo of text to the n-th customer.
func (s *spine) echo(n int, provider, text string) omniflow.Clue {
	c := s.clue(omniflow.Instagram, n, omniflow.Sent, provider)
	c.Echo, c.Text = true, text
	return c
}

func (s *spine) clues(clues ...omniflow.Clue) omniflow.IntakeResult {
	s.t.Helper()
	return s.drain(omniflow.Intake{Clues: clues})
}

func TestAnInstagramEchoIsMatchedByTextAndTime(t *testing.T) {
	t.Parallel()
	for _, state := range []omniflow.MessageState{omniflow.Sending, omniflow.Unknown} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			s := newSpine(t)
			messages := s.claimed(omniflow.Instagram, 2, "到店禮 🎁")
			if state == omniflow.Unknown {
				s.record(state, messages...)
			}
			for _, miss := range []omniflow.Clue{
				s.echo(0, "mid.1", "別的訊息"), s.echo(9, "mid.2", "到店禮 🎁"), s.echo(0, "mid.3", ""), s.echo(0, "mid.4", "到店禮 🎁 了"),
			} {
				require.Equal(t, omniflow.IntakeResult{Items: 1}, s.clues(miss), "not ours, and no dead letter: %q to %s", miss.Text, miss.Recipient)
			}
			early := s.echo(0, "mid.5", "到店禮 🎁")
			early.At = time.Now().Add(-time.Minute)
			require.Zero(t, s.clues(early).Changed, "an echo from before the attempt")
			for _, changed := range []int{1, 0} {
				require.Equal(t, omniflow.IntakeResult{Items: 1, Changed: changed}, s.clues(s.echo(0, "mid.6", "到店禮 🎁")))
			}
			require.Equal(t, omniflow.Sent, s.state(messages[0].ID))
			require.Equal(t, state, s.state(messages[1].ID), "another recipient")
			var provider string
			s.Scan(&provider, `SELECT provider_id FROM messages WHERE id = $1`, messages[0].ID)
			require.Equal(t, "mid.6", provider)
			require.Empty(t, s.reasons())
		})
	}
}

// Two broadcasts sent the same text to the same person, and both answers were lost.
func TestTwoEchoesOfOneTextAreTwoMessages(t *testing.T) {
	t.Parallel()
	for _, together := range []bool{true, false} {
		t.Run(map[bool]string{true: "in one batch", false: "one by one"}[together], func(t *testing.T) {
			t.Parallel()
			s := newSpine(t)
			first := s.claimed(omniflow.Instagram, 1, "您好")
			s.record(omniflow.Unknown, first...)
			s.plan("您好")
			fence, _ := s.take(omniflow.Instagram)
			second := s.claim(omniflow.Instagram, fence, 9).Messages
			require.Len(t, second, 1)
			s.record(omniflow.Unknown, second...)
			one, other := s.echo(0, "mid.1", "您好"), s.echo(0, "mid.2", "您好")
			if together {
				require.Equal(t, omniflow.IntakeResult{Items: 1, Changed: 2}, s.clues(one, one, other, other))
			} else {
				require.Equal(t, 1, s.clues(one).Changed)
				require.Equal(t, 1, s.clues(other).Changed)
			}
			require.Equal(t, omniflow.Sent, s.state(first[0].ID))
			require.Equal(t, omniflow.Sent, s.state(second[0].ID))
			var ids int
			s.Scan(&ids, `SELECT count(DISTINCT provider_id) FROM messages`)
			require.Equal(t, 2, ids)
		})
	}
}

// Both relays look for the newest message at the same time.
func TestTwoRelaysMatchEchoesToDifferentMessages(t *testing.T) {
	t.Parallel()
	const people = 20
	s := newSpine(t)
	s.record(omniflow.Unknown, s.claimed(omniflow.Instagram, people, "您好")...)
	s.plan("您好")
	fence, _ := s.take(omniflow.Instagram)
	s.record(omniflow.Unknown, s.claim(omniflow.Instagram, fence, people).Messages...)
	s.requests(2)
	var both sync.WaitGroup
	both.Add(2)
	errs := make(chan error, 2)
	for relay := range 2 {
		go func() {
			_, err := s.DrainInbox(t.Context(), 1, func([]omniflow.InboxItem) omniflow.Intake {
				both.Done()
				both.Wait()
				var in omniflow.Intake
				for i := range people { // in opposite orders
					n := i + relay*(people-1-2*i)
					in.Clues = append(in.Clues, s.echo(n, fmt.Sprintf("mid.%d.%d", relay, n), "您好"))
				}
				return in
			})
			errs <- err
		}()
	}
	require.NoError(t, errors.Join(<-errs, <-errs))
	var sent int
	s.Scan(&sent, `SELECT count(DISTINCT provider_id) FROM messages WHERE state = 'sent'`)
	require.Equal(t, 2*people, sent)
}

func TestAnEchoGoesByItsIDFirst(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	first := s.claimed(omniflow.Instagram, 1, "您好")
	s.Exec(`UPDATE messages SET provider_id = 'mid.1'`)
	s.record(omniflow.Sent, first...)
	s.plan("您好")
	fence, _ := s.take(omniflow.Instagram)
	second := s.claim(omniflow.Instagram, fence, 9).Messages
	s.record(omniflow.Unknown, second...)
	require.Zero(t, s.clues(s.echo(0, "mid.1", "您好")).Changed)
	require.Equal(t, omniflow.Unknown, s.state(second[0].ID), "the echo of the first proves nothing about the second")
}

func TestAFailureWithoutOurKeyIsFoundByTheProvidersID(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	messages := s.sent(omniflow.WhatsApp, 2, "您好")
	s.Exec(`UPDATE messages SET provider_id = 'wamid.' || seq`)
	failed := s.clue(omniflow.WhatsApp, 0, omniflow.Failed, "wamid.0")
	failed.Code = "window_closed"
	require.Equal(t, omniflow.IntakeResult{Items: 1, Changed: 1}, s.clues(failed))
	require.Equal(t, omniflow.Failed, s.state(messages[0].ID))
	require.Equal(t, "window_closed", s.code(messages[0].ID))
	require.Equal(t, omniflow.Sent, s.state(messages[1].ID))
	require.Equal(t, omniflow.IntakeResult{Items: 1, Dead: 1}, s.clues(s.clue(omniflow.WhatsApp, 1, omniflow.Failed, "wamid.0")), "of another recipient")
	require.Equal(t, omniflow.IntakeResult{Items: 1, Dead: 1}, s.clues(s.clue(omniflow.WhatsApp, 1, omniflow.Failed, "wamid.9")))
	require.Equal(t, []omniflow.Code{omniflow.MessageUnknown, omniflow.MessageUnknown}, s.reasons())
}

func TestAWatermarkIsAboutEarlierAcceptedMessagesOnly(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	earlier := s.sent(omniflow.Facebook, 2, "一", "二")
	s.age(omniflow.Facebook, time.Hour)
	fence, _ := s.take(omniflow.Facebook)
	later := s.claim(omniflow.Facebook, fence, 9).Messages
	require.Len(t, later, 2)
	s.record(omniflow.Sent, later[0])

	mark := func(e omniflow.Evidence, before time.Duration) omniflow.IntakeResult {
		c := s.clue(omniflow.Facebook, 0, e, "")
		c.Watermark, c.At = true, time.Now().Add(-before)
		return s.clues(c)
	}
	states := func(want ...omniflow.MessageState) {
		t.Helper()
		require.Equal(t, want, []omniflow.MessageState{s.state(earlier[0].ID), s.state(later[0].ID), s.state(earlier[1].ID), s.state(later[1].ID)})
	}
	require.Equal(t, omniflow.IntakeResult{Items: 1}, mark(omniflow.Read, 2*time.Hour), "before everything: no dead letter either")
	states(omniflow.Sent, omniflow.Sent, omniflow.Sent, omniflow.Sending)
	require.Equal(t, 1, mark(omniflow.Received, time.Minute).Changed)
	states(omniflow.Received, omniflow.Sent, omniflow.Sent, omniflow.Sending)
	require.Equal(t, 2, mark(omniflow.Read, 0).Changed)
	states(omniflow.Read, omniflow.Read, omniflow.Sent, omniflow.Sending)
	require.Zero(t, mark(omniflow.Received, 0).Changed)
	c := s.clue(omniflow.Facebook, 1, omniflow.Read, "")
	c.Watermark = true
	require.Equal(t, 1, s.clues(c).Changed, "what is in sending was not accepted yet")
	states(omniflow.Read, omniflow.Read, omniflow.Read, omniflow.Sending)
	require.Empty(t, s.reasons())
}
