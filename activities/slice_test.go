package activities_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"omniflow/activities"
	"omniflow/internal/channel"
	"omniflow/internal/channel/facebook"
	"omniflow/internal/channel/instagram"
	"omniflow/internal/channel/line"
	"omniflow/internal/channel/whatsapp"
	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
	"omniflow/internal/postgres/migrations"
	"omniflow/internal/postgres/postgrestest"
	"omniflow/internal/simulator"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

// stage is a real database, the simulated providers over loopback, and the
// activities between them.
type stage struct {
	*postgrestest.Team
	t       *testing.T
	store   *postgres.Store
	sim     *simulator.Server
	url     string // of sim
	acts    *activities.Activities
	senders map[omniflow.Channel]channel.Sender
	lanes   map[omniflow.Channel]omniflow.Lane
}

func newStage(t *testing.T) *stage {
	t.Helper()
	dsn := postgrestest.New(t, func(ctx context.Context, dsn string) error {
		_, err := migrations.Up(ctx, dsn)
		return err
	})
	store, err := postgres.Open(t.Context(), dsn, 10)
	require.NoError(t, err)
	t.Cleanup(store.Close)
	sim := simulator.New(simulator.Options{Logger: slog.New(slog.DiscardHandler)})
	server := httptest.NewServer(sim)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close(); sim.Close() })
	s := &stage{Team: postgrestest.NewTeam(t, dsn), t: t, store: store, sim: sim, url: server.URL, lanes: map[omniflow.Channel]omniflow.Lane{}}
	for ch, id := range s.Account {
		require.NoError(t, sim.AddAccounts(simulator.Account{Channel: simulator.Channel(ch), ExternalID: postgrestest.ExternalID(ch, id), Token: "token", Secret: "secret",
			RatePerSecond: 80, MulticastPerSecond: 80, Burst: 80}))
	}
	http := channel.NewHTTPClient(channel.HTTPOptions{LoopbackOnly: true, Tries: 1})
	t.Cleanup(http.CloseIdleConnections)
	senders := map[omniflow.Channel]channel.Sender{
		omniflow.LINE: line.New(server.URL+"/line", http), omniflow.WhatsApp: whatsapp.New(server.URL+"/whatsapp", http),
		omniflow.Facebook: facebook.New(server.URL+"/messenger", http), omniflow.Instagram: instagram.New(server.URL+"/instagram", http),
	}
	s.senders = senders
	s.Exec(`INSERT INTO limiters (channel_account_id, name, team_id, limit_per_second, rate) VALUES ($1, 'messages', $2, 80, 80)`, s.Account["line"], s.ID)
	s.acts = activities.New(store, noSecrets{s.Team}, senders, silent{}, slog.New(slog.DiscardHandler), make(chan struct{}))
	return s
}

// noSecrets gives the team's accounts with the simulator's token.
type noSecrets struct{ team *postgrestest.Team }

func (a noSecrets) external(id uuid.UUID) string {
	for ch, account := range a.team.Account {
		if account == id {
			return postgrestest.ExternalID(ch, id)
		}
	}
	return ""
}

func (a noSecrets) Account(_ context.Context, teamID, id uuid.UUID) (channel.Account, error) {
	return channel.Account{ID: id, TeamID: teamID, ExternalID: a.external(id), Secrets: channel.Secrets{Token: "token"}}, nil
}

// silent counts nothing.
type silent struct{}

func (silent) Attempt(omniflow.Channel, string, time.Duration, int) {}
func (silent) Slowed(omniflow.Channel, string)                      {}
func (silent) Stopped(omniflow.Channel, string)                     {}

