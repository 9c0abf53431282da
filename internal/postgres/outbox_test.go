package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// promise puts n starts into the outbox, the oldest first, so old.
func (s *spine) promise(n int, age time.Duration) []uuid.UUID {
	s.t.Helper()
	ids := make([]uuid.UUID, n)
	for i := range n {
		ids[i] = newID()
		s.Exec(`INSERT INTO outbox (id, team_id, workflow, workflow_id, input, summary, created_at) VALUES ($1, $2, 'SendBroadcast', $3, '{"a": 1}', 'summary', now() - $4::interval)`,
			ids[i], s.ID, fmt.Sprintf("broadcast/%d", i), age)
	}
	return ids
}

// starts drains the outbox with an engine that refuses the given workflow ids.
func (s *spine) starts(limit int, refused ...string) []string {
	s.t.Helper()
	var got []string
	n, err := s.DrainOutbox(s.t.Context(), limit, func(_ context.Context, start Start) error {
		for _, id := range refused {
			if start.WorkflowID == id {
				return errors.New("the engine is away")
			}
		}
		got = append(got, start.WorkflowID)
		return nil
	})
	require.NoError(s.t, err)
	require.Len(s.t, got, n)
	return got
}

func TestAStartThatFailsStaysAndIsDoneOnceLater(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	ids := s.promise(3, time.Minute)
	require.Equal(t, []string{"broadcast/0"}, s.starts(10, "broadcast/1"), "the first fault ends the round; what was started is kept")
	var tries int
	s.Scan(&tries, `SELECT tries FROM outbox WHERE id = $1 AND started_at IS NULL`, ids[1])
	require.Equal(t, 1, tries)
	require.Equal(t, []string{"broadcast/2", "broadcast/1"}, s.starts(10), "who failed goes behind the others")
	require.Empty(t, s.starts(10), "each once")
}

func TestAStartCarriesWhatWasPromised(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	ids := s.promise(1, time.Minute)
	n, err := s.DrainOutbox(t.Context(), 1, func(_ context.Context, got Start) error {
		require.JSONEq(t, `{"a": 1}`, string(got.Input))
		got.Input = nil
		require.Equal(t, Start{ID: ids[0], TeamID: s.ID, Workflow: "SendBroadcast", WorkflowID: "broadcast/0", Summary: "summary", Input: json.RawMessage(nil)}, got)
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

func TestAFreshStartIsLeftToTheRequestThatPromisedIt(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.promise(1, 0)
	require.Empty(t, s.starts(10))
	s.Exec(`UPDATE outbox SET created_at = created_at - interval '2 seconds'`)
	require.Len(t, s.starts(10), 1)
}

func TestTheOldestAreStartedFirstAndLimitAtOnce(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.promise(5, time.Minute)
	require.Equal(t, []string{"broadcast/0", "broadcast/1"}, s.starts(2))
	require.Equal(t, []string{"broadcast/2", "broadcast/3"}, s.starts(2))
	require.Equal(t, []string{"broadcast/4"}, s.starts(2))
}

func TestTwoRelaysNeverStartTheSameRowAtOnce(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.promise(2, time.Minute)
	var first, meanwhile []string
	n, err := s.DrainOutbox(t.Context(), 1, func(_ context.Context, start Start) error {
		first = append(first, start.WorkflowID)
		meanwhile = append(meanwhile, s.starts(10)...) // another relay, while this start is under way
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, []string{"broadcast/0"}, first)
	require.Equal(t, []string{"broadcast/1"}, meanwhile)
	require.Empty(t, s.starts(10))
}

func TestARelayThatDiesAfterAStartStartsAgain(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.promise(1, time.Minute)
	require.PanicsWithValue(t, "killed", func() {
		_, _ = s.DrainOutbox(t.Context(), 10, func(context.Context, Start) error { panic("killed") })
	})
	require.Equal(t, []string{"broadcast/0"}, s.starts(10), "the workflow id makes it one run")
}

// After an outage of the engine a hundred thousand may wait: a batch of fifty
// must not sort them all.
func TestALongBacklogIsReadInItsOrder(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.Exec(`INSERT INTO outbox (id, team_id, workflow, workflow_id, input, summary, created_at)
		SELECT gen_random_uuid(), $1, 'SendBroadcast', 'broadcast/' || n, '{}', '', now() - interval '1 minute' FROM generate_series(1, 20000) AS n`, s.ID)
	s.Exec(`INSERT INTO outbox_signals (id, team_id, workflow, workflow_id, input, signal, summary)
		SELECT gen_random_uuid(), $1, 'ServeConversation', 'conversation/' || n, '{}', 'changed', '' FROM generate_series(1, 20000) AS n`, s.ID)
	s.Exec(`ANALYZE outbox, outbox_signals`)
	for name, statement := range map[string]string{"starts": dueStarts, "signals": dueSignals} {
		rows, err := s.pool.Query(t.Context(), `EXPLAIN `+strings.ReplaceAll(statement, "$1", "50"))
		require.NoError(t, err)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		require.NotContains(t, strings.Join(lines, "\n"), "Sort", name)
	}
}

// A signal that can never be delivered is tried last and keeps no other from
// its run, in its own batch either.
func TestASignalThatNobodyTakesHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	for i := range 12 {
		s.Exec(`INSERT INTO outbox_signals (id, team_id, workflow, workflow_id, input, signal, summary) VALUES ($1, $2, 'W', $3, '{}', 'changed', '')`,
			newID(), s.ID, fmt.Sprint("run ", i))
	}
	n, err := s.DrainSignals(t.Context(), 50, func(_ context.Context, x Signal) error {
		if x.WorkflowID == "run 0" {
			return errors.New("unknown workflow")
		}
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, 11, n)
	require.Equal(t, 1, s.countOf(`SELECT count(*) FROM outbox_signals WHERE delivered_at IS NULL AND tries = 1 AND workflow_id = 'run 0'`))
}
