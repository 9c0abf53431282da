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

// openStore opens a fresh database.
func openStore(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), postgrestest.New(t, migrateUp), 8)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// furnish makes a team with at least one row in every table.
func furnish(t *testing.T, s *Store) uuid.UUID {
	t.Helper()
	ctx, team, member, account := t.Context(), newID(), newID(), newID()
	_, err := s.CreateTeam(ctx, Team{TeamID: team, Name: "A", Plan: omniflow.OMO, Flags: []string{}, Timezone: "Asia/Taipei", OnUnknown: omniflow.Prove,
		ReconcileAfter: time.Minute, GiveUpAfter: time.Hour})
	require.NoError(t, err)
	_, err = s.CreateMember(ctx, Member{ID: member, TeamID: team, Name: "A", Role: omniflow.SalesStaff})
	require.NoError(t, err)
	require.NoError(t, s.CreateMachineKey(ctx, MachineKey{ID: newID(), TeamID: team, MemberID: member, SHA256: member[:]}))
	require.NoError(t, s.CreateAccount(ctx, Account{ID: account, TeamID: team, Channel: omniflow.LINE, ExternalID: account.String(), Secrets: []byte("x"),
		Limiters: []Limiter{{Name: "messages", LimitPerSecond: 1}}}))
	_, err = s.SaveTemplate(ctx, Template{ID: newID(), TeamID: team, WABAID: "w", Name: "n", Language: "zh_TW", State: "approved"})
	require.NoError(t, err)
	_, err = s.ImportContacts(ctx, team, &member, []ImportRow{{CustomerID: "C1", Channel: omniflow.LINE, ChannelAccountID: account, ExternalID: "U1"}})
	require.NoError(t, err)
	request := omniflow.BroadcastRequest{Kind: omniflow.BroadcastMessage, Audience: omniflow.Audience{All: true}, Messages: []omniflow.Content{{Kind: omniflow.Text, Text: "x"}}}
	broadcast := newID()
	_, err = s.CreateBroadcast(ctx, NewBroadcast{ID: broadcast, TeamID: team, ActorID: member, Request: request, Workflow: "w", WorkflowID: broadcast.String(), Input: []byte("{}")})
	require.NoError(t, err)
	_, err = s.PlanBroadcast(ctx, omniflow.BroadcastJob{TeamID: team, BroadcastID: broadcast, ActorID: member, Request: request})
	require.NoError(t, err)
	_, err = s.ReceiveWebhooks(ctx, []Webhook{{TeamID: team, Channel: omniflow.LINE, ChannelAccountID: account, Body: []byte("{}")}})
	require.NoError(t, err)
	_, err = s.ClaimRequest(ctx, RequestKey{TeamID: team, ActorID: member, Key: "k"}, []byte("f"), time.Minute)
	require.NoError(t, err)
	for _, insert := range []string{
		`INSERT INTO broadcast_slices (broadcast_id, channel_account_id, from_seq, team_id) SELECT broadcast_id, channel_account_id, 0, team_id FROM broadcast_lanes WHERE team_id = $1`,
		`INSERT INTO attempts (message_id, team_id, attempt, at) SELECT id, team_id, 1, now() FROM messages WHERE team_id = $1`,
		`INSERT INTO message_events (message_id, team_id, state, at) SELECT id, team_id, 'sent', now() FROM messages WHERE team_id = $1`,
		`INSERT INTO webhook_evidence (channel_account_id, second, team_id, confirmed) SELECT id, now(), team_id, 1 FROM channel_accounts WHERE team_id = $1`,
		`INSERT INTO dead_letters (id, team_id, channel, channel_account_id, reason, event) SELECT gen_random_uuid(), team_id, channel, id, 'x', '{}' FROM channel_accounts WHERE team_id = $1`,
		`INSERT INTO inbound_messages (id, team_id, conversation_id, channel_account_id, provider_id, kind, body, sent_at)
SELECT gen_random_uuid(), team_id, id, channel_account_id, 'p', 'text', '{}', now() FROM conversations WHERE team_id = $1`,
		`INSERT INTO lane_outcomes (broadcast_id, channel_account_id, team_id, taken, failed) SELECT broadcast_id, channel_account_id, team_id, 1, 0 FROM broadcast_lanes WHERE team_id = $1`,
		`INSERT INTO lane_counts SELECT * FROM lane_changes WHERE team_id = $1`,
		`INSERT INTO retries (message_id, team_id, broadcast_id, repeated_by) SELECT id, team_id, broadcast_id, gen_random_uuid() FROM messages WHERE team_id = $1`,
		`INSERT INTO delivery_doubts (conversation_id, team_id, at) SELECT id, team_id, now() FROM conversations WHERE team_id = $1`,
		`INSERT INTO media (id, team_id, kind, mime, name, bytes, sha256) VALUES (gen_random_uuid(), $1, 'file', 'm', 'n', 1, 's')`,
		`INSERT INTO broadcast_media (broadcast_id, channel_account_id, media_id, kind, team_id)
SELECT l.broadcast_id, l.channel_account_id, m.id, 'file', l.team_id FROM broadcast_lanes l JOIN media m USING (team_id) WHERE team_id = $1`,
		`INSERT INTO saved_replies (id, team_id, member_id, topic, kind, audience) SELECT gen_random_uuid(), team_id, id, 't', 'custom', 'only_myself' FROM members WHERE team_id = $1`,
		`INSERT INTO contact_bindings (member_id, contact_id, team_id) SELECT m.id, c.id, c.team_id FROM members m JOIN contacts c USING (team_id) WHERE team_id = $1`,
		`INSERT INTO groups (id, team_id, channel_account_id, creator_id, name, marker)
SELECT gen_random_uuid(), a.team_id, a.id, m.id, 'x', 'ref:x' FROM channel_accounts a JOIN members m USING (team_id) WHERE team_id = $1 LIMIT 1`,
		`INSERT INTO group_members (id, team_id, group_id, phone, phone_hash, state) SELECT gen_random_uuid(), team_id, id, '1', 'h', 'joined' FROM groups WHERE team_id = $1`,
		`INSERT INTO group_changes (id, team_id, group_id, actor_id, kind) SELECT gen_random_uuid(), team_id, id, creator_id, 'delete' FROM groups WHERE team_id = $1`,
		`INSERT INTO group_events (channel_account_id, event_key, team_id) SELECT id, 'k', team_id FROM channel_accounts WHERE team_id = $1`,
		`INSERT INTO group_rendezvous (channel_account_id, request_id, team_id) SELECT id, 'r', team_id FROM channel_accounts WHERE team_id = $1`,
		`INSERT INTO collaborators (conversation_id, member_id, team_id, position)
SELECT c.id, m.id, c.team_id, 1 FROM conversations c JOIN members m USING (team_id) WHERE team_id = $1 LIMIT 1`,
		`INSERT INTO conversation_log (id, team_id, conversation_id, action_id, kind, event)
SELECT gen_random_uuid(), team_id, id, gen_random_uuid(), 'log', 'x' FROM conversations WHERE team_id = $1`,
		`INSERT INTO conversation_reads (conversation_id, member_id, team_id, seen) SELECT c.id, m.id, c.team_id, 0 FROM conversations c JOIN members m USING (team_id) WHERE team_id = $1 LIMIT 1`,
		`INSERT INTO conversation_pins (conversation_id, member_id, team_id) SELECT c.id, m.id, c.team_id FROM conversations c JOIN members m USING (team_id) WHERE team_id = $1 LIMIT 1`,
		`INSERT INTO notifications (id, team_id, member_id, conversation_id, action_id, kind)
SELECT gen_random_uuid(), c.team_id, m.id, c.id, gen_random_uuid(), 'customer_message' FROM conversations c JOIN members m USING (team_id) WHERE team_id = $1 LIMIT 1`,
		`INSERT INTO conversation_messages (message_id, team_id, conversation_id, origin) SELECT id, team_id, conversation_id, 'agent' FROM messages WHERE team_id = $1`,
		`INSERT INTO inbound_media (inbound_message_id, team_id, channel_account_id, handle) SELECT id, team_id, channel_account_id, 'h' FROM inbound_messages WHERE team_id = $1`,
		`INSERT INTO keyword_rules (id, team_id, keyword, match, reply) VALUES (gen_random_uuid(), $1, 'k', 'exact', 'r')`,
		`INSERT INTO auto_close_rules (id, team_id, name, channels) VALUES (gen_random_uuid(), $1, 'n', '{line}')`,
		`INSERT INTO group_receipts (message_id, team_id, participant) SELECT id, team_id, '1' FROM messages WHERE team_id = $1`,
		`INSERT INTO auto_close_recounts (team_id) VALUES ($1)`,
		`INSERT INTO lane_rates (broadcast_id, channel_account_id, team_id, limiter, rate_per_second) SELECT broadcast_id, channel_account_id, team_id, 'messages', 20 FROM broadcast_lanes WHERE team_id = $1`,
		`INSERT INTO outbox_signals (id, team_id, workflow, workflow_id, input, signal) VALUES (gen_random_uuid(), $1, 'w', 'w', '{}', 's')`,
		`INSERT INTO audit_log (id, team_id, action, object) VALUES (gen_random_uuid(), $1, 'x', 'y')`,
	} {
		_, err := s.pool.Exec(ctx, insert, team)
		require.NoError(t, err, insert)
	}
	return team
}

