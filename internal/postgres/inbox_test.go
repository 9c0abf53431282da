package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres/postgrestest"
)

// claimed plans texts to one customer a name and claims every first message.
func (s *spine) claimed(ch omniflow.Channel, customers int, texts ...string) []omniflow.ClaimedMessage {
	s.t.Helper()
	s.customers(ch, customers)
	s.plan(texts...)
	fence, _ := s.take(ch)
	return s.claim(ch, fence, 500).Messages
}

// sent is claimed, and accepted by the provider.
func (s *spine) sent(ch omniflow.Channel, customers int, texts ...string) []omniflow.ClaimedMessage {
	s.t.Helper()
	messages := s.claimed(ch, customers, texts...)
	require.Equal(s.t, len(messages), s.record(omniflow.Sent, messages...))
	return messages
}

func (s *spine) status(ch omniflow.Channel, m omniflow.ClaimedMessage, e omniflow.Evidence) omniflow.Status {
	return omniflow.Status{TeamID: s.ID, ChannelAccountID: s.account(ch), MessageID: m.ID, Attempt: m.Attempt, State: e, At: time.Now(), Raw: []byte(`{"a": 1}`)}
}

func (s *spine) state(id uuid.UUID) omniflow.MessageState {
	s.t.Helper()
	var state string
	s.Scan(&state, `SELECT state::text FROM messages WHERE id = $1`, id)
	return omniflow.MessageState(state)
}

// code is why a message failed, "" when it did not.
func (s *spine) code(id uuid.UUID) string {
	s.t.Helper()
	var code string
	s.Scan(&code, `SELECT COALESCE(code, '') FROM messages WHERE id = $1`, id)
	return code
}

// reasons lists the reasons of all dead letters.
func (s *spine) reasons() []omniflow.Code {
	s.t.Helper()
	var reasons []string
	s.Scan(&reasons, `SELECT COALESCE(array_agg(reason ORDER BY id), '{}') FROM dead_letters`)
	var out []omniflow.Code
	for _, r := range reasons {
		out = append(out, omniflow.Code(r))
	}
	return out
}

// requests puts n webhook requests into the inbox.
func (s *spine) requests(n int) {
	s.t.Helper()
	for i := range n {
		s.Exec(`INSERT INTO inbox (team_id, channel, channel_account_id, event_key, body) VALUES ($1, 'whatsapp', $2, $3, $4)`,
			s.ID, s.account(omniflow.WhatsApp), []byte{byte(i)}, fmt.Appendf(nil, "%d", i))
	}
}

func (s *spine) unprocessed() int {
	s.t.Helper()
	var n int
	s.Scan(&n, `SELECT count(*) FROM inbox WHERE processed_at IS NULL`)
	return n
}

// permutations is every order of items.
func permutations(items []omniflow.Evidence) [][]omniflow.Evidence {
	if len(items) == 0 {
		return [][]omniflow.Evidence{nil}
	}
	var out [][]omniflow.Evidence
	for i := range items {
		rest := append(slices.Clone(items[:i]), items[i+1:]...)
		for _, o := range permutations(rest) {
			out = append(out, append([]omniflow.Evidence{items[i]}, o...))
		}
	}
	return out
}

