package simulator_test

import (
	"errors"
	"io"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/simulator"
)

// next hits the next request to a person with a fault.
func (w *world) next(c simulator.Channel, n int, fault simulator.Fault) {
	w.t.Helper()
	require.NoError(w.t, w.sim.SetFaults(simulator.Faults{Channel: c, ExternalID: external(c), HangSeconds: 0.2,
		Next: []simulator.NextFault{{Recipient: person(c, n), Fault: fault}}}))
}

func TestFaultHitsOneRecipientOnce(t *testing.T) {
	t.Parallel()
	for _, c := range channels() {
		for _, f := range []struct {
			fault     simulator.Fault
			delivered int  // after the first call
			cut       bool // the connection breaks
		}{
			{simulator.Throttle, 0, false},
			{simulator.Unavailable, 0, false},
			{simulator.Permanent, 0, false},
			{simulator.Refuse, 0, true},
			{simulator.Lost500, 1, false},
			{simulator.LostReset, 1, true},
			{simulator.LostHang, 1, false},
			{simulator.Truncated, 1, false},
		} {
			t.Run(string(c)+" "+string(f.fault), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, nil)
				w.next(c, 1, f.fault)
				other, err := w.sendTo(c, 0, "x")
				require.NoError(t, err)
				require.Equal(t, http.StatusOK, other.status, "another person is not hit")

				a, err := w.sendTo(c, 1, "x")
				if f.cut {
					require.True(t, errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF), "%v", err)
				} else {
					require.NoError(t, err)
					checkAnswer(t, c, f.fault, a)
				}
				require.Len(t, w.truth(c), 1+f.delivered)
				if f.delivered > 0 {
					require.Equal(t, string(f.fault), w.truth(c)[1].Response)
				}
				a, err = w.sendTo(c, 1, "x")
				require.NoError(t, err)
				require.Equal(t, http.StatusOK, a.status, "once only")

				m := w.summary(c)
				require.Equal(t, map[simulator.Fault]int{f.fault: 1}, m.Faults)
				require.Equal(t, f.delivered, m.LostResponses)
				require.Equal(t, f.delivered, m.Duplicates, "the second call is a new message")
				require.Zero(t, m.LimitExceeded)
			})
		}
	}
}

// checkAnswer checks the provider's words for a fault that is answered.
func checkAnswer(t *testing.T, c simulator.Channel, f simulator.Fault, a answer) {
	t.Helper()
	type want struct{ status, code, subcode int }
	down := map[simulator.Channel]want{simulator.WhatsApp: {500, 131016, 0}, simulator.LINE: {500, 0, 0},
		simulator.Facebook: {500, 2, 0}, simulator.Instagram: {500, 2, 0}}
	table := map[simulator.Fault]map[simulator.Channel]want{
		simulator.Unavailable: down,
		simulator.Lost500:     down,
		simulator.Throttle: {simulator.WhatsApp: {400, 130429, 0}, simulator.LINE: {429, 0, 0},
			simulator.Facebook: {400, 613, 0}, simulator.Instagram: {400, 613, 2534040}},
		simulator.Permanent: {simulator.WhatsApp: {400, 131026, 0}, simulator.LINE: {400, 0, 0},
			simulator.Facebook: {400, 551, 1545041}, simulator.Instagram: {400, 551, 0}},
	}
	if expected, ok := table[f]; ok {
		code, subcode := a.graphCode()
		require.Equal(t, expected[c], want{a.status, code, subcode}, a.raw)
		return
	}
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, f == simulator.Truncated, a.body == nil, a.raw)
	require.NotEmpty(t, a.raw)
}

func TestLostMulticastIsRecoveredByItsKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.next(simulator.LINE, 2, simulator.LostReset)
	_, err := w.try(http.MethodPost, "/line/v2/bot/message/multicast", "line", lineMulticast(users[:], "x"), "X-Line-Retry-Key", anyKey)
	require.Error(t, err)
	a := w.post("/line/v2/bot/message/multicast", "line", lineMulticast(users[:], "x"), "X-Line-Retry-Key", anyKey)
	require.Equal(t, http.StatusConflict, a.status)
	require.Equal(t, 3, w.summary(simulator.LINE).Accepted)
	require.Zero(t, w.summary(simulator.LINE).Duplicates)
}

func TestPermanentMulticastNamesTheRecipient(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.next(simulator.LINE, 2, simulator.Permanent)
	a := w.post("/line/v2/bot/message/multicast", "line", lineMulticast(users[:], "x"))
	require.Equal(t, http.StatusBadRequest, a.status)
	require.Contains(t, a.body["message"], "to[2]")
	require.Empty(t, w.truth(simulator.LINE))
}

func TestFaultHitsAReplyByItsUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.next(simulator.LINE, 1, simulator.LostReset)
	_, err := w.sim.Inbound(simulator.InboundMessage{Channel: simulator.LINE, ExternalID: botID, User: users[1], Text: "hi"})
	require.NoError(t, err)
	token := at(t, w.hook().decode(t), "events", 0, "replyToken").(string)
	body := `{"replyToken":"` + token + `","messages":[{"type":"text","text":"x"}]}`
	_, err = w.try(http.MethodPost, "/line/v2/bot/message/reply", "line", body)
	require.Error(t, err)
	require.Len(t, w.truth(simulator.LINE), 1)
	a := w.post("/line/v2/bot/message/reply", "line", body)
	require.Equal(t, "Invalid reply token", a.body["message"], "it was used, as the sender cannot know")
}

