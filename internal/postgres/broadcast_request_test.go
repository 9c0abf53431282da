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