func TestStatusesInAnyOrderAndTwiceEndInRead(t *testing.T) {
	t.Parallel()
	all := permutations([]omniflow.Evidence{omniflow.Sent, omniflow.Received, omniflow.Read})
	all = append(all, permutations([]omniflow.Evidence{omniflow.Sent, omniflow.Read, omniflow.Received, omniflow.Failed})...)
	for _, before := range []omniflow.MessageState{omniflow.Sending, omniflow.Sent, omniflow.Unknown} {
		t.Run(string(before), func(t *testing.T) {
			t.Parallel()
			s := newSpine(t)
			messages := s.claimed(omniflow.WhatsApp, 2*len(all), "您好")
			if before != omniflow.Sending {
				s.record(before, messages...)
			}
			for step := range 8 { // one webhook a step and message, each evidence twice
				var in omniflow.Intake
				for i, order := range all {
					if n := len(order); step < 2*n {
						in.Statuses = append(in.Statuses, s.status(omniflow.WhatsApp, messages[i], order[step%n]))
					}
				}
				s.drain(in)
			}
			var in omniflow.Intake // and the same all at once
			for i, order := range all {
				for _, e := range append(order, order...) {
					in.Statuses = append(in.Statuses, s.status(omniflow.WhatsApp, messages[len(all)+i], e))
				}
			}
			s.drain(in)
			for i, m := range messages {
				require.Equal(t, omniflow.Read, s.state(m.ID), "order %v", all[i%len(all)])
			}
			require.Empty(t, s.reasons())
			var first, confirmed int
			s.Scan(&confirmed, `SELECT sum(confirmed) FROM webhook_evidence`)
			s.Scan(&first, `SELECT count(*) FROM messages WHERE confirmed_at IS NOT NULL AND sent_at IS NOT NULL AND read_at IS NOT NULL`)
			require.Equal(t, len(messages), confirmed, "each message is proof once")
			require.Equal(t, len(messages), first)
		})
	}
}

func TestEX065AFailureAfterAcceptanceIsShownWithItsReason(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	m := s.sent(omniflow.WhatsApp, 1, "您好")[0]
	failed := s.status(omniflow.WhatsApp, m, omniflow.Failed)
	failed.Code = "not_on_whatsapp"
	for _, changed := range []int{1, 0} {
		require.Equal(t, omniflow.IntakeResult{Items: 1, Changed: changed}, s.drain(omniflow.Intake{Statuses: []omniflow.Status{failed}}))
		require.Equal(t, omniflow.Failed, s.state(m.ID))
		require.Equal(t, "not_on_whatsapp", s.code(m.ID))
	}
	var event string
	s.Scan(&event, `SELECT state || ' ' || code FROM message_events WHERE message_id = $1`, m.ID)
	require.Equal(t, "failed not_on_whatsapp", event, "the recipient's timeline shows it")
}

// twice is a message whose first attempt is over and whose second is under way.
func (s *spine) twice() omniflow.ClaimedMessage {
	s.t.Helper()
	m := s.claimed(omniflow.WhatsApp, 1, "您好")[0]
	s.record(omniflow.Queued, m)
	fence, _ := s.take(omniflow.WhatsApp)
	again := s.claim(omniflow.WhatsApp, fence, 1).Messages[0]
	require.Equal(s.t, 2, again.Attempt)
	return again
}

func TestAFailureOfAnEarlierAttemptIsIgnored(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	m := s.twice()
	earlier := s.status(omniflow.WhatsApp, m, omniflow.Failed)
	earlier.Attempt = 1
	require.Zero(t, s.drain(omniflow.Intake{Statuses: []omniflow.Status{earlier}}).Changed)
	require.Equal(t, omniflow.Sending, s.state(m.ID))
	require.Equal(t, 1, s.record(omniflow.Sent, m))
	require.Equal(t, omniflow.Sent, s.state(m.ID))
	require.Empty(t, s.reasons())
}

func TestFailuresOfTwoAttemptsInOneBatch(t *testing.T) {
	t.Parallel()
	for _, order := range [][]int{{1, 2}, {2, 1}} {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			t.Parallel()
			s := newSpine(t)
			m := s.twice()
			var in omniflow.Intake
			for _, attempt := range order {
				failed := s.status(omniflow.WhatsApp, m, omniflow.Failed)
				failed.Attempt, failed.Code = attempt, omniflow.Code(fmt.Sprintf("code_%d", attempt))
				in.Statuses = append(in.Statuses, failed)
			}
			require.Equal(t, 1, s.drain(in).Changed)
			require.Equal(t, omniflow.Failed, s.state(m.ID))
			require.Equal(t, "code_2", s.code(m.ID))
		})
	}
}

