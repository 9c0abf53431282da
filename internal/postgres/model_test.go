package postgres

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"omniflow/internal/omniflow"
)

// modelRow is a row of the ledger as a person would keep it on paper.
type modelRow struct {
	id, conversation uuid.UUID
	state            omniflow.MessageState
	code             omniflow.Code
	attempt          int
	retried          bool
	prev             *modelRow // the message before it to the same person
}

// behind says that r was given up for the one before it.
func (r *modelRow) behind() bool {
	return r.prev != nil && r.state == omniflow.Skipped && r.code == omniflow.PreviousNotSent &&
		(r.prev.state == omniflow.Failed || r.prev.state == omniflow.Cancelled)
}

// modelLane is one broadcast with one lane.
type modelLane struct {
	job      omniflow.BroadcastJob
	lane     omniflow.Lane
	control  omniflow.Control
	fence    int
	finished bool
	rows     []*modelRow // in sending order
}

// model is what the ledger should be, beside the ledger.
type model struct {
	*spine
	lanes []*modelLane
}

// TestTheLedgerFollowsItsModel runs random orders, sends, crashes, webhooks and
// retries, and compares every row after each. rapid shrinks a failure and
// prints its seed: go test -run TheLedgerFollows -rapid.seed=….
func TestTheLedgerFollowsItsModel(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{spine: s}
		var ids []uuid.UUID
		for range rapid.IntRange(1, 6).Draw(rt, "recipients") {
			ids = append(ids, s.Customer("whatsapp", newID().String(), time.Hour))
		}
		m.start(rt, ids)
		rt.Repeat(map[string]func(*rapid.T){
			"pause":  func(rt *rapid.T) { m.orders(rt, omniflow.OrderPause) },
			"resume": func(rt *rapid.T) { m.orders(rt, omniflow.OrderResume) },
			"cancel": func(rt *rapid.T) {
				if rapid.IntRange(0, 4).Draw(rt, "mean it") > 0 {
					rt.Skip("it ends everything")
				}
				m.orders(rt, omniflow.OrderCancel)
			},
			"set rate":   m.setRate,
			"send":       m.send,
			"send again": m.send,
			"crash":      m.crash,
			"webhook":    m.webhook,
			"give up":    m.giveUp,
			"stop":       m.stop,
			"finish":     m.finish,
			"retry":      m.retry,
			"retry sent": m.retrySent,
			"look":       m.look,
			"fold": func(rt *rapid.T) {
				_, err := m.FoldCounts(t.Context())
				require.NoError(rt, err)
			},
			"": m.compare,
		})
	})
}

func (m *model) pick(rt *rapid.T) *modelLane {
	return m.lanes[rapid.IntRange(0, len(m.lanes)-1).Draw(rt, "broadcast")]
}

// add notes a planned broadcast and its rows.
func (m *model) add(rt *rapid.T, job omniflow.BroadcastJob) *modelLane {
	planned, err := m.PlanBroadcast(m.t.Context(), job)
	require.NoError(rt, err)
	require.True(rt, planned)
	lanes, err := m.BroadcastLanes(m.t.Context(), m.ID, job.BroadcastID)
	require.NoError(rt, err)
	require.Len(rt, lanes, 1)
	l := &modelLane{job: job, lane: lanes[0], control: omniflow.Running}
	for _, r := range m.list(rt, l) {
		row := &modelRow{id: r.MessageID, conversation: r.ConversationID, state: omniflow.Queued}
		if r.Ordinal > 1 {
			row.prev = l.rows[len(l.rows)-1]
			require.Equal(rt, row.prev.conversation, row.conversation)
		}
		l.rows = append(l.rows, row)
	}
	m.lanes = append(m.lanes, l)
	m.takeFence(rt, l)
	return l
}

func (m *model) start(rt *rapid.T, ids []uuid.UUID) {
	request := omniflow.BroadcastRequest{Kind: omniflow.BroadcastMessage, Audience: omniflow.Audience{ConversationIDs: ids},
		Messages: []omniflow.Content{{Kind: omniflow.Text, Text: "一"}, {Kind: omniflow.Text, Text: "二"}}[:rapid.IntRange(1, 2).Draw(rt, "messages")]}
	body, err := json.Marshal(request)
	require.NoError(rt, err)
	job, err := m.BroadcastJob(m.t.Context(), m.ID, m.Broadcast(body))
	require.NoError(rt, err)
	require.Len(rt, m.add(rt, job).rows, len(ids)*len(request.Messages))
}

func (m *model) takeFence(rt *rapid.T, l *modelLane) {
	fence, _, err := m.TakeSlice(m.t.Context(), omniflow.Slice{Lane: l.lane, To: l.lane.Planned}, time.Minute)
	require.NoError(rt, err)
	l.fence = fence
	for _, r := range l.rows {
		if r.state == omniflow.Sending {
			r.state, r.code = omniflow.Unknown, omniflow.OutcomeUnknown
		}
	}
}

