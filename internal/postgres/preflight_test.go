package postgres

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// messy fills a spine with an audience of every kind and gives its conversations.
func (s *spine) messy() (mine, others []uuid.UUID) {
	s.t.Helper()
	for _, ch := range omniflow.BroadcastChannels {
		for i, silent := range []time.Duration{time.Minute, 23 * time.Hour, 25 * time.Hour, 8 * 24 * time.Hour} {
			mine = append(mine, s.Customer(string(ch), fmt.Sprintf("%s-%d", ch, i), silent))
		}
		blocked := s.Customer(string(ch), string(ch)+"-blocked", time.Minute)
		s.Exec(`UPDATE channel_identities SET blocked_at = now() WHERE id = (SELECT channel_identity_id FROM conversations WHERE id = $1)`, blocked)
		never := s.Customer(string(ch), string(ch)+"-never", 0)
		s.Exec(`UPDATE conversations SET last_customer_message_at = NULL WHERE id = $1`, never)
		mine = append(mine, blocked, never)
		closed, group := s.Customer(string(ch), string(ch)+"-closed", 0), s.Customer(string(ch), string(ch)+"-group", 0)
		s.Exec(`UPDATE conversations SET state = 'closed' WHERE id = $1`, closed)
		s.Exec(`UPDATE conversations SET type = 'line_group' WHERE id = $1`, group)
		others = append(others, closed, group)
	}
	// The same number behind a second account: once is enough.
	second := newID()
	s.Exec(`INSERT INTO channel_accounts (id, team_id, channel, name, external_id, secrets) VALUES ($1, $2, 'whatsapp', 'b', 'second', '')`, second, s.ID)
	for i := range 3 {
		twice := s.Customer("whatsapp", fmt.Sprintf("again-%d", i), time.Hour)
		s.Exec(`UPDATE channel_identities SET channel_account_id = $2, external_id = $3 WHERE id = (SELECT channel_identity_id FROM conversations WHERE id = $1)`,
			twice, second, fmt.Sprintf("whatsapp-%d", i))
		s.Exec(`UPDATE conversations SET channel_account_id = $2 WHERE id = $1`, twice, second)
		mine = append(mine, twice)
	}
	return mine, others
}

// TestAPreflightSaysWhatThePlanDoes: recipient by recipient, for every way to
// choose them.
func TestAPreflightSaysWhatThePlanDoes(t *testing.T) {
	t.Parallel()
	texts := []omniflow.Content{{Kind: omniflow.Text, Text: "一"}, {Kind: omniflow.Text, Text: "二"}}
	for _, c := range []struct {
		name     string
		audience func(mine, others []uuid.UUID) omniflow.Audience
		want     int
	}{
		{"all", func([]uuid.UUID, []uuid.UUID) omniflow.Audience { return omniflow.Audience{All: true} }, 27},
		{"a channel", func([]uuid.UUID, []uuid.UUID) omniflow.Audience {
			return omniflow.Audience{Channels: []omniflow.Channel{omniflow.WhatsApp}}
		}, 9},
		{"a list with people who are not handled any more", func(mine, others []uuid.UUID) omniflow.Audience {
			return omniflow.Audience{ConversationIDs: append(mine[:10:10], others...)}
		}, 18},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSpine(t)
			request := omniflow.BroadcastRequest{Kind: omniflow.BroadcastMessage, Audience: c.audience(s.messy()), Messages: texts}
			verdicts := map[uuid.UUID]omniflow.Code{}
			q := PreflightQuery{TeamID: s.ID, ActorID: s.Member, Request: request, AfterPlace: -1, Limit: 4}
			var p Preflight
			for {
				var err error
				p, err = s.Preflight(t.Context(), q)
				require.NoError(t, err)
				for _, v := range p.Verdicts {
					verdicts[v.ConversationID] = v.Code
				}
				if len(p.Verdicts) < q.Limit {
					break
				}
				last := p.Verdicts[len(p.Verdicts)-1]
				q.AfterAccount, q.AfterPlace = last.ChannelAccountID, last.Place
			}
			require.Len(t, verdicts, c.want)
			var rows int
			s.Scan(&rows, `SELECT count(*) FROM messages`)
			require.Zero(t, rows, "a preflight changes nothing")

			body, err := json.Marshal(request)
			require.NoError(t, err)
			id := s.Broadcast(body)
			job, err := s.BroadcastJob(t.Context(), s.ID, id)
			require.NoError(t, err)
			_, err = s.PlanBroadcast(t.Context(), job)
			require.NoError(t, err)
			planned := map[uuid.UUID]omniflow.Code{}
			list, err := s.ListRecipients(t.Context(), RecipientQuery{TeamID: s.ID, BroadcastID: id, AfterSeq: -1, Limit: 1000})
			require.NoError(t, err)
			for _, r := range list {
				planned[r.ConversationID] = omniflow.Code(r.Code)
				require.Equal(t, r.Code == "", r.State == omniflow.Queued)
			}
			require.Equal(t, planned, verdicts)
			s.sameLanes(id, p.Lanes)
		})
	}
}

