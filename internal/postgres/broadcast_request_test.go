package postgres

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// sales is a team of two sellers with customers on LINE and WhatsApp.
type sales struct {
	*Store
	t              *testing.T
	team           uuid.UUID
	seller, other  uuid.UUID
	line, whatsapp uuid.UUID
}

func newSales(t *testing.T) *sales {
	t.Helper()
	s := &sales{Store: openStore(t), t: t, team: newID(), seller: newID(), other: newID(), line: newID(), whatsapp: newID()}
	ctx := t.Context()
	_, err := s.CreateTeam(ctx, Team{TeamID: s.team, Plan: omniflow.OMO, Flags: []string{}, Timezone: "UTC", OnUnknown: omniflow.Prove, ReconcileAfter: time.Minute, GiveUpAfter: time.Hour})
	require.NoError(t, err)
	for _, id := range []uuid.UUID{s.seller, s.other} {
		_, err := s.CreateMember(ctx, Member{ID: id, TeamID: s.team, Role: omniflow.SalesStaff})
		require.NoError(t, err)
	}
	for id, ch := range map[uuid.UUID]omniflow.Channel{s.line: omniflow.LINE, s.whatsapp: omniflow.WhatsApp} {
		require.NoError(t, s.CreateAccount(ctx, Account{ID: id, TeamID: s.team, Channel: ch, ExternalID: id.String(), WABAID: "w", Secrets: []byte("x")}))
	}
	return s
}

// customers imports n customers for follower: every second on WhatsApp, every
// third of store A, every fifth tagged new.
func (s *sales) customers(prefix string, n int, follower *uuid.UUID) ImportResult {
	s.t.Helper()
	rows := make([]ImportRow, n)
	for i := range rows {
		rows[i] = ImportRow{CustomerID: fmt.Sprint(prefix, i), Channel: omniflow.LINE, ChannelAccountID: s.line, ExternalID: fmt.Sprint(prefix, i)}
		if i%2 == 0 {
			rows[i].Channel, rows[i].ChannelAccountID = omniflow.WhatsApp, s.whatsapp
		}
		if i%3 == 0 {
			rows[i].Store = "A"
		}
		if i%5 == 0 {
			rows[i].Tags = []string{"new", "vip"}
		}
	}
	result, err := s.ImportContacts(s.t.Context(), s.team, follower, rows)
	require.NoError(s.t, err)
	return result
}

// TestTheCountIsWhatThePlanWillBe: the API's count of an audience and the rows
// that the plan makes of it come from two statements that must agree (D-SYS-00).
func TestTheCountIsWhatThePlanWillBe(t *testing.T) {
	t.Parallel()
	s := newSales(t)
	s.customers("a", 60, &s.seller)
	s.customers("b", 10, &s.other)
	s.customers("c", 10, nil)
	_, err := s.pool.Exec(t.Context(), `UPDATE conversations SET type = 'line_group' WHERE id IN (SELECT id FROM conversations WHERE follower_id = $1 AND channel = 'line' LIMIT 3)`, s.seller)
	require.NoError(t, err)
	var named []uuid.UUID
	rows, err := s.pool.Query(t.Context(), `SELECT id FROM conversations WHERE type = 'one_to_one' LIMIT 40`)
	require.NoError(t, err)
	for rows.Next() {
		var id uuid.UUID
		require.NoError(t, rows.Scan(&id))
		named = append(named, id)
	}
	require.NoError(t, rows.Err())

	for name, row := range map[string]struct {
		audience omniflow.Audience
		want     int // -1: only that both agree
	}{
		"all":               {omniflow.Audience{All: true}, 57},
		"a channel":         {omniflow.Audience{Channels: []omniflow.Channel{omniflow.WhatsApp}}, 30},
		"two channels":      {omniflow.Audience{Channels: []omniflow.Channel{omniflow.WhatsApp, omniflow.LINE}}, 57},
		"a tag":             {omniflow.Audience{Tags: []string{"new"}}, -1},
		"either of tags":    {omniflow.Audience{Tags: []string{"new", "vip", "old"}}, -1},
		"a store":           {omniflow.Audience{Stores: []string{"A"}}, -1},
		"filters together":  {omniflow.Audience{All: true, Channels: []omniflow.Channel{omniflow.WhatsApp}, Tags: []string{"vip"}, Stores: []string{"A"}}, 2},
		"nobody":            {omniflow.Audience{Tags: []string{"nobody"}}, 0},
		"named":             {omniflow.Audience{ConversationIDs: named}, -1},
		"named twice":       {omniflow.Audience{ConversationIDs: append(named[:1:1], named[0])}, -1},
		"named, not theirs": {omniflow.Audience{ConversationIDs: []uuid.UUID{newID()}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			count, err := s.CountAudience(t.Context(), s.team, s.seller, row.audience)
			require.NoError(t, err)
			request := omniflow.BroadcastRequest{Kind: omniflow.BroadcastTemplate, Audience: row.audience,
				Messages: []omniflow.Content{{Kind: omniflow.TemplateKind, Template: &omniflow.Template{Name: "n", Language: "zh_TW"}}}}
			id := newID()
			start, err := s.CreateBroadcast(t.Context(), NewBroadcast{ID: id, TeamID: s.team, ActorID: s.seller, Request: request, WorkflowID: id.String(), Input: []byte("{}")})
			require.NoError(t, err)
			require.NotNil(t, start)
			_, err = s.PlanBroadcast(t.Context(), omniflow.BroadcastJob{TeamID: s.team, BroadcastID: id, ActorID: s.seller, Request: request})
			require.NoError(t, err)
			b, err := s.LoadBroadcast(t.Context(), s.team, id)
			require.NoError(t, err)
			planned := 0
			for _, l := range b.Lanes {
				planned += l.Recipients
				require.Equal(t, count.Channels[l.Channel], l.Recipients)
				tally, err := l.Tally()
				require.NoError(t, err)
				require.True(t, tally.Balanced())
			}
			require.Equal(t, count.Total, planned)
			if row.want >= 0 {
				require.Equal(t, row.want, count.Total)
			}
		})
	}
}

