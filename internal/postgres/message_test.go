package postgres

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres/postgrestest"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

func TestPlanFreezesTheAudienceOnce(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.LINE, 3)
	s.customers(omniflow.WhatsApp, 2)
	other := s.Customer("whatsapp", "followed by nobody", time.Hour)
	s.Exec(`UPDATE conversations SET follower_id = NULL WHERE id = $1`, other)
	s.plan("一", "二", "三")

	require.Equal(t, 3, s.lanes[omniflow.LINE].Planned, "LINE takes all messages in one call")
	require.Equal(t, 6, s.lanes[omniflow.WhatsApp].Planned, "one row a message and recipient")
	again, err := s.PlanBroadcast(t.Context(), s.job)
	require.NoError(t, err)
	require.False(t, again)
	var rows, contents int
	s.Scan(&rows, `SELECT count(*) FROM messages`)
	s.Scan(&contents, `SELECT count(*) FROM contents`)
	require.Equal(t, 9, rows)
	require.Equal(t, 1+3+3+3, contents, "content is stored once a channel and part")
}

func TestPlanNarrowsByFilterAndByName(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	ids := s.customers(omniflow.LINE, 4)
	s.Exec(`UPDATE contacts SET tags = '{VIP}', store = '信義店' WHERE customer_id = $1`, "line/"+postgrestest.Recipient("line", 1))
	s.Exec(`UPDATE contacts SET tags = '{VIP}' WHERE customer_id = $1`, "line/"+postgrestest.Recipient("line", 2))
	plan := func(a omniflow.Audience) int {
		s.job.Request.Audience = a
		s.job.BroadcastID = newID()
		s.Exec(`INSERT INTO broadcasts (id, team_id, actor_id, kind, client, request, workflow_id) VALUES ($1, $2, $3, '', '', '{}', '')`,
			s.job.BroadcastID, s.ID, s.Member)
		_, err := s.PlanBroadcast(t.Context(), s.job)
		require.NoError(t, err)
		var n int
		s.Scan(&n, `SELECT count(*) FROM messages WHERE broadcast_id = $1`, s.job.BroadcastID)
		return n
	}
	s.plan("你好")
	require.Equal(t, 2, plan(omniflow.Audience{Tags: []string{"VIP"}}))
	require.Equal(t, 1, plan(omniflow.Audience{Tags: []string{"VIP"}, Stores: []string{"信義店"}}))
	require.Equal(t, 0, plan(omniflow.Audience{Channels: []omniflow.Channel{omniflow.Facebook}}))
	require.Equal(t, 2, plan(omniflow.Audience{ConversationIDs: []uuid.UUID{ids[0], ids[3]}}))
}

// D-BRD-3: a window skips one recipient, and refuses nothing.
func TestEX122AFacebookCustomerSilentFor8DaysIsSkipped(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.Facebook, 2)
	s.Customer("facebook", "silent", 8*24*time.Hour)
	s.plan("新品到店 🎁")
	fence, _ := s.take(omniflow.Facebook)
	claimed := s.claim(omniflow.Facebook, fence, 10)
	require.Len(t, claimed.Messages, 2)
	s.record(omniflow.Sent, claimed.Messages...)
	require.Equal(t, omniflow.Tally{Planned: 3, Sent: 2, Skipped: 1}, s.tally(omniflow.Facebook))
	var code string
	s.Scan(&code, `SELECT code FROM messages WHERE recipient = 'silent'`)
	require.Equal(t, string(omniflow.WindowClosed), code)
}

func TestTheClaimChecksAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, change string
		code         omniflow.Code
	}{
		{"BRD-02 no longer handling", `UPDATE conversations SET state = 'closed'`, omniflow.NoLongerHandling},
		{"BRD-02 followed by nobody", `UPDATE conversations SET follower_id = NULL`, omniflow.NoLongerHandling},
		{"blocked meanwhile", `UPDATE channel_identities SET blocked_at = now()`, omniflow.CustomerBlocked},
		{"WIN-01 the window closed meanwhile", `UPDATE conversations SET last_customer_message_at = now() - interval '24 hours 1 second'`, omniflow.WindowTemplateOnly},
		{"D-WIN-1 never wrote", `UPDATE conversations SET last_customer_message_at = NULL`, omniflow.WindowTemplateOnly},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSpine(t)
			s.customers(omniflow.WhatsApp, 1)
			s.plan("你好")
			s.Exec(c.change)
			fence, _ := s.take(omniflow.WhatsApp)
			claimed := s.claim(omniflow.WhatsApp, fence, 10)
			require.Empty(t, claimed.Messages)
			require.Equal(t, 1, claimed.Skipped)
			var code string
			s.Scan(&code, `SELECT code FROM messages`)
			require.Equal(t, string(c.code), code)
			require.Equal(t, 1, s.tally(omniflow.WhatsApp).Skipped)
		})
	}
}

