package postgres

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// claimChunkFrom claims one multicast call of LINE from a slice's cursor.
func (s *spine) claimChunkFrom(sl omniflow.Slice, fence, cursor, n int) omniflow.Claimed {
	s.t.Helper()
	claimed, err := s.ClaimMessages(s.t.Context(), omniflow.Claim{Slice: sl, Fence: fence, Cursor: cursor, Max: n, RetryKey: newID(), ActorID: s.Member})
	require.NoError(s.t, err)
	return claimed
}

// doubt records that the call of some rows was perhaps taken, due again at a time.
func (s *spine) doubt(messages []omniflow.ClaimedMessage, due time.Time) {
	s.t.Helper()
	var records []omniflow.Record
	for _, m := range messages {
		records = append(records, omniflow.Record{MessageID: m.ID, Attempt: m.Attempt, State: omniflow.Queued, Code: omniflow.OutcomeUnknown,
			KeepKey: true, At: time.Now(), DueAt: due})
	}
	_, err := s.RecordMessages(s.t.Context(), s.ID, records)
	require.NoError(s.t, err)
}

// A slice that does not begin at the lane's beginning looks for its doubtful
// calls too, before fresh rows, and in a cancelled lane finishes them all.
func TestDoubtfulCallsOfALaterSliceGoAgainFirst(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.LINE, 60)
	s.plan("你好")
	sl := omniflow.Slice{Lane: s.lanes[omniflow.LINE], From: 20, To: 60}
	fence, _, err := s.TakeSlice(t.Context(), sl, time.Minute)
	require.NoError(t, err)
	first, second := s.claimChunkFrom(sl, fence, 20, 10), s.claimChunkFrom(sl, fence, 30, 10)
	require.Len(t, first.Messages, 10)
	require.Len(t, second.Messages, 10)
	s.doubt(first.Messages, time.Now())
	s.doubt(second.Messages, time.Now().Add(time.Hour))

	again := s.claimChunkFrom(sl, fence, 20, 500)
	require.Equal(t, keysOf(first.Messages), keysOf(again.Messages), "whole, under its key, in its order")
	require.True(t, again.Messages[0].Again)
	fresh := s.claimChunkFrom(sl, fence, 20, 500)
	require.Len(t, fresh.Messages, 20, "the other call is not due yet, so the rest of the slice is next")
	require.False(t, fresh.Messages[0].Again)

	s.Exec(`UPDATE broadcast_lanes SET control = 'cancelled'`)
	require.Equal(t, omniflow.HeldCancelled, s.claimChunkFrom(sl, fence, 20, 500).Held)
	s.Exec(`UPDATE messages SET due_at = now() WHERE due_at IS NOT NULL`)
	require.Equal(t, keysOf(second.Messages), keysOf(s.claimChunkFrom(sl, fence, 20, 500).Messages), "what is under way is finished (SYS-10)")
}

// Outside the hours of a broadcast only what is under way is claimed.
func TestAClaimThatFinishesTakesNothingFresh(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.LINE, 20)
	s.customers(omniflow.WhatsApp, 5)
	s.plan("你好")
	fence, _ := s.take(omniflow.LINE)
	first := s.claimChunkFrom(s.slice(omniflow.LINE), fence, 0, 10)
	s.doubt(first.Messages, time.Now())
	finish := omniflow.Claim{Slice: s.slice(omniflow.LINE), Fence: fence, Max: 500, RetryKey: newID(), ActorID: s.Member, Finish: true}
	claimed, err := s.ClaimMessages(t.Context(), finish)
	require.NoError(t, err)
	require.Equal(t, keysOf(first.Messages), keysOf(claimed.Messages))
	claimed, err = s.ClaimMessages(t.Context(), finish)
	require.NoError(t, err)
	require.Empty(t, claimed.Messages)
	require.Equal(t, omniflow.HeldHours, claimed.Held)

	fence, _ = s.take(omniflow.WhatsApp)
	claimed, err = s.ClaimMessages(t.Context(), omniflow.Claim{Slice: s.slice(omniflow.WhatsApp), Fence: fence, Max: 64, ActorID: s.Member, Finish: true})
	require.NoError(t, err)
	require.Equal(t, omniflow.HeldHours, claimed.Held)
	require.Equal(t, 5, s.tally(omniflow.WhatsApp).Queued)
}

