package postgres

import (
	"context"
	"encoding/json"
	"fmt"
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
	t       *testing.T
	team    uuid.UUID
	actor   uuid.UUID
	account map[omniflow.Channel]uuid.UUID
	job     omniflow.BroadcastJob
	lanes   map[omniflow.Channel]omniflow.Lane
}

func migrateUp(ctx context.Context, dsn string) error {
	_, err := migrations.Up(ctx, dsn)
	return err
}

// newSpine makes a team with an account on each channel and no customers.
func newSpine(t *testing.T) *spine {
	t.Helper()
	store, err := Open(t.Context(), postgrestest.New(t, migrateUp), 8)
	require.NoError(t, err)
	t.Cleanup(store.Close)
	s := &spine{Store: store, t: t, team: newID(), actor: newID(), account: map[omniflow.Channel]uuid.UUID{}, lanes: map[omniflow.Channel]omniflow.Lane{}}
	s.exec(`INSERT INTO teams (team_id, name, plan, reconcile_after) VALUES ($1, 'team', 'omo', '1 minute')`, s.team)
	s.exec(`INSERT INTO members (id, team_id, name, role) VALUES ($1, $2, 'Jess', 'sales_staff')`, s.actor, s.team)
	for _, ch := range omniflow.BroadcastChannels {
		id := newID()
		s.account[ch] = id
		s.exec(`INSERT INTO channel_accounts (id, team_id, channel, name, external_id, secrets) VALUES ($1, $2, $3, 'a', $4, '')`, id, s.team, string(ch), id.String())
		s.exec(`INSERT INTO limiters (channel_account_id, name, team_id, limit_per_second, rate, reserve) VALUES ($1, $2, $3, 80, 80, 0.02)`, id, string(limiterOf(ch)), s.team)
	}
	return s
}

func (s *spine) exec(sql string, args ...any) {
	s.t.Helper()
	_, err := s.pool.Exec(s.t.Context(), sql, args...)
	require.NoError(s.t, err)
}

func (s *spine) scan(dest any, sql string, args ...any) {
	s.t.Helper()
	require.NoError(s.t, s.pool.QueryRow(s.t.Context(), sql, args...).Scan(dest))
}

// customers adds n conversations on ch, handled by the actor, whose customers
// wrote an hour ago; it returns their ids in the order of their places.
func (s *spine) customers(ch omniflow.Channel, n int) []uuid.UUID {
	s.t.Helper()
	ids := make([]uuid.UUID, n)
	for i := range n {
		ids[i] = s.customer(ch, fmt.Sprintf("%s-%04d", ch, i), time.Hour-time.Duration(i)*time.Millisecond)
	}
	return ids
}

func (s *spine) customer(ch omniflow.Channel, recipient string, silent time.Duration) uuid.UUID {
	s.t.Helper()
	contact, identity, conversation := newID(), newID(), newID()
	s.exec(`INSERT INTO contacts (id, team_id, customer_id) VALUES ($1, $2, $3)`, contact, s.team, recipient)
	s.exec(`INSERT INTO channel_identities (id, team_id, contact_id, channel_account_id, external_id) VALUES ($1, $2, $3, $4, $5)`,
		identity, s.team, contact, s.account[ch], recipient)
	s.exec(`INSERT INTO conversations (id, team_id, contact_id, channel_identity_id, channel_account_id, channel, state, follower_id, last_customer_message_at)
		VALUES ($1, $2, $3, $4, $5, $6, 'handling', $7, now() - $8::interval)`,
		conversation, s.team, contact, identity, s.account[ch], string(ch), s.actor, silent)
	return conversation
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
	id := newID()
	s.exec(`INSERT INTO broadcasts (id, team_id, actor_id, kind, client, request, workflow_id) VALUES ($1, $2, $3, 'broadcast_message', 'web', $4, $5)`,
		id, s.team, s.actor, body, id.String())
	s.job, err = s.BroadcastJob(s.t.Context(), s.team, id)
	require.NoError(s.t, err)
	planned, err := s.PlanBroadcast(s.t.Context(), s.job)
	require.NoError(s.t, err)
	require.True(s.t, planned)
	lanes, err := s.BroadcastLanes(s.t.Context(), s.team, id)
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
	c := omniflow.Claim{Slice: s.slice(ch), Fence: fence, Max: n, ActorID: s.actor}
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
	n, err := s.RecordMessages(s.t.Context(), s.team, records)
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
	s.exec(`UPDATE messages SET attempted_at = attempted_at - $2::interval, due_at = due_at - $2::interval WHERE channel_account_id = $1`, s.account[ch], by)
}
