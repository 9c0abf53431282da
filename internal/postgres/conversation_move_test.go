package postgres

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres/postgrestest"
)

// colleague adds a member of the team.
func (s *spine) colleague(name string, role omniflow.Role) uuid.UUID {
	s.t.Helper()
	id := newID()
	s.Exec(`INSERT INTO members (id, team_id, name, role) VALUES ($1, $2, $3, $4)`, id, s.ID, name, string(role))
	return id
}

// collaborate makes members collaborators, by rank.
func (s *spine) collaborate(conversation uuid.UUID, members ...uuid.UUID) {
	s.t.Helper()
	for i, m := range members {
		s.Exec(`INSERT INTO collaborators (conversation_id, member_id, team_id, position) VALUES ($1, $2, $3, $4)`, conversation, m, s.ID, i+1)
	}
}

// conversationIn is one of a LINE customer, in a state; follower zero: nobody.
func (s *spine) conversationIn(state omniflow.ConversationState, follower uuid.UUID) uuid.UUID {
	s.t.Helper()
	id := s.Customer("line", postgrestest.Recipient("line", s.countOf(`SELECT count(*) FROM conversations`)), time.Hour)
	s.put(id, state, follower)
	return id
}

// put brings a conversation into a state behind everybody's back.
func (s *spine) put(id uuid.UUID, state omniflow.ConversationState, follower uuid.UUID) {
	s.t.Helper()
	var who *uuid.UUID
	if follower != uuid.Nil {
		who = &follower
	}
	s.Exec(`UPDATE conversations SET state = $2, follower_id = $3, closed_at = CASE WHEN $2 = 'closed' THEN now() END WHERE id = $1`, id, string(state), who)
}

// move asks for a step of a member.
func (s *spine) move(id, actor uuid.UUID, e omniflow.Event, receiver ...uuid.UUID) error {
	mv := ConversationMove{TeamID: s.ID, ConversationID: id, ActorID: actor, Event: e, ActionID: newID()}
	if len(receiver) > 0 {
		mv.ReceiverID = receiver[0]
	}
	return s.MoveConversation(context.WithoutCancel(s.t.Context()), mv)
}

// deniedWith checks that err is a refusal with this code, and gives it.
func deniedWith(t *testing.T, err error, code omniflow.Code) *omniflow.Refusal {
	t.Helper()
	var no *omniflow.Refusal
	require.ErrorAs(t, err, &no)
	require.Equal(t, code, no.Code, no.Detail)
	return no
}

// shown is state and follower of a conversation.
func (s *spine) shown(id uuid.UUID) (omniflow.ConversationState, uuid.UUID) {
	s.t.Helper()
	var state string
	var follower *uuid.UUID
	s.Scan(&state, `SELECT state FROM conversations WHERE id = $1`, id)
	s.Scan(&follower, `SELECT follower_id FROM conversations WHERE id = $1`, id)
	if follower == nil {
		return omniflow.ConversationState(state), uuid.Nil
	}
	return omniflow.ConversationState(state), *follower
}

// texts are the log and system texts of a conversation, in order.
func (s *spine) texts(id uuid.UUID) []string {
	s.t.Helper()
	items, err := s.ConversationLog(s.t.Context(), s.ID, id)
	require.NoError(s.t, err)
	var out []string
	for _, item := range items {
		out = append(out, item.Kind+" "+item.Text)
	}
	return out
}

// race runs both at once and gives their errors.
func race(calls ...func() error) []error {
	errs := make([]error, len(calls))
	var wait sync.WaitGroup
	gate := make(chan struct{})
	for i, call := range calls {
		wait.Go(func() { <-gate; errs[i] = call() })
	}
	close(gate)
	wait.Wait()
	return errs
}

