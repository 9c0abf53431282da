package postgres

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

func TestSweepFindsTheRunThatIsLost(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.LINE)
	c.writes()
	c.serve()
	before := c.signals(c.id)
	n, err := c.SweepConversations(t.Context(), 10)
	require.NoError(t, err)
	require.Zero(t, n, "its time has not come")
	c.Exec(`UPDATE conversations SET armed_until = now() - interval '29 seconds'`)
	n, err = c.SweepConversations(t.Context(), 10)
	require.NoError(t, err)
	require.Zero(t, n, "it may be looking")
	c.Exec(`UPDATE conversations SET armed_until = now() - interval '31 seconds'`)
	for _, want := range []int{1, 0} {
		n, err = c.SweepConversations(t.Context(), 10)
		require.NoError(t, err)
		require.Equal(t, want, n)
		require.Equal(t, before+1, c.signals(c.id), "once")
	}
	c.Exec(`UPDATE conversations SET armed_until = now() - interval '31 seconds'`)
	n, err = c.SweepConversations(t.Context(), 10)
	require.NoError(t, err)
	require.Zero(t, n, "while it is not told, it is not told again")
}

func TestNewRulesWakeWhoEndsEarlierInSteps(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	ids := s.customers(omniflow.LINE, 7)
	rule := omniflow.AutoCloseRule{ID: newID(), Name: "all", Channels: []omniflow.Channel{omniflow.LINE}, Enabled: true, Duration: 24 * time.Hour, Grace: omniflow.DefaultGrace}
	saved, err := s.SaveAutoClose(t.Context(), s.ID, rule, By{})
	require.NoError(t, err)
	walk := func(step int) (steps int) {
		for {
			n, err := s.RecountAutoClose(t.Context(), step)
			require.NoError(t, err)
			if n == 0 {
				return steps
			}
			steps++
		}
	}
	walk(2)
	s.Exec(`UPDATE conversations SET last_human_reply_at = now() - interval '1 hour', armed_until = now() + interval '23 hours'`)
	s.Exec(`UPDATE conversations SET waiting_since = now() WHERE id = $1`, ids[0])
	saved.Duration = 48 * time.Hour
	saved, err = s.SaveAutoClose(t.Context(), s.ID, saved, By{ActorID: s.Member})
	require.NoError(t, err)
	require.Equal(t, 4, walk(2))
	require.Zero(t, s.countOf(`SELECT count(*) FROM outbox_signals`), "a later deadline needs nobody")
	saved.Duration = 2 * time.Hour
	stale := saved
	_, err = s.SaveAutoClose(t.Context(), s.ID, saved, By{ActorID: s.Member})
	require.NoError(t, err)
	n, err := s.RecountAutoClose(t.Context(), 2)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.Equal(t, 1, s.countOf(`SELECT count(*) FROM outbox_signals`), "a step at a time; who waits for an answer does not end")
	walk(2)
	require.Equal(t, 6, s.countOf(`SELECT count(DISTINCT conversation_id) FROM outbox_signals`))
	_, err = s.SaveAutoClose(t.Context(), s.ID, stale, By{})
	var no *omniflow.Refusal
	require.ErrorAs(t, err, &no)
	require.Equal(t, omniflow.VersionConflict, no.Code)
}

func TestTwoGroupsNeverShareAChannel(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	results := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := s.SaveAutoClose(t.Context(), s.ID, omniflow.AutoCloseRule{ID: uuid.New(), Name: "x", Channels: []omniflow.Channel{omniflow.LINE}, Duration: time.Hour, Grace: time.Minute}, By{})
			results <- err
		}()
	}
	first, second := <-results, <-results
	require.True(t, (first == nil) != (second == nil), "%v %v", first, second)
}