func TestConcurrentClaimsNeverShareARow(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.WhatsApp, 100)
	s.plan("你好")
	fence, _ := s.take(omniflow.WhatsApp)
	var mu sync.Mutex
	seen := map[uuid.UUID]int{}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for {
				claimed, err := s.ClaimMessages(t.Context(), omniflow.Claim{Slice: s.slice(omniflow.WhatsApp), Fence: fence, Max: 7, ActorID: s.Member})
				if err != nil || len(claimed.Messages) == 0 {
					return
				}
				mu.Lock()
				for _, m := range claimed.Messages {
					seen[m.ID]++
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	require.Len(t, seen, 100)
	for id, n := range seen {
		require.Equal(t, 1, n, id)
	}
}

func TestAnOlderFenceClaimsNothing(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.WhatsApp, 4)
	s.plan("你好")
	first, _ := s.take(omniflow.WhatsApp)
	held := s.claim(omniflow.WhatsApp, first, 2)
	require.Len(t, held.Messages, 2)
	second, ambiguous := s.take(omniflow.WhatsApp)
	require.Greater(t, second, first)
	require.Equal(t, 2, ambiguous)
	late := s.claim(omniflow.WhatsApp, first, 2)
	require.Equal(t, omniflow.FenceLost, late.Held)
	require.Empty(t, late.Messages)
	require.Len(t, s.claim(omniflow.WhatsApp, second, 9).Messages, 2, "the ambiguous rows are not fresh again")
	require.Equal(t, 1, s.record(omniflow.Sent, held.Messages[0]), "the slow attempt still knows what became of its rows")
	require.Equal(t, omniflow.Tally{Planned: 4, Sent: 1, Sending: 2, Unknown: 1}, s.tally(omniflow.WhatsApp))
}

func TestBRD05TheMessagesOfOneRecipientGoInOrder(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.WhatsApp, 2)
	s.plan("一", "二", "三")
	fence, _ := s.take(omniflow.WhatsApp)
	first := s.claim(omniflow.WhatsApp, fence, 10).Messages
	require.Len(t, first, 2, "only the first message of each recipient")
	require.Equal(t, []int{0, 3}, []int{first[0].Seq, first[1].Seq})
	s.record(omniflow.Sent, first[0])
	s.record(omniflow.Failed, first[1])
	second := s.claim(omniflow.WhatsApp, fence, 10).Messages
	require.Len(t, second, 1)
	require.Equal(t, 1, second[0].Seq)
	st, err := s.SliceStatus(t.Context(), s.slice(omniflow.WhatsApp))
	require.NoError(t, err)
	require.Equal(t, omniflow.SliceStatus{Waiting: 1, Sending: 1}, st, "the third waits; the rest after a failure is skipped")
	require.Equal(t, omniflow.Tally{Planned: 6, Sent: 1, Failed: 1, Skipped: 2, Queued: 1, Sending: 1}, s.tally(omniflow.WhatsApp))
}

func TestALineChunkGoesAgainWholeUnderItsKey(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.LINE, 5)
	s.plan("一", "二")
	fence, _ := s.take(omniflow.LINE)
	chunk := s.claim(omniflow.LINE, fence, 3).Messages
	require.Len(t, chunk, 3)
	fence, ambiguous := s.take(omniflow.LINE) // the process died between claim and record
	require.Equal(t, 3, ambiguous)
	s.Exec(`UPDATE conversations SET state = 'closed'`) // too late for who was perhaps sent to
	again := s.claim(omniflow.LINE, fence, 1).Messages
	require.Len(t, again, 3)
	for i := range chunk {
		require.Equal(t, chunk[i].Recipient, again[i].Recipient)
		require.Equal(t, chunk[i].RetryKey, again[i].RetryKey)
		require.Equal(t, 2, again[i].Attempt)
	}
	s.record(omniflow.Sent, again...)
	require.Equal(t, 2, s.claim(omniflow.LINE, fence, 10).Skipped, "fresh rows are checked")
	require.Equal(t, omniflow.Tally{Planned: 5, Sent: 3, Skipped: 2}, s.tally(omniflow.LINE))
}

func TestAWebhookMayComeBeforeTheRecord(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.WhatsApp, 1)
	s.plan("你好")
	fence, _ := s.take(omniflow.WhatsApp)
	m := s.claim(omniflow.WhatsApp, fence, 1).Messages[0]
	s.evidence(omniflow.WhatsApp, m, omniflow.Received, "wamid.1")
	require.Equal(t, 1, s.tally(omniflow.WhatsApp).Received)
	require.Equal(t, 0, s.record(omniflow.Unknown, m), "a lost answer does not undo what a webhook proved")
	require.Equal(t, 1, s.record(omniflow.Sent, m))
	require.Equal(t, 1, s.tally(omniflow.WhatsApp).Received)
}

// D-BRD-5: a broadcast changes nothing of the conversations that it goes to:
// state, follower, unread, waiting and auto-close stay.
func TestABroadcastLeavesItsConversationsAlone(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	for _, ch := range omniflow.BroadcastChannels {
		s.customers(ch, 2)
	}
	conversations := func() (all string) {
		s.Scan(&all, `SELECT jsonb_agg(to_jsonb(c) ORDER BY c.id)::text FROM conversations c`)
		return all
	}
	before := conversations()
	s.plan("新品 👇")
	for _, ch := range omniflow.BroadcastChannels {
		fence, _ := s.take(ch)
		messages := s.claim(ch, fence, 2).Messages
		require.Len(t, messages, 2)
		s.record(omniflow.Sent, messages...)
		s.drain(omniflow.Intake{Statuses: []omniflow.Status{s.status(ch, messages[0], omniflow.Received), s.status(ch, messages[0], omniflow.Read),
			s.status(ch, messages[1], omniflow.Failed)}})
		require.Equal(t, omniflow.Tally{Planned: 2, Read: 1, Failed: 1}, s.tally(ch))
	}
	require.NoError(t, s.FinishBroadcast(t.Context(), s.ID, s.job.BroadcastID, omniflow.CompletedWithFailures))
	require.Equal(t, before, conversations())
}