func TestEX038WhoFollowsInTeamHandlingTakesOver(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	amy := s.colleague("Amy", omniflow.CSManager)
	id := s.conversationIn(omniflow.Handling, s.Member)
	require.NoError(t, s.move(id, amy, omniflow.TakeOver))
	state, follower := s.shown(id)
	require.Equal(t, omniflow.Handling, state)
	require.Equal(t, amy, follower)
	require.Equal(t, omniflow.MyHandling, omniflow.ViewOf(state, omniflow.Relation{Follower: follower == amy}))
	require.Equal(t, []string{"log Amy 接手跟進了 Jess 的對話。", "system Amy 跟進了對話。"}, s.texts(id))
	require.Equal(t, 1, s.countOf(`SELECT count(*) FROM audit_log WHERE action = 'conversation.take_over' AND object = $1 AND actor_id = $2`, id.String(), amy))
	require.Equal(t, 1, s.countOf(`SELECT count(*) FROM outbox_signals WHERE workflow_id = $1`, omniflow.ServeConversationID(s.ID, id)))
	deniedWith(t, s.move(id, amy, omniflow.TakeOver), omniflow.InvalidTransition)
}

func TestEX039OfTwoWhoFollowAtOnceOneLosesAndIsToldToWhom(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	amy := s.colleague("Amy", omniflow.CSAgent)
	for range 10 {
		id := s.conversationIn(omniflow.PendingHuman, uuid.Nil)
		errs := race(func() error { return s.move(id, s.Member, omniflow.Follow) }, func() error { return s.move(id, amy, omniflow.Follow) })
		winner, name, lost := s.Member, "Jess", errs[1]
		if errs[0] != nil {
			winner, name, lost = amy, "Amy", errs[0]
		}
		require.Equal(t, 1, countNil(errs))
		require.Contains(t, deniedWith(t, lost, omniflow.InvalidTransition).Detail, name)
		state, follower := s.shown(id)
		require.Equal(t, []any{omniflow.Handling, winner}, []any{state, follower})
		require.Len(t, s.texts(id), 2)
	}
}

func countNil(errs []error) (n int) {
	for _, err := range errs {
		if err == nil {
			n++
		}
	}
	return n
}

func TestOfTwoStepsAtOnceExactlyOneHappens(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	amy, tom := s.colleague("Amy", omniflow.CSAgent), s.colleague("Tom", omniflow.CSAgent)
	autoClose := func(id uuid.UUID) error {
		ctx := context.WithoutCancel(s.t.Context())
		return s.inTeam(ctx, s.ID, func(tx pgx.Tx) error {
			return stepConversation(ctx, tx, conversationStep{TeamID: s.ID, ConversationID: id, Event: omniflow.AutoClose, ActionID: newID()})
		})
	}
	for name, c := range map[string]struct {
		state omniflow.ConversationState
		calls func(id uuid.UUID) []func() error
		lost  []omniflow.Code // either of them
		tells []string
	}{
		"two transfers": {omniflow.Handling, func(id uuid.UUID) []func() error {
			return []func() error{func() error { return s.move(id, s.Member, omniflow.Transfer, amy) }, func() error { return s.move(id, s.Member, omniflow.Transfer, tom) }}
		}, []omniflow.Code{omniflow.NotFollower}, []string{"Amy", "Tom"}},
		"end and auto-close": {omniflow.Handling, func(id uuid.UUID) []func() error {
			return []func() error{func() error { return s.move(id, s.Member, omniflow.End) }, func() error { return autoClose(id) }}
		}, []omniflow.Code{omniflow.InvalidTransition}, []string{"closed"}},
		"follow and end": {omniflow.PendingHuman, func(id uuid.UUID) []func() error {
			return []func() error{func() error { return s.move(id, amy, omniflow.Follow) }, func() error { return s.move(id, tom, omniflow.End) }}
		}, []omniflow.Code{omniflow.InvalidTransition, omniflow.NotFollower}, []string{"closed", "Amy"}},
		"two endings": {omniflow.Handling, func(id uuid.UUID) []func() error {
			end := func() error { return s.move(id, s.Member, omniflow.End) }
			return []func() error{end, end}
		}, []omniflow.Code{omniflow.InvalidTransition}, []string{"closed"}},
		"two reopenings": {omniflow.Closed, func(id uuid.UUID) []func() error {
			reopen := func() error { return s.move(id, s.Member, omniflow.Reopen) }
			return []func() error{reopen, reopen}
		}, []omniflow.Code{omniflow.InvalidTransition}, []string{"you follow it already"}},
	} {
		for range 5 {
			follower := s.Member
			if c.state == omniflow.PendingHuman {
				follower = uuid.Nil
			}
			id := s.conversationIn(c.state, follower)
			errs := race(c.calls(id)...)
			require.Equal(t, 1, countNil(errs), "%s: %v", name, errs)
			var no *omniflow.Refusal
			require.ErrorAs(t, errors.Join(errs...), &no, name)
			require.Contains(t, c.lost, no.Code, name)
			require.True(t, strings.Contains(no.Detail, c.tells[0]) || strings.Contains(no.Detail, c.tells[len(c.tells)-1]), "%s: %s", name, no.Detail)
			require.Equal(t, 1, s.countOf(`SELECT count(*) FROM conversation_log WHERE conversation_id = $1 AND kind = 'log'`, id), name)
		}
	}
}