// keysOf is id and retry key of each message, in order.
func keysOf(messages []omniflow.ClaimedMessage) [][2]uuid.UUID {
	var keys [][2]uuid.UUID
	for _, m := range messages {
		keys = append(keys, [2]uuid.UUID{m.ID, m.RetryKey})
	}
	return keys
}

// Claimers of one fence, an order to cancel and the cancelling of what is left
// run at once: no row is claimed twice, none after it was cancelled.
func TestClaimsAndACancellationAtOnce(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.WhatsApp, 400)
	s.plan("你好")
	fence, _ := s.take(omniflow.WhatsApp)
	var mu sync.Mutex
	claims := map[uuid.UUID]int{}
	var group sync.WaitGroup
	faults := make(chan error, 16)
	for range 4 {
		group.Go(func() {
			for {
				claimed, err := s.ClaimMessages(t.Context(), omniflow.Claim{Slice: s.slice(omniflow.WhatsApp), Fence: fence, Max: 9, ActorID: s.Member})
				if err != nil {
					faults <- err
					return
				}
				mu.Lock()
				for _, m := range claimed.Messages {
					claims[m.ID]++
				}
				enough := len(claims) > 100
				mu.Unlock()
				if enough || len(claimed.Messages) == 0 {
					return
				}
			}
		})
	}
	group.Go(func() {
		_, err := s.pool.Exec(t.Context(), `UPDATE broadcast_lanes SET control = 'cancelled' WHERE channel_account_id = $1`, s.account(omniflow.WhatsApp))
		if err == nil {
			_, err = s.CancelLane(t.Context(), s.lanes[omniflow.WhatsApp])
		}
		if err != nil {
			faults <- err
		}
	})
	group.Wait()
	close(faults)
	for err := range faults {
		require.NoError(t, err)
	}
	for id, n := range claims {
		require.Equal(t, 1, n, id)
		var state string
		s.Scan(&state, `SELECT state::text FROM messages WHERE id = $1`, id)
		require.Equal(t, "sending", state)
	}
	tally := s.tally(omniflow.WhatsApp)
	require.Equal(t, len(claims), tally.Sending)
}

// Every call is in the timeline once, whether its trace lies in the row or
// beside it, also when a webhook told of it first.
func TestTheTimelineHasEveryCallOnce(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	conversations := s.customers(omniflow.WhatsApp, 1)
	s.plan("你好")
	fence, _ := s.take(omniflow.WhatsApp)
	record := func(m omniflow.ClaimedMessage, r omniflow.Record) {
		r.MessageID, r.Attempt, r.At, r.Latency = m.ID, m.Attempt, time.Now(), 30*time.Millisecond
		_, err := s.RecordMessages(t.Context(), s.ID, []omniflow.Record{r})
		require.NoError(t, err)
	}
	m := s.claim(omniflow.WhatsApp, fence, 1).Messages[0]
	record(m, omniflow.Record{State: omniflow.Queued, Code: omniflow.ProviderThrottled, HTTPStatus: 429, FaultCode: "130429", Trace: "t1"})
	m = s.claim(omniflow.WhatsApp, fence, 1).Messages[0]
	s.Exec(`UPDATE messages SET state = 'sent', sent_at = attempted_at - interval '1 second'`) // a webhook by a clock that is behind
	record(m, omniflow.Record{State: omniflow.Sent, ProviderID: "wamid.1", HTTPStatus: 200, Trace: "t2", Tries: 1})
	record(omniflow.ClaimedMessage{ID: m.ID, Attempt: 1}, omniflow.Record{State: omniflow.Sent, ProviderID: "wamid.0", HTTPStatus: 200, Trace: "t3"}) // of an attempt that is over
	items, err := s.Timeline(t.Context(), s.ID, s.job.BroadcastID, conversations[0])
	require.NoError(t, err)
	var calls [][]any
	planned := false
	for _, item := range items {
		planned = planned || item.Kind == "planned"
		if item.Kind == "attempt" {
			require.True(t, planned, "no call before the plan")
			calls = append(calls, []any{item.Attempt, item.HTTPStatus, item.LatencyMS, item.Code, item.Trace})
		}
	}
	require.ElementsMatch(t, [][]any{{1, 429, 30, "130429", "t1"}, {2, 200, 30, "", "t2"}, {1, 200, 30, "", "t3"}}, calls)
}