func TestAStatusOfAnUnknownMessageIsADeadLetter(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	m := s.sent(omniflow.WhatsApp, 1, "您好")[0]
	lost := s.status(omniflow.WhatsApp, omniflow.ClaimedMessage{ID: newID(), Attempt: 1}, omniflow.Read)
	foreign := s.status(omniflow.Facebook, m, omniflow.Read) // our message, of another account
	result := s.drain(omniflow.Intake{Statuses: []omniflow.Status{lost, s.status(omniflow.WhatsApp, m, omniflow.Received), foreign}})
	require.Equal(t, omniflow.IntakeResult{Items: 1, Changed: 1, Dead: 2}, result)
	require.Equal(t, []omniflow.Code{omniflow.MessageUnknown, omniflow.MessageUnknown}, s.reasons())
	require.Equal(t, omniflow.Received, s.state(m.ID))
	letters, err := s.ListDeadLetters(t.Context(), s.ID, Page{Limit: 9})
	require.NoError(t, err)
	require.JSONEq(t, `{"a": 1}`, string(letters[0].Event))
	require.Equal(t, s.account(omniflow.WhatsApp), letters[0].ChannelAccountID)
}

// What a customer can type must not stop everybody's webhooks.
func TestWhatPostgreSQLCannotStoreStopsNothing(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]string{"NUL": "a\x00b", "half a character": "a\xffb", "both": "\x00\xff"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSpine(t)
			s.customers(omniflow.Instagram, 1)
			account := s.account(omniflow.Instagram)
			raws := []string{`{"a": "\u0000"}`, `{"b": "\ud800"}`, `{"a": "\\u0000 \ud83d\ude00"}`, "{\"c\": \"\xff\"}", "\"\x00\"", `{"a": `}
			var in omniflow.Intake
			for _, raw := range raws {
				in.Dead = append(in.Dead, omniflow.DeadLetter{TeamID: s.ID, ChannelAccountID: account, Reason: omniflow.EnvelopeInvalid, Event: []byte(raw)})
			}
			in.Messages = []omniflow.CustomerMessage{{TeamID: s.ID, Channel: omniflow.Instagram, ChannelAccountID: account, Sender: "700000000000",
				ProviderID: "p" + bad, Kind: "text" + bad, Text: bad, At: time.Now()}, {TeamID: s.ID, ChannelAccountID: account, Sender: bad, ProviderID: "q"}}
			in.Clues = []omniflow.Clue{{Status: s.status(omniflow.Instagram, omniflow.ClaimedMessage{}, omniflow.Sent), Recipient: bad, Text: bad, Echo: true}}
			in.Clues[0].ProviderID = bad
			in.Statuses = []omniflow.Status{s.status(omniflow.Instagram, omniflow.ClaimedMessage{ID: newID()}, omniflow.Failed)}
			in.Statuses[0].ProviderID, in.Statuses[0].Code = bad, omniflow.Code(bad)
			result := s.drain(in)
			require.Equal(t, omniflow.IntakeResult{Items: 1, Messages: 2, Dead: len(raws) + 1}, result)
			require.Zero(t, s.unprocessed())
			var kept string
			s.Scan(&kept, `SELECT event ->> 'a' FROM dead_letters ORDER BY id LIMIT 1 OFFSET 2`)
			require.Equal(t, `\u0000 😀`, kept, "what can be stored is left alone")
		})
	}
}

