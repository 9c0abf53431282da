package postgres

import (
	"encoding/json"
	"slices"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"omniflow/internal/omniflow"
)

// repeats lists the rows of l that a retry would be about, and its request.
func (l *modelLane) repeats(rt *rapid.T) (rows []*modelRow, request omniflow.RetryRequest) {
	request.Scope = rapid.SampledFrom([]omniflow.RetryScope{omniflow.RetryFailed, omniflow.RetryUnknown, omniflow.RetryRest, omniflow.RetryList}).Draw(rt, "scope")
	unknown := map[uuid.UUID]bool{}
	for _, r := range l.rows {
		unknown[r.conversation] = unknown[r.conversation] || r.state == omniflow.Unknown
	}
	var named uuid.UUID
	for _, r := range l.rows {
		failed := r.state == omniflow.Failed || r.behind()
		waits := r.state == omniflow.Queued && l.control == omniflow.Stopped
		if failed && !r.retried && named == uuid.Nil {
			named = r.conversation
		}
		of := map[omniflow.RetryScope]bool{omniflow.RetryFailed: failed, omniflow.RetryRest: r.state == omniflow.Cancelled || waits || r.behind(),
			omniflow.RetryUnknown: unknown[r.conversation] && (failed || r.state == omniflow.Unknown || r.state == omniflow.Queued && r.prev != nil && r.prev.state == omniflow.Unknown),
			omniflow.RetryList:    failed && r.conversation == named}
		if of[request.Scope] && !r.retried {
			rows = append(rows, r)
		}
	}
	if request.Scope != omniflow.RetryList {
		return rows, request
	}
	if len(rows) == 0 {
		rt.Skip("nobody to name")
	}
	request.ConversationIDs = []uuid.UUID{named}
	return rows, request
}

// repeatable says whether a retry may still name the conversation.
func (l *modelLane) repeatable(conversation uuid.UUID) bool {
	return slices.ContainsFunc(l.rows, func(r *modelRow) bool {
		return r.conversation == conversation && !r.retried && (r.state == omniflow.Failed || r.behind())
	})
}

// given is what a retry makes of the rows that it repeats.
func (l *modelLane) given(rows []*modelRow, scope omniflow.RetryScope) {
	for _, r := range rows {
		switch r.retried = true; {
		case r.state == omniflow.Unknown:
			r.state, r.code = omniflow.Failed, omniflow.OutcomeUnknown
		case r.state == omniflow.Queued && scope == omniflow.RetryUnknown:
			r.state, r.code = omniflow.Skipped, omniflow.PreviousNotSent
		case r.state == omniflow.Queued:
			r.state, r.code = omniflow.Cancelled, omniflow.Retried
		}
	}
	if scope == omniflow.RetryRest && l.control == omniflow.Stopped {
		l.control = omniflow.ControlCancelled // what waited in it is another's now
	}
}

func (m *model) retry(rt *rapid.T) {
	l := m.pick(rt)
	rows, request := l.repeats(rt)
	_, err := m.CountRetry(m.t.Context(), m.ID, l.job.BroadcastID, request)
	if len(rows) == 0 {
		refused(rt, err, omniflow.RetryEmpty)
		return
	}
	require.NoError(rt, err)
	id := newID()
	_, err = m.CreateBroadcast(m.t.Context(), NewBroadcast{ID: id, TeamID: m.ID, ActorID: m.Member, Request: l.job.Request, Workflow: "w", WorkflowID: id.String(),
		Input: json.RawMessage("{}"), RetryOf: l.job.BroadcastID, Retry: request})
	require.NoError(rt, err)
	job, err := m.BroadcastJob(m.t.Context(), m.ID, id)
	require.NoError(rt, err)
	l.given(rows, request.Scope)
	again := m.add(rt, job)
	require.Len(rt, again.rows, len(rows), "exactly those recipients")
	for i, r := range rows {
		require.Equal(rt, r.conversation, again.rows[i].conversation)
	}
	m.name(rt, l, rows[0].conversation)
}

// name asks for a retry of one conversation.
func (m *model) name(rt *rapid.T, l *modelLane, conversation uuid.UUID) {
	_, err := m.CountRetry(m.t.Context(), m.ID, l.job.BroadcastID, omniflow.RetryRequest{Scope: omniflow.RetryList, ConversationIDs: []uuid.UUID{conversation}})
	if l.repeatable(conversation) {
		require.NoError(rt, err)
		return
	}
	refused(rt, err, omniflow.RetryNotAllowed)
}

func (m *model) retrySent(rt *rapid.T) {
	l := m.pick(rt)
	i := slices.IndexFunc(l.rows, func(r *modelRow) bool { return r.state.Delivered() })
	if i < 0 {
		rt.Skip("nobody was sent to")
	}
	m.name(rt, l, l.rows[i].conversation)
}
