package postgres

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres/migrations"
	"omniflow/internal/postgres/postgrestest"
)

// spine is a team with one account a channel and a planned broadcast.
type spine struct {
	*Store
	*postgrestest.Team
	t     *testing.T
	job   omniflow.BroadcastJob
	lanes map[omniflow.Channel]omniflow.Lane
}

func migrateUp(ctx context.Context, dsn string) error {
	_, err := migrations.Up(ctx, dsn)
	return err
}

// newSpine makes a team with an account on each channel and no customers.
func newSpine(t *testing.T) *spine {
	t.Helper()
	dsn := postgrestest.New(t, migrateUp)
	store, err := Open(t.Context(), dsn, 8)
	require.NoError(t, err)
	t.Cleanup(store.Close)
	return &spine{Store: store, Team: postgrestest.NewTeam(t, dsn), t: t, lanes: map[omniflow.Channel]omniflow.Lane{}}
}

func (s *spine) account(ch omniflow.Channel) uuid.UUID { return s.Account[string(ch)] }

func (s *spine) customers(ch omniflow.Channel, n int) []uuid.UUID {
	s.t.Helper()
	return s.Customers(string(ch), n)
}

// plan accepts and plans a broadcast of the given texts to everybody.
func (s *spine) plan(texts ...string) *spine {
	s.t.Helper()
	request := omniflow.BroadcastRequest{Kind: omniflow.BroadcastMessage, Audience: omniflow.Audience{All: true}}
	for _, text := range texts {
		request.Messages = append(request.Messages, omniflow.Content{Kind: omniflow.Text, Text: text})
	}
	body, err := json.Marshal(request)
	require.NoError(s.t, err)
	id := s.Broadcast(body)
	s.job, err = s.BroadcastJob(s.t.Context(), s.ID, id)
	require.NoError(s.t, err)
	planned, err := s.PlanBroadcast(s.t.Context(), s.job)
	require.NoError(s.t, err)
	require.True(s.t, planned)
	lanes, err := s.BroadcastLanes(s.t.Context(), s.ID, id)
	require.NoError(s.t, err)
	for _, lane := range lanes {
		s.lanes[lane.Channel] = lane
	}
	return s
}

// slice is the whole lane of ch.
func (s *spine) slice(ch omniflow.Channel) omniflow.Slice {
	return omniflow.Slice{Lane: s.lanes[ch], From: 0, To: s.lanes[ch].Planned}
}

// take takes the fence of ch's only slice.
func (s *spine) take(ch omniflow.Channel) (fence, ambiguous int) {
	s.t.Helper()
	fence, ambiguous, err := s.TakeSlice(s.t.Context(), s.slice(ch), time.Minute)
	require.NoError(s.t, err)
	return fence, ambiguous
}

// claim claims up to n rows of ch's slice from its beginning.
func (s *spine) claim(ch omniflow.Channel, fence, n int) omniflow.Claimed {
	s.t.Helper()
	c := omniflow.Claim{Slice: s.slice(ch), Fence: fence, Max: n, ActorID: s.Member}
	window := omniflow.WindowOfBroadcast(omniflow.BroadcastMessage, ch)
	c.Window, c.WindowCode = window.Max, window.Code
	if ch == omniflow.LINE {
		c.RetryKey = newID()
	}
	claimed, err := s.ClaimMessages(s.t.Context(), c)
	require.NoError(s.t, err)
	return claimed
}

// record writes one outcome for each message.
func (s *spine) record(state omniflow.MessageState, messages ...omniflow.ClaimedMessage) int {
	s.t.Helper()
	var records []omniflow.Record
	for _, m := range messages {
		r := omniflow.Record{MessageID: m.ID, Attempt: m.Attempt, State: state, At: time.Now()}
		if state == omniflow.Unknown {
			r.DueAt, r.Code = m.AttemptedAt.Add(time.Minute), omniflow.OutcomeUnknown
		}
		records = append(records, r)
	}
	n, err := s.RecordMessages(s.t.Context(), s.ID, records)
	require.NoError(s.t, err)
	return n
}

// tally counts ch's lane and checks the accounting identity.
func (s *spine) tally(ch omniflow.Channel) omniflow.Tally {
	s.t.Helper()
	st, err := s.LaneStatus(s.t.Context(), s.lanes[ch], 60)
	require.NoError(s.t, err)
	st.Tally.Planned = s.lanes[ch].Planned
	require.True(s.t, st.Tally.Balanced(), "%+v", st.Tally)
	return st.Tally
}

// age moves every attempt of ch's lane into the past.
func (s *spine) age(ch omniflow.Channel, by time.Duration) {
	s.Exec(`UPDATE messages SET attempted_at = attempted_at - $2::interval, due_at = due_at - $2::interval WHERE channel_account_id = $1`, s.account(ch), by)
}