// plan plans a broadcast of texts to everybody.
func (s *stage) plan(texts ...string) {
	s.t.Helper()
	request := omniflow.BroadcastRequest{Kind: omniflow.BroadcastMessage, Audience: omniflow.Audience{All: true}}
	for _, text := range texts {
		request.Messages = append(request.Messages, omniflow.Content{Kind: omniflow.Text, Text: text})
	}
	body, err := json.Marshal(request)
	require.NoError(s.t, err)
	in := activities.BroadcastInput{TeamID: s.ID, BroadcastID: s.Broadcast(body)}
	plan, err := s.acts.PlanBroadcast(s.t.Context(), in)
	require.NoError(s.t, err)
	again, err := s.acts.PlanBroadcast(s.t.Context(), in)
	require.NoError(s.t, err)
	require.Equal(s.t, plan, again, "planning twice plans once")
	for _, lane := range plan.Lanes {
		s.lanes[lane.Channel] = lane
	}
}

func (s *stage) slice(ch omniflow.Channel) omniflow.Slice {
	return omniflow.Slice{Lane: s.lanes[ch], To: s.lanes[ch].Planned}
}

// send runs SendSlice once over the whole lane.
func (s *stage) send(ch omniflow.Channel) activities.SendSliceResult {
	s.t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.SetTestTimeout(2 * time.Minute)
	env.RegisterActivity(s.acts.SendSlice)
	value, err := env.ExecuteActivity(s.acts.SendSlice, s.slice(ch))
	require.NoError(s.t, err)
	var result activities.SendSliceResult
	require.NoError(s.t, value.Get(&result))
	return result
}

func (s *stage) tally(ch omniflow.Channel) omniflow.Tally {
	s.t.Helper()
	st, err := s.acts.LaneStatus(s.t.Context(), activities.LaneInput{Lane: s.lanes[ch], SliceSize: 60})
	require.NoError(s.t, err)
	require.True(s.t, st.Tally.Balanced(), "%+v", st.Tally)
	return st.Tally
}

// delivered counts what the customers of ch really got, by recipient.
func (s *stage) delivered(ch omniflow.Channel) map[string]int {
	out := map[string]int{}
	for _, d := range s.sim.Truth(simulator.Channel(ch), postgrestest.ExternalID(string(ch), s.Account[string(ch)])) {
		if d.Delivered {
			out[d.Recipient]++
		}
	}
	return out
}

func (s *stage) fault(ch omniflow.Channel, f simulator.Faults) {
	s.t.Helper()
	f.Channel, f.ExternalID = simulator.Channel(ch), postgrestest.ExternalID(string(ch), s.Account[string(ch)])
	require.NoError(s.t, s.sim.SetFaults(f))
}

// claim takes n rows as a process would that dies before it records them.
func (s *stage) claim(ch omniflow.Channel, n int) []omniflow.ClaimedMessage {
	s.t.Helper()
	fence, _, err := s.store.TakeSlice(s.t.Context(), s.slice(ch), time.Minute)
	require.NoError(s.t, err)
	c := omniflow.Claim{Slice: s.slice(ch), Fence: fence, Max: n, ActorID: s.Member}
	if ch == omniflow.LINE {
		c.RetryKey = uuid.Must(uuid.NewV7())
	}
	claimed, err := s.store.ClaimMessages(s.t.Context(), c)
	require.NoError(s.t, err)
	require.Len(s.t, claimed.Messages, n)
	return claimed.Messages
}

func TestEveryRowIsSentOnceOnEveryChannel(t *testing.T) {
	t.Parallel()
	for _, ch := range omniflow.BroadcastChannels {
		t.Run(string(ch), func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.Customers(string(ch), 60)
			s.plan("週年慶 🎉 全館九折", "https://shop.example.com/tw?a=1&b=2")
			result := s.send(ch)
			require.True(t, result.Done)
			got := s.delivered(ch)
			require.Len(t, got, 60)
			calls := len(omniflow.PartsOf(ch, make([]omniflow.Content, 2))) // LINE takes both in one
			for recipient, n := range got {
				require.Equal(t, calls, n, recipient)
			}
			require.Equal(t, s.lanes[ch].Planned, s.tally(ch).Sent)
			require.Zero(t, s.sim.Summary()[0].Duplicates)
		})
	}
}