// sameLanes compares the counts of a preflight with those of the plan.
func (s *spine) sameLanes(id uuid.UUID, lanes []PreflightLane) {
	s.t.Helper()
	b, err := s.LoadBroadcast(s.t.Context(), s.ID, id)
	require.NoError(s.t, err)
	require.Len(s.t, lanes, len(b.Lanes))
	for i, l := range b.Lanes {
		tally, err := l.Tally()
		require.NoError(s.t, err)
		require.Equal(s.t, l.ChannelAccountID, lanes[i].ChannelAccountID)
		require.Equal(s.t, l.Recipients, lanes[i].Recipients)
		require.Equal(s.t, tally.Queued, lanes[i].Rows)
		skipped := 0
		for _, n := range lanes[i].Codes {
			skipped += n
		}
		require.Equal(s.t, lanes[i].Recipients, lanes[i].Eligible+skipped)
	}
}

func TestAPreflightKnowsTheQuota(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.LINE, 3)
	q := PreflightQuery{TeamID: s.ID, ActorID: s.Member, AfterPlace: -1, Limit: 1, Request: omniflow.BroadcastRequest{Kind: omniflow.BroadcastMessage,
		Audience: omniflow.Audience{All: true}, Messages: []omniflow.Content{{Kind: omniflow.Text, Text: "一"}}}}
	p, err := s.Preflight(t.Context(), q)
	require.NoError(t, err)
	require.Nil(t, p.Lanes[0].Quota, "never read")
	due, err := s.DueQuotas(t.Context(), omniflow.LINE, 9)
	require.NoError(t, err)
	require.Equal(t, []omniflow.AccountRef{{TeamID: s.ID, ChannelAccountID: s.account(omniflow.LINE)}}, due)
	again, err := s.DueQuotas(t.Context(), omniflow.LINE, 9)
	require.NoError(t, err)
	require.Empty(t, again, "another worker is at it")
	read := omniflow.Quota{Limited: true, Limit: 200, Used: 198, ReadAt: time.Now().UTC().Truncate(time.Millisecond)}
	require.NoError(t, s.SaveQuota(t.Context(), due[0], read))
	p, err = s.Preflight(t.Context(), q)
	require.NoError(t, err)
	p.Lanes[0].Quota.ReadAt = p.Lanes[0].Quota.ReadAt.UTC()
	require.Equal(t, &read, p.Lanes[0].Quota)
	require.Equal(t, omniflow.QuotaShort, omniflow.QuotaFor(p.Lanes[0].Quota, p.Lanes[0].Eligible))
	q.Barred, q.BarredCode = []omniflow.Channel{omniflow.LINE}, omniflow.MessageTooLong
	p, err = s.Preflight(t.Context(), q)
	require.NoError(t, err)
	require.Zero(t, p.Lanes[0].Eligible)
	require.Equal(t, map[omniflow.Code]int{omniflow.MessageTooLong: 3}, p.Lanes[0].Codes)
}
