package main

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

// audience adds n conversations on LINE that were answered an hour ago and whose
// runs sleep for the rest of a day. Of ten, six are not to hear of a shorter
// rule; a contact's note says why.
func (s *shift) audience(n int) {
	s.t.Helper()
	s.Exec(`
		WITH k AS (
		  INSERT INTO contacts (id, team_id, note)
		  SELECT gen_random_uuid(), $1, (ARRAY['earlier', 'waits', 'earlier', 'looks before', 'earlier', 'closed', 'pending', 'unanswered', 'earlier', 'elsewhere'])[1 + n % 10]
		  FROM generate_series(1, $4) AS n RETURNING id, note),
		i AS (
		  INSERT INTO channel_identities (id, team_id, contact_id, channel_account_id, external_id) SELECT id, $1, id, $2, id::text FROM k)
		INSERT INTO conversations (id, team_id, contact_id, channel_identity_id, channel_account_id, channel, state, follower_id, waiting_since,
		  last_human_reply_at, armed_until)
		SELECT id, $1, id, id, $2, CASE note WHEN 'elsewhere' THEN 'facebook' ELSE 'line' END,
		  CASE note WHEN 'closed' THEN 'closed' WHEN 'pending' THEN 'pending_human' ELSE 'handling' END, CASE note WHEN 'pending' THEN NULL ELSE $3::uuid END,
		  CASE note WHEN 'waits' THEN now() END, CASE note WHEN 'unanswered' THEN NULL ELSE now() - interval '1 hour' END,
		  now() + CASE note WHEN 'looks before' THEN interval '10 minutes' ELSE interval '23 hours' END
		FROM k`, s.ID, s.Account["line"], s.Member, n)
}

// recounts lets the relay work until nothing is left of a changed rule, and
// checks that no step tells more than one step may. It returns how many steps it
// took and how many conversations were told, by note.
func (s *shift) recounts() (steps int, told map[string]int) {
	s.t.Helper()
	count := func(sql string) (n int) {
		s.Scan(&n, sql)
		return n
	}
	const signals = `SELECT count(*) FROM outbox_signals`
	for before := count(signals); count(`SELECT count(*) FROM auto_close_recounts`) > 0; steps++ {
		_, err := s.relay.recount(s.t.Context())
		require.NoError(s.t, err)
		now := count(signals)
		require.LessOrEqual(s.t, now-before, recountStep, "step %d", steps)
		before = now
	}
	require.Equal(s.t, count(signals), count(`SELECT count(DISTINCT conversation_id) FROM outbox_signals`), "each once")
	rows, _ := s.pool.Query(s.t.Context(), `SELECT k.note, count(*)::int AS n FROM outbox_signals o JOIN conversations c ON c.id = o.conversation_id
		JOIN contacts k ON k.id = c.contact_id GROUP BY 1`)
	told = map[string]int{}
	var note string
	var n int
	_, err := pgx.ForEachRow(rows, []any{&note, &n}, func() error { told[note] = n; return nil })
	require.NoError(s.t, err)
	return steps, told
}

// A changed duration is counted from the last human reply (D-CLS-3): who may end
// earlier now is told, once and a step at a time, and nobody else ever.
func TestDCLS3AShorterRuleTellsTenThousandInSteps(t *testing.T) {
	t.Parallel()
	s := newShift(t)
	s.audience(10_000)
	rule := omniflow.AutoCloseRule{ID: uuid.New(), Name: "all", Channels: []omniflow.Channel{omniflow.LINE}, Enabled: true, Grace: omniflow.DefaultGrace}
	lasts := func(d time.Duration) (int, map[string]int) {
		rule.Duration = d
		var err error
		rule, err = s.store.SaveAutoClose(t.Context(), s.ID, rule, postgres.By{ActorID: s.Member})
		require.NoError(t, err)
		return s.recounts()
	}
	const walked = 10_000 // open, on whatever channel
	steps, told := lasts(24 * time.Hour)
	require.Equal(t, walked/recountStep+1, steps, "the last one finds nobody")
	require.Empty(t, told)
	steps, told = lasts(2 * time.Hour)
	require.Equal(t, walked/recountStep+1, steps)
	require.Equal(t, map[string]int{"earlier": 4_000}, told)
	_, told = lasts(90 * time.Minute)
	require.Equal(t, map[string]int{"earlier": 4_000}, told, "they are about to look")
	s.Exec(`UPDATE conversations SET armed_until = last_human_reply_at + interval '90 minutes' WHERE armed_until <= now()`) // they have
	_, told = lasts(48 * time.Hour)
	require.Equal(t, map[string]int{"earlier": 4_000}, told, "a later deadline needs nobody")
}