func TestAPromiseIsMadeAndKeptOnce(t *testing.T) {
	t.Parallel()
	s := newSales(t)
	b := NewBroadcast{ID: newID(), TeamID: s.team, ActorID: s.seller, Workflow: "SendBroadcast", WorkflowID: "w", Input: []byte(`{"a": 1}`), Summary: "s"}
	start, err := s.CreateBroadcast(t.Context(), b)
	require.NoError(t, err)
	again, err := s.CreateBroadcast(t.Context(), b)
	require.NoError(t, err)
	require.Equal(t, start, again, "made once, and still open")
	require.JSONEq(t, `{"a":1}`, string(start.Input))
	require.NoError(t, s.KeepPromise(t.Context(), *start))
	kept, err := s.CreateBroadcast(t.Context(), b)
	require.NoError(t, err)
	require.Nil(t, kept)
	kept, err = s.OpenPromise(t.Context(), s.team, "w")
	require.NoError(t, err)
	require.Nil(t, kept)
	var started int
	require.NoError(t, s.pool.QueryRow(t.Context(), `SELECT count(*) FROM outbox WHERE started_at IS NOT NULL`).Scan(&started))
	require.Equal(t, 1, started)
}

func TestImportsOfOneTeamDoNotMeet(t *testing.T) {
	t.Parallel()
	s := newSales(t)
	var wait sync.WaitGroup
	results := make([]ImportResult, 4)
	for i := range results {
		wait.Go(func() { results[i] = s.customers("a", 500, &s.seller) })
	}
	wait.Wait()
	total := ImportResult{}
	for _, r := range results {
		total.Imported += r.Imported
		total.Updated += r.Updated
	}
	require.Equal(t, ImportResult{Imported: 500, Updated: 1500}, total)
}

// imports is a file with the customer of the conversation in it.
func (c *dialogue) imports(follower *uuid.UUID) {
	c.t.Helper()
	row := ImportRow{CustomerID: "k1"}
	c.Scan(&row.ExternalID, `SELECT i.external_id FROM channel_identities i JOIN conversations c ON c.channel_identity_id = i.id WHERE c.id = $1`, c.id)
	c.Scan(&row.Channel, `SELECT channel FROM conversations WHERE id = $1`, c.id)
	row.ChannelAccountID = c.account(row.Channel)
	result, err := c.ImportContacts(c.t.Context(), c.ID, follower, []ImportRow{row})
	require.NoError(c.t, err)
	require.Equal(c.t, ImportResult{Updated: 1}, result)
}