// teamTables are all tables but goose's own.
func teamTables(t *testing.T, s *Store) []string {
	t.Helper()
	rows, err := s.pool.Query(t.Context(), `
SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name NOT LIKE 'goose%'`)
	require.NoError(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Greater(t, len(tables), 20)
	return tables
}

// TestATeamSeesOnlyItsOwnRows runs a query without a team filter on every
// table: row-level security gives the rows of one team only (SYS-13).
func TestATeamSeesOnlyItsOwnRows(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	mine, theirs := furnish(t, s), furnish(t, s)
	for _, table := range teamTables(t, s) {
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			name := pgx.Identifier{table}.Sanitize()
			var all int
			require.NoError(t, s.pool.QueryRow(t.Context(), `SELECT count(DISTINCT team_id) FROM `+name).Scan(&all))
			require.Equal(t, 2, all, "both teams have rows here")
			for _, team := range []uuid.UUID{mine, theirs} {
				err := s.inTeam(t.Context(), team, func(tx pgx.Tx) error {
					rows, err := tx.Query(t.Context(), `SELECT DISTINCT team_id FROM `+name)
					require.NoError(t, err)
					seen, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
					require.NoError(t, err)
					require.Equal(t, []uuid.UUID{team}, seen)
					tag, err := tx.Exec(t.Context(), `UPDATE `+name+` SET team_id = team_id WHERE team_id <> $1`, team)
					require.NoError(t, err)
					require.Zero(t, tag.RowsAffected(), "nothing of another team can be changed")
					return nil
				})
				require.NoError(t, err)
			}
		})
	}
}