func TestFaultSharesAreDrawnFromTheSeed(t *testing.T) {
	t.Parallel()
	draw := func(seed uint64) (figures simulator.Summary, order []int) {
		w := newWorld(t, func(a *simulator.Account) { a.Unlimited = true })
		require.NoError(t, w.sim.SetFaults(simulator.Faults{Channel: "*", ExternalID: "*", Seed: seed, Throttle: 0.2, Lost500: 0.3}))
		for range 200 {
			order = append(order, w.messenger("1", "x", "").status)
		}
		return w.summary(simulator.Facebook), order
	}
	m, order := draw(1)
	require.InDelta(t, 40, m.Faults[simulator.Throttle], 20)
	require.InDelta(t, 60, m.Faults[simulator.Lost500], 25)
	require.Equal(t, m.Faults[simulator.Lost500], m.LostResponses)
	require.Equal(t, 200-m.Faults[simulator.Throttle], m.Accepted)
	_, same := draw(1)
	require.Equal(t, order, same)
	_, other := draw(2)
	require.NotEqual(t, order, other)
}

func TestStopCodeAnswersEverySendUntilCleared(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		channel      simulator.Channel
		stop, status int
		message      string
	}{
		{simulator.WhatsApp, 190, 401, ""},
		{simulator.WhatsApp, 131031, 403, ""},
		{simulator.WhatsApp, 131048, 400, ""},
		{simulator.Facebook, 10, 403, ""},
		{simulator.Instagram, 368, 403, ""},
		{simulator.LINE, 401, 401, "Authentication failed due to the following reason"},
		{simulator.LINE, 429, 429, "You have reached your monthly limit."},
		{simulator.LINE, 403, 403, "Access to this API is not available for your account"},
	} {
		t.Run(string(c.channel)+" "+http.StatusText(c.status), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			require.NoError(t, w.sim.SetFaults(simulator.Faults{Channel: c.channel, StopCode: c.stop}))
			for range 2 {
				a, err := w.sendTo(c.channel, 0, "x")
				require.NoError(t, err)
				require.Equal(t, c.status, a.status, a.raw)
				if c.channel == simulator.LINE {
					require.Contains(t, a.body["message"], c.message)
				} else {
					code, _ := a.graphCode()
					require.Equal(t, c.stop, code)
				}
			}
			require.NoError(t, w.sim.SetFaults(simulator.Faults{Channel: c.channel}))
			a, err := w.sendTo(c.channel, 0, "x")
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, a.status)
			require.Len(t, w.truth(c.channel), 1)
		})
	}
}

func TestLatencyDelaysTheAnswerOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	require.NoError(t, w.sim.SetFaults(simulator.Faults{LatencyMS: 300}))
	began := time.Now()
	require.Equal(t, http.StatusOK, w.messenger("1", "x", "").status)
	require.GreaterOrEqual(t, time.Since(began), 300*time.Millisecond)
}

func TestFaultsForAccountsToCome(t *testing.T) {
	t.Parallel()
	sim := simulator.New(simulator.Options{})
	t.Cleanup(sim.Close)
	require.NoError(t, sim.SetFaults(simulator.Faults{Channel: simulator.LINE, ExternalID: "*", StopCode: 403}))
	require.Error(t, sim.SetFaults(simulator.Faults{Channel: simulator.LINE, ExternalID: botID}), "not there yet")
	w := newWorld(t, nil)
	require.NoError(t, w.sim.SetFaults(simulator.Faults{StopCode: 10}))
	require.NoError(t, w.sim.AddAccounts(simulator.Account{Channel: simulator.Facebook, ExternalID: "9", Token: "nine"}))
	require.Equal(t, http.StatusForbidden, w.post("/messenger/v25.0/9/messages", "nine", pageText("1", "x", "")).status)
}

func TestUnusableSettingsAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for name, err := range map[string]error{
		"share":         w.sim.SetFaults(simulator.Faults{Throttle: 1.1}),
		"sum":           w.sim.SetFaults(simulator.Faults{Throttle: 0.6, Lost500: 0.6}),
		"channel":       w.sim.SetFaults(simulator.Faults{Channel: "fax"}),
		"next":          w.sim.SetFaults(simulator.Faults{Next: []simulator.NextFault{{Recipient: "1", Fault: "melt"}}}),
		"hook share":    w.sim.SetWebhooks(simulator.Webhooks{BatchMax: 1, Drop: 2}),
		"hook batch":    w.sim.SetWebhooks(simulator.Webhooks{}),
		"hook account":  w.sim.SetWebhooks(simulator.Webhooks{BatchMax: 1, Channel: simulator.LINE, ExternalID: "U9"}),
		"account":       w.sim.AddAccounts(simulator.Account{Channel: simulator.LINE, ExternalID: "bot", Token: "t"}),
		"token":         w.sim.AddAccounts(simulator.Account{Channel: simulator.Facebook, ExternalID: "9"}),
		"user state":    w.sim.AddUsers(simulator.Users{Channel: simulator.LINE, ExternalID: botID, Users: []simulator.User{{ID: users[0], State: "asleep"}}}),
		"user account":  w.sim.AddUsers(simulator.Users{Channel: simulator.LINE, ExternalID: "U9"}),
		"template":      w.sim.AddTemplates(simulator.Template{Name: "n", Language: "en"}),
		"template done": w.sim.AddTemplates(simulator.Template{WABAID: "w", Name: "n", Language: "en", Status: "DONE"}),
	} {
		require.Error(t, err, name)
	}
	_, err := w.sim.Inbound(simulator.InboundMessage{Channel: simulator.LINE, ExternalID: botID, User: "U1", Text: "x"})
	require.Error(t, err)
}