func TestAnImportReopensAConversationAsAMemberDoes(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.WhatsApp)
	amy := c.colleague("Amy", omniflow.CSAgent)
	c.rule(time.Hour, `reminder = '還在嗎?'`)
	c.reply(c.Member)
	c.serve()
	c.rewind(time.Hour)
	c.deliver()
	c.rewind(time.Hour)
	require.True(t, c.deliver().Over)
	c.rewind(time.Hour)

	c.imports(nil)
	state, _, _ := c.conversation()
	require.Equal(t, omniflow.Closed, state, "an import without follower moves nothing")
	require.Equal(t, 1, c.countOf(`SELECT count(*) FROM conversations WHERE id = $1 AND closed_at IS NOT NULL AND last_human_reply_at IS NOT NULL`, c.id))
	before, version := c.signals(c.id), c.countOf(`SELECT version FROM conversations WHERE id = $1`, c.id)
	c.imports(&amy)
	state, follower := c.shown(c.id)
	require.Equal(t, []any{omniflow.Handling, amy}, []any{state, follower})
	require.Equal(t, 1, c.countOf(`SELECT count(*) FROM conversations WHERE id = $1 AND closed_at IS NULL AND last_human_reply_at IS NULL AND reminded_at IS NULL
		AND close_from > now() - interval '1 minute' AND followed_at > now() - interval '1 minute' AND version = $2`, c.id, version+1))
	require.Equal(t, before, c.signals(c.id), "nothing to time until the next message: no run for each row of a file")

	require.NoError(t, c.move(c.id, amy, omniflow.Transfer, c.Member))
	turn := c.deliver()
	require.Equal(t, omniflow.Handling, turn.State, "it does not end before somebody has answered again (section 18)")
	require.Zero(t, turn.ClosesAt)
	c.reply(c.Member)
	require.WithinDuration(t, time.Now().Add(time.Hour), c.serve().ClosesAt, 5*time.Minute)
}

func TestAnImportTellsTheRunsOfWhoWaits(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.LINE)
	c.put(c.id, omniflow.PendingBot, uuid.Nil)
	c.writes()
	c.rewind(40 * time.Minute)
	require.Equal(t, omniflow.WaitingNone, c.serve().Waiting, "a wait is not shown in the bot")
	before := c.signals(c.id)
	c.imports(nil)
	require.Equal(t, before, c.signals(c.id), "nothing moved")
	c.imports(&c.Member)
	require.Equal(t, before+1, c.signals(c.id), "its run shows the wait at once, not when it would have looked")
	c.imports(&c.Member)
	require.Equal(t, before+1, c.signals(c.id), "once")
	var input omniflow.ServeConversationInput
	c.Scan(&input, `SELECT input FROM outbox_signals WHERE workflow_id = $1 ORDER BY id DESC LIMIT 1`, omniflow.ServeConversationID(c.ID, c.id))
	require.Equal(t, omniflow.ServeConversationInput{ConversationRef: c.ref(), Channel: omniflow.LINE}, input)
	require.Equal(t, omniflow.WaitingOver30m, c.serve().Waiting)
}

func TestAnImportTellsTheRunsOfWhatMayEndBySilence(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.LINE)
	c.rule(time.Hour)
	c.reply(c.Member)
	c.serve()
	c.put(c.id, omniflow.PendingHuman, uuid.Nil)
	c.serve()
	before := c.signals(c.id)
	c.imports(&c.Member)
	require.Equal(t, before+1, c.signals(c.id))
	require.WithinDuration(t, time.Now().Add(time.Hour), c.serve().ClosesAt, time.Minute)
	before = c.signals(c.id)
	c.imports(&c.Member)
	require.Equal(t, before, c.signals(c.id), "it was handled before: nothing moved")
}

func TestAnImportIsAllOrNothing(t *testing.T) {
	t.Parallel()
	s := newSales(t)
	_, err := s.ImportContacts(t.Context(), s.team, nil, []ImportRow{
		{CustomerID: "a", Channel: omniflow.LINE, ChannelAccountID: s.line, ExternalID: "1"},
		{CustomerID: "b", Name: "a\x00b", Channel: omniflow.LINE, ChannelAccountID: s.line, ExternalID: "2"},
	})
	require.Error(t, err)
	require.True(t, BadText(err), "%v", err)
	var n int
	require.NoError(t, s.pool.QueryRow(t.Context(), `SELECT count(*) FROM contacts`).Scan(&n))
	require.Zero(t, n)
}