func TestACrashWhileReadingLeavesTheInboxAsItWas(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	m := s.sent(omniflow.WhatsApp, 1, "您好")[0]
	s.requests(2)
	require.PanicsWithValue(t, "killed", func() {
		_, _ = s.DrainInbox(t.Context(), 10, func([]omniflow.InboxItem) omniflow.Intake { panic("killed") })
	})
	require.Equal(t, 2, s.unprocessed())

	ctx, cancel := context.WithCancel(t.Context())
	_, err := s.DrainInbox(ctx, 10, func([]omniflow.InboxItem) omniflow.Intake {
		cancel() // the process dies after reading, before writing
		return omniflow.Intake{Statuses: []omniflow.Status{s.status(omniflow.WhatsApp, m, omniflow.Read)}}
	})
	require.ErrorIs(t, err, context.Canceled)
	// The server notices the cut connection a little later; until then the dead
	// transaction holds its requests, and another relay would skip them.
	s.Exec(`SELECT FROM inbox FOR UPDATE`)
	require.Equal(t, 2, s.unprocessed())
	require.Equal(t, omniflow.Sent, s.state(m.ID))

	result, err := s.DrainInbox(t.Context(), 10, func(items []omniflow.InboxItem) omniflow.Intake {
		require.Len(t, items, 2)
		require.Equal(t, []string{"0", "1"}, []string{string(items[0].Body), string(items[1].Body)}, "oldest first")
		return omniflow.Intake{Statuses: []omniflow.Status{s.status(omniflow.WhatsApp, m, omniflow.Read)}}
	})
	require.NoError(t, err)
	require.Equal(t, omniflow.IntakeResult{Items: 2, Changed: 1}, result)
	require.Zero(t, s.unprocessed())
	result, err = s.DrainInbox(t.Context(), 10, func([]omniflow.InboxItem) omniflow.Intake { panic("nothing is left") })
	require.NoError(t, err)
	require.Zero(t, result)
}

func TestTwoRelaysTakeDifferentRequests(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.requests(5)
	taken := func(items []omniflow.InboxItem) (out []string) {
		for _, i := range items {
			out = append(out, string(i.Body))
		}
		return out
	}
	var first, second, third []string
	_, err := s.DrainInbox(t.Context(), 3, func(items []omniflow.InboxItem) omniflow.Intake {
		first = taken(items)
		_, err := s.DrainInbox(t.Context(), 3, func(items []omniflow.InboxItem) omniflow.Intake { // meanwhile
			second = taken(items)
			return omniflow.Intake{}
		})
		require.NoError(t, err)
		return omniflow.Intake{}
	})
	require.NoError(t, err)
	require.Equal(t, []string{"0", "1", "2"}, first)
	require.Equal(t, []string{"3", "4"}, second)
	require.Empty(t, third)
	require.Zero(t, s.unprocessed())
}

func TestManyRelaysDrainEachRequestOnce(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.requests(60)
	var sum atomic.Int64
	errs := make(chan error, 6)
	for range 6 {
		go func() {
			for {
				result, err := s.DrainInbox(t.Context(), 4, func([]omniflow.InboxItem) omniflow.Intake { return omniflow.Intake{} })
				sum.Add(int64(result.Items))
				if err != nil || result.Items == 0 {
					errs <- err
					return
				}
			}
		}()
	}
	var all error
	for range 6 {
		all = errors.Join(all, <-errs)
	}
	require.NoError(t, all)
	require.Equal(t, int64(60), sum.Load())
	require.Zero(t, s.unprocessed())
}

func TestOneEventThatTheDatabaseRefusesHoldsUpNobody(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.WhatsApp, 1)
	for range 3 {
		s.Exec(`INSERT INTO inbox (team_id, channel, channel_account_id, event_key, body) VALUES ($1, 'whatsapp', $2, $3, '{}')`,
			s.ID, s.account(omniflow.WhatsApp), newID().String())
	}
	refused := omniflow.CustomerMessage{TeamID: s.ID, ChannelAccountID: s.account(omniflow.WhatsApp), ProviderID: "p", Kind: "text",
		Sender: postgrestest.Recipient("whatsapp", 0), At: time.Date(-10000, 1, 1, 0, 0, 0, 0, time.UTC), Raw: []byte(`{}`)}
	result, err := s.DrainInbox(t.Context(), 10, func(items []omniflow.InboxItem) omniflow.Intake {
		var in omniflow.Intake
		for _, item := range items {
			m := refused
			if item.ID%2 == 1 {
				m.At = time.Now()
			}
			m.ProviderID = strconv.FormatInt(item.ID, 10)
			in.Messages = append(in.Messages, m)
		}
		return in
	})
	require.NoError(t, err)
	require.Equal(t, omniflow.IntakeResult{Items: 3, Messages: 2, Dead: 1}, result)
	var left int
	s.Scan(&left, `SELECT count(*) FROM inbox WHERE processed_at IS NULL`)
	require.Zero(t, left)
}