func TestALostAnswerIsNeverSentTwice(t *testing.T) {
	t.Parallel()
	for _, ch := range omniflow.BroadcastChannels {
		for _, lost := range []simulator.Fault{simulator.LostReset, simulator.Lost500, simulator.Truncated} {
			t.Run(string(ch)+"/"+string(lost), func(t *testing.T) {
				t.Parallel()
				s := newStage(t)
				s.Customers(string(ch), 3)
				s.plan("到店禮 🎁")
				s.fault(ch, simulator.Faults{Next: []simulator.NextFault{{Recipient: postgrestest.Recipient(string(ch), 0), Fault: lost}}})
				require.True(t, s.send(ch).Done)
				got := s.delivered(ch)
				require.Len(t, got, 3)
				for recipient, n := range got {
					require.Equal(t, 1, n, recipient)
				}
				want := omniflow.Tally{Planned: 3, Sent: 2, Unknown: 1}
				if ch == omniflow.LINE {
					want = omniflow.Tally{Planned: 3, Sent: 3} // the same retry key tells
				}
				require.Equal(t, want, s.tally(ch))
			})
		}
	}
}

func TestACrashBetweenClaimAndRecord(t *testing.T) {
	t.Parallel()
	for _, ch := range omniflow.BroadcastChannels {
		for _, taken := range []bool{false, true} {
			t.Run(string(ch)+map[bool]string{false: "/before the call", true: "/after the call"}[taken], func(t *testing.T) {
				t.Parallel()
				s := newStage(t)
				s.Customers(string(ch), 3)
				s.plan("到店禮 🎁")
				messages := s.claim(ch, 2)
				if taken {
					s.call(ch, messages)
				}
				require.True(t, s.send(ch).Done)
				got := s.delivered(ch)
				for recipient, n := range got {
					require.Equal(t, 1, n, recipient)
				}
				want, people := omniflow.Tally{Planned: 3, Sent: 1, Unknown: 2}, 1
				if ch == omniflow.LINE {
					want, people = omniflow.Tally{Planned: 3, Sent: 3}, 3
				} else if taken {
					people = 3
				}
				require.Equal(t, want, s.tally(ch))
				require.Len(t, got, people)
			})
		}
	}
}

// call makes the provider calls of claimed rows and forgets the answers.
func (s *stage) call(ch omniflow.Channel, messages []omniflow.ClaimedMessage) {
	s.t.Helper()
	account, err := noSecrets{s.Team}.Account(s.t.Context(), s.ID, s.Account[string(ch)])
	require.NoError(s.t, err)
	contents := []omniflow.Content{{Kind: omniflow.Text, Text: "到店禮 🎁"}}
	if multicaster, ok := s.senders[ch].(channel.Multicaster); ok {
		var recipients []string
		for _, m := range messages {
			recipients = append(recipients, m.Recipient)
		}
		_, err := multicaster.Multicast(s.t.Context(), account, messages[0].RetryKey, recipients, contents)
		require.NoError(s.t, err)
		return
	}
	for _, m := range messages {
		_, err := s.senders[ch].Send(s.t.Context(), account, channel.Message{Key: channel.Key{MessageID: m.ID, Attempt: m.Attempt}, Recipient: m.Recipient, Contents: contents})
		require.NoError(s.t, err)
	}
}

// EX-069.
func TestEX069TwoFaultsThenSentOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.Customers("line", 1)
	s.plan("您好")
	s.fault(omniflow.LINE, simulator.Faults{Next: []simulator.NextFault{{Recipient: "*", Fault: simulator.Unavailable, Times: 2}}})
	require.True(t, s.send(omniflow.LINE).Done)
	require.Equal(t, omniflow.Tally{Planned: 1, Sent: 1}, s.tally(omniflow.LINE))
	require.Equal(t, map[string]int{postgrestest.Recipient("line", 0): 1}, s.delivered(omniflow.LINE))
	var attempts int
	s.Scan(&attempts, `SELECT (SELECT count(*) FROM attempts WHERE http_status >= 500) + (SELECT sum(attempt) FROM messages WHERE http_status = 200) * 10`)
	require.Equal(t, 32, attempts, "two refusals beside the row, and the third call, accepted, in it")
}