func (m *model) orders(rt *rapid.T, o omniflow.Order) {
	l := m.pick(rt)
	changed, err := m.ControlBroadcast(m.t.Context(), omniflow.ControlOrder{TeamID: m.ID, BroadcastID: l.job.BroadcastID, ActorID: m.Member, Order: o})
	if l.finished {
		refused(rt, err, omniflow.BroadcastFinished)
		return
	}
	require.NoError(rt, err)
	to := orders[o]
	obeyed := slices.Contains(to.from, string(l.control))
	require.Equal(rt, obeyed, changed, "a second click is a no-op")
	if obeyed {
		l.control = to.to
	}
	if l.control == omniflow.ControlCancelled { // as its run does next
		_, err := m.CancelLane(m.t.Context(), l.lane)
		require.NoError(rt, err)
		for _, r := range l.rows {
			if r.state == omniflow.Queued {
				r.state, r.code = omniflow.Cancelled, "cancelled"
			}
		}
	}
}

func (m *model) setRate(rt *rapid.T) {
	l := m.pick(rt)
	rate := rapid.SampledFrom([]float64{-1, 0, 0.5, 80, 1000, 1001}).Draw(rt, "rate")
	_, err := m.ControlBroadcast(m.t.Context(), omniflow.ControlOrder{TeamID: m.ID, BroadcastID: l.job.BroadcastID, ChannelAccountID: l.lane.ChannelAccountID,
		Order: omniflow.OrderSetRate, RatePerSecond: rate})
	switch {
	case l.finished:
		refused(rt, err, omniflow.BroadcastFinished)
	case rate <= 0 || rate > 1000:
		refused(rt, err, omniflow.RateInvalid)
	case !l.open():
		refused(rt, err, omniflow.BroadcastFinished)
	default:
		require.NoError(rt, err)
	}
}

// open says whether a row of the lane still waits for a step of ours.
func (l *modelLane) open() bool {
	return slices.ContainsFunc(l.rows, func(r *modelRow) bool {
		return r.state == omniflow.Queued || r.state == omniflow.Sending || r.state == omniflow.Unknown
	})
}

// claim takes up to n rows and checks that they are the right ones.
func (m *model) claim(rt *rapid.T, l *modelLane, n int) []*modelRow {
	claimed, err := m.ClaimMessages(m.t.Context(), omniflow.Claim{Slice: omniflow.Slice{Lane: l.lane, To: l.lane.Planned}, Fence: l.fence, Max: n, ActorID: m.Member})
	require.NoError(rt, err)
	var want []*modelRow
	for _, r := range l.rows {
		inTurn := r.prev == nil || r.prev.state.Delivered()
		if l.control == omniflow.Running && r.state == omniflow.Queued && inTurn && len(want) < n {
			want = append(want, r)
		}
	}
	require.Len(rt, claimed.Messages, len(want), "what a lane that is %s gives", l.control)
	for i, r := range want {
		require.Equal(rt, r.id, claimed.Messages[i].ID)
		require.False(rt, r.retried, "a row that is repeated is never sent again")
		r.state, r.code = omniflow.Sending, ""
		r.attempt++
	}
	return want
}

func (m *model) send(rt *rapid.T) {
	l := m.pick(rt)
	var records []omniflow.Record
	for _, r := range m.claim(rt, l, rapid.IntRange(1, 3).Draw(rt, "rows")) {
		r.state = rapid.SampledFrom([]omniflow.MessageState{omniflow.Sent, omniflow.Sent, omniflow.Failed, omniflow.Unknown, omniflow.Queued}).Draw(rt, "outcome")
		r.code = map[omniflow.MessageState]omniflow.Code{omniflow.Failed: omniflow.ProviderRejected, omniflow.Unknown: omniflow.OutcomeUnknown,
			omniflow.Queued: omniflow.ProviderDown}[r.state]
		records = append(records, omniflow.Record{MessageID: r.id, Attempt: r.attempt, State: r.state, Code: r.code, At: time.Now()})
	}
	_, err := m.RecordMessages(m.t.Context(), m.ID, records)
	require.NoError(rt, err)
}

// crash claims rows and dies; another attempt takes the slice.
func (m *model) crash(rt *rapid.T) {
	l := m.pick(rt)
	m.claim(rt, l, rapid.IntRange(1, 2).Draw(rt, "rows"))
	m.takeFence(rt, l)
}