func TestATeamCannotWriteForAnother(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	mine, theirs := furnish(t, s), furnish(t, s)
	err := s.inTeam(t.Context(), mine, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO audit_log (id, team_id, action, object) VALUES (gen_random_uuid(), $1, 'x', 'y')`, theirs)
		return err
	})
	require.ErrorContains(t, err, "row-level security")

	// After a transaction in a team its connection is the owner's again.
	var role string
	require.NoError(t, s.pool.QueryRow(t.Context(), `SELECT current_user`).Scan(&role))
	require.NotEqual(t, "omniflow_team", role)
}

func TestWhatBelongsToAnotherTeamIsNotFound(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	mine, theirs := furnish(t, s), furnish(t, s)
	foreign := func(table string) uuid.UUID {
		var id uuid.UUID
		require.NoError(t, s.pool.QueryRow(t.Context(), `SELECT id FROM `+table+` WHERE team_id = $1`, theirs).Scan(&id))
		return id
	}
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"member":         func() error { _, err := s.LoadMember(ctx, mine, foreign("members")); return err },
		"actor":          func() error { _, err := s.LoadActor(ctx, mine, foreign("members")); return err },
		"account":        func() error { _, err := s.LoadAccount(ctx, mine, foreign("channel_accounts")); return err },
		"resume account": func() error { return s.ResumeAccount(ctx, mine, foreign("channel_accounts"), By{}) },
		"account rate":   func() error { return s.SetAccountRate(ctx, mine, foreign("channel_accounts"), 1, By{}) },
		"broadcast":      func() error { _, err := s.LoadBroadcast(ctx, mine, foreign("broadcasts")); return err },
		"recipients": func() error {
			_, err := s.ListRecipients(ctx, RecipientQuery{TeamID: mine, BroadcastID: foreign("broadcasts"), Limit: 1})
			return err
		},
		"timeline": func() error {
			_, err := s.Timeline(ctx, mine, foreign("broadcasts"), foreign("conversations"))
			return err
		},
		"machine key": func() error {
			return s.CreateMachineKey(ctx, MachineKey{ID: newID(), TeamID: mine, MemberID: foreign("members")})
		},
		"dead letter":    func() error { _, err := s.ReplayDeadLetter(ctx, mine, foreign("dead_letters"), By{}, nil); return err },
		"another's team": func() error { _, err := s.LoadTeam(ctx, newID()); return err },
		"webhook's channel": func() error {
			_, err := s.WebhookAccount(ctx, omniflow.WhatsApp, foreign("channel_accounts"))
			return err
		},
	} {
		var refusal *omniflow.Refusal
		require.ErrorAs(t, call(), &refusal, name)
		require.Equal(t, omniflow.NotFound, refusal.Code, name)
	}
}