func TestAStopCodeStopsTheAccountAndKeepsTheRest(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.Customers("facebook", 20)
	s.plan("您好")
	s.fault(omniflow.Facebook, simulator.Faults{StopCode: 190})
	result := s.send(omniflow.Facebook)
	require.False(t, result.Done)
	require.Equal(t, omniflow.AccountStopped, result.Held)
	require.Equal(t, omniflow.Tally{Planned: 20, Queued: 20}, s.tally(omniflow.Facebook))
	st, err := s.acts.LaneStatus(t.Context(), activities.LaneInput{Lane: s.lanes[omniflow.Facebook], SliceSize: 60})
	require.NoError(t, err)
	require.Equal(t, omniflow.Code("190"), st.StopCode)

	s.fault(omniflow.Facebook, simulator.Faults{})
	changed, err := s.acts.ControlBroadcast(t.Context(), omniflow.ControlOrder{TeamID: s.ID, BroadcastID: s.lanes[omniflow.Facebook].BroadcastID,
		ActorID: s.Member, Order: omniflow.OrderResume, Reason: "new token"})
	require.NoError(t, err)
	require.True(t, changed.Changed)
	require.True(t, s.send(omniflow.Facebook).Done)
	require.Equal(t, omniflow.Tally{Planned: 20, Sent: 20}, s.tally(omniflow.Facebook))
	require.Len(t, s.delivered(omniflow.Facebook), 20)
}

func TestAPausedLaneSendsNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.Customers("instagram", 5)
	s.plan("您好")
	order := omniflow.ControlOrder{TeamID: s.ID, BroadcastID: s.lanes[omniflow.Instagram].BroadcastID, ActorID: s.Member, Order: omniflow.OrderPause}
	for _, changed := range []bool{true, false} {
		result, err := s.acts.ControlBroadcast(t.Context(), order)
		require.NoError(t, err)
		require.Equal(t, changed, result.Changed, "a second click is a no-op")
	}
	require.Equal(t, omniflow.HeldPaused, s.send(omniflow.Instagram).Held)
	require.Empty(t, s.delivered(omniflow.Instagram))
	order.Order = omniflow.OrderCancel
	_, err := s.acts.ControlBroadcast(t.Context(), order)
	require.NoError(t, err)
	require.NoError(t, s.acts.CancelLane(t.Context(), activities.LaneInput{Lane: s.lanes[omniflow.Instagram]}))
	require.Equal(t, omniflow.Tally{Planned: 5, Cancelled: 5}, s.tally(omniflow.Instagram))
}

func TestThrottleAnswersCostNoAttempt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.Customers("whatsapp", 10)
	s.plan("您好")
	s.fault(omniflow.WhatsApp, simulator.Faults{Next: []simulator.NextFault{{Recipient: postgrestest.Recipient("whatsapp", 3), Fault: simulator.Throttle}}})
	require.True(t, s.send(omniflow.WhatsApp).Done)
	require.Equal(t, omniflow.Tally{Planned: 10, Sent: 10}, s.tally(omniflow.WhatsApp))
	var tries, attempt int
	s.Scan(&tries, `SELECT tries FROM messages WHERE recipient = $1`, postgrestest.Recipient("whatsapp", 3))
	s.Scan(&attempt, `SELECT attempt FROM messages WHERE recipient = $1`, postgrestest.Recipient("whatsapp", 3))
	require.Equal(t, 1, tries)
	require.Equal(t, 2, attempt)
	var rate float64
	s.Scan(&rate, `SELECT rate FROM limiters WHERE channel_account_id = $1`, s.Account["whatsapp"])
	require.Less(t, rate, 80.0, "the account was slowed")
}

func TestARecipientThatLINERefusesDoesNotStopTheChunk(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.Customers("line", 6)
	s.Exec(`UPDATE channel_identities SET external_id = 'not a line user' WHERE external_id = $1`, postgrestest.Recipient("line", 2))
	s.plan("您好")
	require.True(t, s.send(omniflow.LINE).Done)
	require.Equal(t, omniflow.Tally{Planned: 6, Sent: 5, Failed: 1}, s.tally(omniflow.LINE))
	require.Len(t, s.delivered(omniflow.LINE), 5)
}
