package postgres

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// retry asks for a retry of the spine's broadcast and plans it; the spine is
// about the new broadcast then.
func (s *spine) retry(r omniflow.RetryRequest) []RetryCount {
	s.t.Helper()
	source := s.job.BroadcastID
	counts, err := s.CountRetry(s.t.Context(), s.ID, source, r)
	require.NoError(s.t, err)
	id := newID()
	_, err = s.CreateBroadcast(s.t.Context(), NewBroadcast{ID: id, TeamID: s.ID, ActorID: s.Member, Request: s.job.Request, Workflow: "w", WorkflowID: id.String(),
		Input: json.RawMessage("{}"), RetryOf: source, Retry: r, By: By{ActorID: s.Member, Reason: "again"}})
	require.NoError(s.t, err)
	s.job, err = s.BroadcastJob(s.t.Context(), s.ID, id)
	require.NoError(s.t, err)
	require.Equal(s.t, source, s.job.RetryOf)
	planned, err := s.PlanBroadcast(s.t.Context(), s.job)
	require.NoError(s.t, err)
	require.True(s.t, planned)
	lanes, err := s.BroadcastLanes(s.t.Context(), s.ID, id)
	require.NoError(s.t, err)
	s.lanes = map[omniflow.Channel]omniflow.Lane{}
	for _, l := range lanes {
		s.lanes[l.Channel] = l
	}
	return counts
}

// refusesRetry fails unless a retry is refused with a code and changes nothing.
func (s *spine) refusesRetry(source uuid.UUID, r omniflow.RetryRequest, code omniflow.Code) {
	s.t.Helper()
	_, err := s.CountRetry(s.t.Context(), s.ID, source, r)
	var no *omniflow.Refusal
	require.ErrorAs(s.t, err, &no)
	require.Equal(s.t, code, no.Code)
}

func TestARetryIsAboutWhatFailedAndOnlyOnce(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	ids := s.customers(omniflow.WhatsApp, 4)
	s.plan("一", "二", "三")
	source, first := s.job.BroadcastID, s.lanes[omniflow.WhatsApp]
	fence, _ := s.take(omniflow.WhatsApp)
	messages := s.claim(omniflow.WhatsApp, fence, 10).Messages
	s.record(omniflow.Sent, messages[0], messages[1])
	s.record(omniflow.Failed, messages[2])
	s.record(omniflow.Sent, messages[3])
	messages = s.claim(omniflow.WhatsApp, fence, 10).Messages // second messages of 0, 1, 3
	s.record(omniflow.Sent, messages[0], messages[2])
	s.record(omniflow.Failed, messages[1])
	messages = s.claim(omniflow.WhatsApp, fence, 10).Messages // third ones of 0 and 3
	s.record(omniflow.Sent, messages...)
	_, err := s.SliceStatus(t.Context(), s.slice(omniflow.WhatsApp))
	require.NoError(t, err)
	require.Equal(t, omniflow.Tally{Planned: 12, Sent: 7, Failed: 2, Skipped: 3}, s.tally(omniflow.WhatsApp))

	s.refusesRetry(source, omniflow.RetryRequest{Scope: omniflow.RetryList, ConversationIDs: ids[:1]}, omniflow.RetryNotAllowed)
	s.refusesRetry(source, omniflow.RetryRequest{Scope: omniflow.RetryList, ConversationIDs: []uuid.UUID{ids[2], newID()}}, omniflow.RetryNotAllowed)
	s.refusesRetry(source, omniflow.RetryRequest{Scope: omniflow.RetryUnknown}, omniflow.RetryEmpty)
	s.refusesRetry(newID(), omniflow.RetryRequest{Scope: omniflow.RetryFailed}, omniflow.NotFound)

	counts := s.retry(omniflow.RetryRequest{Scope: omniflow.RetryFailed})
	rows := 0
	for _, c := range counts {
		rows += c.Rows
	}
	require.Equal(t, 5, rows, "both failed rows and the three behind them")
	require.Equal(t, 5, s.lanes[omniflow.WhatsApp].Planned)
	s.refusesRetry(source, omniflow.RetryRequest{Scope: omniflow.RetryFailed}, omniflow.RetryEmpty)
	s.refusesRetry(source, omniflow.RetryRequest{Scope: omniflow.RetryList, ConversationIDs: ids[2:3]}, omniflow.RetryNotAllowed)

	var foreign int
	s.Scan(&foreign, `SELECT count(*) FROM messages a WHERE broadcast_id = $1 AND NOT EXISTS (
		SELECT FROM messages b WHERE b.broadcast_id = $2 AND b.content_id = a.content_id AND b.conversation_id = a.conversation_id)`, s.job.BroadcastID, source)
	require.Zero(t, foreign, "the contents are those of the first broadcast")
	contents, err := s.Contents(t.Context(), s.slice(omniflow.WhatsApp))
	require.NoError(t, err)
	require.Len(t, contents, 3)
	fence, _ = s.take(omniflow.WhatsApp)
	for range 3 { // one message of each recipient at a time, in order
		s.record(omniflow.Sent, s.claim(omniflow.WhatsApp, fence, 10).Messages...)
	}
	require.Equal(t, omniflow.Tally{Planned: 5, Sent: 5}, s.tally(omniflow.WhatsApp))
	s.lanes[omniflow.WhatsApp] = first
	require.Equal(t, omniflow.Tally{Planned: 12, Sent: 7, Failed: 2, Skipped: 3}, s.tally(omniflow.WhatsApp), "the first broadcast keeps its story")

	b, err := s.LoadBroadcast(t.Context(), s.ID, source)
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{s.job.BroadcastID}, b.Retries)
	log, err := s.ListAudit(t.Context(), s.ID, source.String(), Page{Limit: 10})
	require.NoError(t, err)
	require.Len(t, log, 1)
	require.Equal(t, "broadcast.retry", log[0].Action)
	require.Equal(t, "again", log[0].Reason)
	require.Equal(t, &s.Member, log[0].ActorID)
}