func TestAStepOfWhoSawAnOlderStateIsRefused(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	amy := s.colleague("Amy", omniflow.Supervisor)
	id := s.conversationIn(omniflow.Handling, s.Member)
	require.NoError(t, s.move(id, amy, omniflow.TakeOver))
	tom := s.colleague("Tom", omniflow.Supervisor)
	err := s.MoveConversation(t.Context(), ConversationMove{TeamID: s.ID, ConversationID: id, ActorID: tom, Event: omniflow.TakeOver, Version: 1, ActionID: newID()})
	require.Contains(t, deniedWith(t, err, omniflow.InvalidTransition).Detail, "Amy")
	err = s.MoveConversation(t.Context(), ConversationMove{TeamID: s.ID, ConversationID: id, ActorID: tom, Event: omniflow.TakeOver, Version: 2, ActionID: newID()})
	require.NoError(t, err)
}

func TestTheSameActionTwiceIsOneStep(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	id := s.conversationIn(omniflow.PendingBot, uuid.Nil)
	mv := ConversationMove{TeamID: s.ID, ConversationID: id, ActorID: s.Member, Event: omniflow.Follow, ActionID: newID()}
	for range 2 {
		require.NoError(t, s.MoveConversation(t.Context(), mv))
	}
	require.Equal(t, 2, s.countOf(`SELECT version FROM conversations WHERE id = $1`, id))
	require.Len(t, s.texts(id), 2)
}

func TestAnEndingBySystem(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	id := s.conversationIn(omniflow.Handling, s.Member)
	require.NoError(t, s.SetPin(t.Context(), s.ID, id, s.Member, true))
	s.Exec(`UPDATE conversations SET waiting_since = now() - interval '3 hours', waiting_level = 3 WHERE id = $1`, id)
	st := conversationStep{TeamID: s.ID, ConversationID: id, Event: omniflow.AutoClose, ActionID: newID()}
	for range 2 {
		require.NoError(t, s.inTeam(t.Context(), s.ID, func(tx pgx.Tx) error { return stepConversation(t.Context(), tx, st) }))
	}
	require.Equal(t, []string{"log 系統 結束了對話。"}, s.texts(id))
	state, follower := s.shown(id)
	require.Equal(t, []any{omniflow.Closed, s.Member}, []any{state, follower}, "remembered (D-CNV-6)")
	require.Zero(t, s.countOf(`SELECT count(*) FROM conversation_pins`))
	require.Zero(t, s.countOf(`SELECT waiting_level FROM conversations WHERE id = $1`, id))
	require.Equal(t, 1, s.countOf(`SELECT count(*) FROM conversations WHERE id = $1 AND closed_at IS NOT NULL AND waiting_since IS NULL`, id))
	deniedWith(t, s.inTeam(t.Context(), s.ID, func(tx pgx.Tx) error {
		st.Event, st.ActionID = omniflow.End, newID()
		return stepConversation(t.Context(), tx, st)
	}), omniflow.InvalidTransition)
}