func (m *model) webhook(rt *rapid.T) {
	l := m.pick(rt)
	r := l.rows[rapid.IntRange(0, len(l.rows)-1).Draw(rt, "row")]
	if r.attempt == 0 {
		rt.Skip("nothing was handed over")
	}
	e := rapid.SampledFrom([]omniflow.Evidence{omniflow.Sent, omniflow.Received, omniflow.Read, omniflow.Failed}).Draw(rt, "evidence")
	attempt := rapid.IntRange(1, r.attempt).Draw(rt, "attempt")
	m.drain(omniflow.Intake{Statuses: []omniflow.Status{{TeamID: m.ID, ChannelAccountID: l.lane.ChannelAccountID, MessageID: r.id, Attempt: attempt,
		State: e, At: time.Now(), Code: omniflow.Unreachable, Raw: []byte(`{}`)}}})
	from := r.state
	if from == omniflow.Failed && r.code == omniflow.OutcomeUnknown {
		from = omniflow.Unknown
	}
	next, changed := omniflow.Merge(from, e)
	if !changed || e == omniflow.Failed && attempt != r.attempt {
		return
	}
	if r.state, r.code = next, ""; next == omniflow.Failed {
		r.code = omniflow.Unreachable
	}
}

// giveUp lets a day pass without a sign of the unknown rows.
func (m *model) giveUp(rt *rapid.T) {
	l := m.pick(rt)
	m.Exec(`UPDATE messages SET attempted_at = attempted_at - interval '2 days', due_at = now() - interval '1 day' WHERE broadcast_id = $1 AND state = 'unknown'`, l.job.BroadcastID)
	_, err := m.ReconcileLane(m.t.Context(), l.lane, omniflow.Fail, time.Minute, time.Hour)
	require.NoError(rt, err)
	for _, r := range l.rows {
		if r.state == omniflow.Unknown {
			r.state = omniflow.Failed
		}
	}
}

func (m *model) stop(rt *rapid.T) {
	l := m.pick(rt)
	stopped, err := m.StopLane(m.t.Context(), l.lane, omniflow.FailureRate)
	require.NoError(rt, err)
	require.Equal(rt, l.control == omniflow.Running, stopped)
	if stopped {
		l.control = omniflow.Stopped
	}
}

func (m *model) finish(rt *rapid.T) {
	l := m.pick(rt)
	if l.finished || slices.ContainsFunc(l.rows, func(r *modelRow) bool { return !r.state.Settled() }) {
		rt.Skip("it goes on")
	}
	require.NoError(rt, m.FinishBroadcast(m.t.Context(), m.ID, l.job.BroadcastID, omniflow.Completed))
	l.finished = true
}

// look reads a slice, which gives up what waits behind one that was not sent.
func (m *model) look(rt *rapid.T) {
	l := m.pick(rt)
	_, err := m.SliceStatus(m.t.Context(), omniflow.Slice{Lane: l.lane, To: l.lane.Planned})
	require.NoError(rt, err)
	for _, r := range l.rows {
		if r.state == omniflow.Queued && r.prev != nil && r.prev.state.Settled() && !r.prev.state.Delivered() {
			r.state, r.code = omniflow.Skipped, omniflow.PreviousNotSent
		}
	}
}

func refused(rt *rapid.T, err error, code omniflow.Code) {
	var no *omniflow.Refusal
	require.True(rt, errors.As(err, &no), "%v", err)
	require.Equal(rt, code, no.Code)
}

func (m *model) list(rt *rapid.T, l *modelLane) []BroadcastRecipient {
	rows, err := m.ListRecipients(m.t.Context(), RecipientQuery{TeamID: m.ID, BroadcastID: l.job.BroadcastID, AfterSeq: -1, Limit: 100})
	require.NoError(rt, err)
	return rows
}

// compare holds every row of every broadcast, and the counts, against the model.
func (m *model) compare(rt *rapid.T) {
	for _, l := range m.lanes {
		want := omniflow.Tally{Planned: len(l.rows)}
		for i, r := range m.list(rt, l) {
			require.Equal(rt, l.rows[i].id, r.MessageID)
			require.Equal(rt, l.rows[i].state, r.State, "row %d", i)
			require.Equal(rt, string(l.rows[i].code), r.Code, "row %d", i)
			want.Add(r.State, 1)
		}
		b, err := m.LoadBroadcast(m.t.Context(), m.ID, l.job.BroadcastID)
		require.NoError(rt, err)
		got, err := b.Lanes[0].Tally()
		require.NoError(rt, err)
		require.Equal(rt, want, got, "the counts are those of the rows")
		require.True(rt, got.Balanced())
		require.Equal(rt, l.control, b.Lanes[0].Control)
		st, err := m.LaneStatus(m.t.Context(), l.lane, omniflow.LaneBucket)
		require.NoError(rt, err)
		st.Tally.Planned = want.Planned
		require.Equal(rt, want, st.Tally)
		require.Equal(rt, want.Queued+want.Sending > 0, len(st.Slices) > 0)
	}
}