func TestUnknownRowsFailBeforeTheyAreRetried(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.WhatsApp, 3)
	s.plan("一", "二")
	first := s.lanes[omniflow.WhatsApp]
	fence, _ := s.take(omniflow.WhatsApp)
	messages := s.claim(omniflow.WhatsApp, fence, 3).Messages
	s.record(omniflow.Unknown, messages[0], messages[1])
	s.record(omniflow.Failed, messages[2])
	counts := s.retry(omniflow.RetryRequest{Scope: omniflow.RetryUnknown})
	require.Equal(t, []RetryCount{{Code: omniflow.OutcomeUnknown, Rows: 2, Recipients: 2}}, counts)
	require.Equal(t, omniflow.Tally{Planned: 4, Queued: 4}, s.tally(omniflow.WhatsApp), "and what waited behind them; what failed is not asked for")
	s.lanes[omniflow.WhatsApp] = first
	require.Empty(t, s.claim(omniflow.WhatsApp, fence, 9).Messages, "the first broadcast sends none of it")
	s.age(omniflow.WhatsApp, 48*time.Hour)
	r, err := s.ReconcileLane(t.Context(), first, omniflow.Resend, time.Minute, time.Hour)
	require.NoError(t, err)
	require.Equal(t, omniflow.Reconciled{}, r)
}

func TestTheRestOfAStoppedLaneGoesWithAnotherTemplate(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.WhatsApp, 5)
	s.plan("一")
	first := s.lanes[omniflow.WhatsApp]
	fence, _ := s.take(omniflow.WhatsApp)
	s.record(omniflow.Sent, s.claim(omniflow.WhatsApp, fence, 2).Messages...)
	stopped, err := s.StopLane(t.Context(), first, omniflow.TemplatePaused)
	require.NoError(t, err)
	require.True(t, stopped)
	other := &omniflow.Template{Name: "other", Language: "zh_TW", Params: []string{omniflow.CustomerName}}
	s.Exec(`UPDATE contacts SET name = '王小明'`)
	source := s.job.BroadcastID
	s.job.Request.Messages = []omniflow.Content{{Kind: omniflow.TemplateKind, Template: other}}
	s.job.Request.Kind = omniflow.BroadcastTemplate
	s.retry(omniflow.RetryRequest{Scope: omniflow.RetryRest, Template: other})
	require.Equal(t, omniflow.Tally{Planned: 3, Queued: 3}, s.tally(omniflow.WhatsApp))
	fence, _ = s.take(omniflow.WhatsApp)
	for _, m := range s.claim(omniflow.WhatsApp, fence, 1).Messages {
		require.Equal(t, "王小明", m.Name, "the other template has the name in it, the first one had not")
	}
	contents, err := s.Contents(t.Context(), s.slice(omniflow.WhatsApp))
	require.NoError(t, err)
	require.Len(t, contents, 1)
	for _, c := range contents {
		require.Equal(t, s.job.Request.Messages, c)
	}
	s.lanes[omniflow.WhatsApp] = first
	require.Equal(t, omniflow.Tally{Planned: 5, Sent: 2, Cancelled: 3}, s.tally(omniflow.WhatsApp))
	s.refusesRetry(source, omniflow.RetryRequest{Scope: omniflow.RetryRest}, omniflow.RetryEmpty)
}

func TestTwoRetriesAtOnceShareNothing(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.WhatsApp, 20)
	s.plan("一")
	fence, _ := s.take(omniflow.WhatsApp)
	s.record(omniflow.Failed, s.claim(omniflow.WhatsApp, fence, 20).Messages...)
	var jobs []omniflow.BroadcastJob
	for range 4 {
		id := newID()
		_, err := s.CreateBroadcast(t.Context(), NewBroadcast{ID: id, TeamID: s.ID, ActorID: s.Member, Request: s.job.Request, Workflow: "w", WorkflowID: id.String(),
			Input: json.RawMessage("{}"), RetryOf: s.job.BroadcastID, Retry: omniflow.RetryRequest{Scope: omniflow.RetryFailed}})
		require.NoError(t, err)
		job, err := s.BroadcastJob(t.Context(), s.ID, id)
		require.NoError(t, err)
		jobs = append(jobs, job)
	}
	var group sync.WaitGroup
	errs := make([]error, len(jobs))
	for i, job := range jobs {
		group.Go(func() { _, errs[i] = s.PlanBroadcast(t.Context(), job) })
	}
	group.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	var rows int
	s.Scan(&rows, `SELECT count(*) FROM messages WHERE broadcast_id <> $1`, s.job.BroadcastID)
	require.Equal(t, 20, rows)
}
