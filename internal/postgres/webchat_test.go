package postgres

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres/postgrestest"
)

// newWidget is a dialogue on web chat.
func newWidget(t *testing.T) *dialogue {
	t.Helper()
	c := newDialogue(t, omniflow.LINE)
	c.Exec(`UPDATE channel_accounts SET channel = 'webchat' WHERE channel = 'line'`)
	c.Exec(`UPDATE conversations SET channel = 'webchat'`)
	return c
}

// widget is what the widget shows behind a message.
func (c *dialogue) widget(after uuid.UUID) []uuid.UUID {
	c.t.Helper()
	list, err := c.ListWebchatMessages(c.t.Context(), WebchatQuery{TeamID: c.ID, ChannelAccountID: c.account(omniflow.LINE),
		Customer: postgrestest.Recipient("line", 0), After: after, Limit: 100})
	require.NoError(c.t, err)
	ids := []uuid.UUID{}
	for _, m := range list {
		ids = append(ids, m.ID)
	}
	return ids
}

// begin is a transaction of the test itself.
func (s *spine) begin() pgx.Tx {
	s.t.Helper()
	tx, err := s.pool.Begin(s.t.Context())
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = tx.Rollback(s.t.Context()) })
	return tx
}

// blocked waits until so many sessions wait for a lock.
func (s *spine) blocked(n int) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		return s.countOf(`SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`) == n
	}, 10*time.Second, time.Millisecond)
}

func TestNothingAppearsBeforeWhatAWidgetHasShown(t *testing.T) {
	t.Parallel()
	c := newWidget(t)
	amy := c.colleague("Amy", omniflow.CSAgent)
	slow, fast := c.say(c.id, omniflow.OriginAgent, c.Member, text("x")), c.say(c.id, omniflow.OriginAgent, amy, text("y"))
	require.Empty(t, c.widget(uuid.Nil))
	// The first is stamped first, and committed last.
	worker := c.begin()
	_, err := worker.Exec(t.Context(), `UPDATE messages SET state = 'sent', sent_at = clock_timestamp() WHERE id = $1`, slow)
	require.NoError(t, err)
	c.Exec(`UPDATE messages SET state = 'sent', sent_at = clock_timestamp() WHERE id = $1`, fast)
	require.Equal(t, []uuid.UUID{fast}, c.widget(uuid.Nil))
	require.NoError(t, worker.Commit(t.Context()))
	require.Equal(t, []uuid.UUID{slow}, c.widget(fast))
	// A worker's clock is behind.
	late := c.reply(c.Member)
	c.Exec(`UPDATE messages SET sent_at = sent_at - interval '1 hour' WHERE id = $1`, late)
	require.Equal(t, []uuid.UUID{late}, c.widget(slow))
	require.Equal(t, []uuid.UUID{fast, slow, late}, c.widget(uuid.Nil))
	require.Empty(t, c.widget(late))
}

// Two widgets of one customer ask at once: both have seen that there is news
// before either gives it a place.
func TestTwoWidgetsSeeOneOrder(t *testing.T) {
	t.Parallel()
	c := newWidget(t)
	first, second := c.reply(c.Member), c.say(c.id, omniflow.OriginAgent, c.Member, text("y"))
	holder := c.begin()
	_, err := holder.Exec(t.Context(), `SELECT FROM conversations WHERE id = $1 FOR UPDATE`, c.id)
	require.NoError(t, err)
	shown := make(chan []uuid.UUID, 2)
	for range 2 {
		go func() { shown <- c.widget(uuid.Nil) }()
	}
	c.blocked(2)
	c.Exec(`UPDATE messages SET state = 'sent', sent_at = clock_timestamp() WHERE id = $1`, second)
	require.NoError(t, holder.Commit(t.Context()))
	for range 2 {
		got := <-shown
		require.Equal(t, []uuid.UUID{first, second}, append(got, c.widget(got[len(got)-1])...), "each once, in one order")
	}
}
