package simulator_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/simulator"
)

func TestRateLimitOfEveryChannel(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		channel       simulator.Channel
		status        int
		code, subcode int
		usage         bool
	}{
		{simulator.WhatsApp, 400, 130429, 0, true},
		{simulator.LINE, 429, 0, 0, false},
		{simulator.Facebook, 400, 613, 0, true},
		{simulator.Instagram, 400, 613, 2534040, true},
	} {
		t.Run(string(c.channel), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(a *simulator.Account) { a.RatePerSecond, a.Burst = 3, 2 })
			send := func() answer {
				a, err := w.sendTo(c.channel, 0, "x")
				require.NoError(t, err)
				return a
			}
			for range 5 {
				require.Equal(t, http.StatusOK, send().status)
				w.clock.Advance(time.Millisecond)
			}
			a := send()
			code, subcode := a.graphCode()
			require.Equal(t, []int{c.status, c.code, c.subcode}, []int{a.status, code, subcode}, a.raw)
			require.Equal(t, c.usage, a.header.Get("X-Business-Use-Case-Usage") != "")
			if c.channel == simulator.LINE {
				require.Equal(t, "The API rate limit has been exceeded. Try again later.", a.body["message"])
			}
			w.clock.Advance(994 * time.Millisecond)
			require.NotEqual(t, http.StatusOK, send().status, "999 ms after the first")
			w.clock.Advance(time.Millisecond)
			require.Equal(t, http.StatusOK, send().status, "the first is a second old")
			m := w.summary(c.channel)
			require.Equal(t, 6, m.Accepted)
			require.Equal(t, 5, m.Limit)
			require.Equal(t, 2, m.LimitExceeded)
			require.Equal(t, 2, m.RefusedThrottle)
			require.Equal(t, 7, m.MaxInAnySecond)
			require.Equal(t, 8, m.Requests)
		})
	}
}

func TestDefaultLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	require.Equal(t, http.StatusOK, w.post("/line/v2/bot/message/multicast", "line", lineMulticast(users[:1], "x")).status)
	require.Equal(t, http.StatusOK, w.push(users[0], "y", "").status, "an empty key is none")
	for _, c := range channels() {
		_, err := w.sendTo(c, 0, "x")
		require.NoError(t, err)
	}
	limits := map[string]int{}
	for _, m := range w.sim.Summary() {
		for endpoint, e := range m.Endpoints {
			limits[string(m.Channel)+" "+endpoint] = e.Limit
			sum := 0
			for _, n := range e.PerSecond {
				sum += n
			}
			require.Positive(t, sum)
		}
	}
	require.Equal(t, map[string]int{"whatsapp messages": 88, "line push": 2200, "line multicast": 220,
		"facebook messages": 44, "instagram messages": 44}, limits)
}

func TestUnlimitedAccountIsStillAudited(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(a *simulator.Account) { a.Unlimited, a.RatePerSecond = true, 1 })
	for range 100 {
		require.Equal(t, http.StatusOK, w.whatsapp("886900000001", "x", "").status)
	}
	m := w.summary(simulator.WhatsApp)
	require.Zero(t, m.LimitExceeded)
	require.Zero(t, m.Limit)
	require.Equal(t, 100, m.MaxInAnySecond)
}

func TestInboundUsesUpWhatsAppRate(t *testing.T) {
	t.Parallel()
	for name, counted := range map[string]bool{"counted": true, "not counted": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(a *simulator.Account) { a.RatePerSecond, a.CountInbound = 1, &counted })
			for range 2 {
				_, err := w.sim.Inbound(simulator.InboundMessage{Channel: simulator.WhatsApp, ExternalID: phoneID, User: "886900000001", Text: "hi"})
				require.NoError(t, err)
			}
			code, _ := w.whatsapp("886900000001", "x", "").graphCode()
			require.Equal(t, counted, code == 130429)
		})
	}
}

func TestNewSettingsKeepTheMemory(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(a *simulator.Account) { a.RatePerSecond = 1 })
	require.Equal(t, http.StatusOK, w.push(users[0], "x", anyKey).status)
	require.Equal(t, http.StatusOK, w.push(users[1], "x", "").status)
	require.Equal(t, http.StatusTooManyRequests, w.push(users[0], "x", anyKey).status, "a retry costs a place too")
	require.NoError(t, w.sim.AddAccounts(accounts(nil)...))
	require.Equal(t, http.StatusConflict, w.push(users[0], "x", anyKey).status)
}

func TestResetClearsTheLogAndKeepsTheRest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(a *simulator.Account) { a.Quota = 1 })
	require.Equal(t, http.StatusOK, w.push(users[0], "x", anyKey).status)
	w.sim.Reset()
	require.Empty(t, w.truth(simulator.LINE))
	m := w.summary(simulator.LINE)
	require.Zero(t, m.Accepted+m.Requests+m.MaxInAnySecond+m.QuotaUsed)
	require.Equal(t, http.StatusConflict, w.push(users[0], "x", anyKey).status)
	require.Equal(t, http.StatusOK, w.push(users[0], "x", "").status, "the month starts anew")
	m = w.summary(simulator.LINE)
	require.Equal(t, 1, m.Recipients)
	require.Zero(t, m.Duplicates)
}

func TestAccountThatDoesNotRetain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(a *simulator.Account) { a.Retain = new(bool) })
	for range 2 {
		require.Equal(t, http.StatusOK, w.messenger("1", "x", "").status)
	}
	require.Empty(t, w.truth(simulator.Facebook))
	m := w.summary(simulator.Facebook)
	require.Equal(t, 2, m.Accepted)
	require.Equal(t, 1, m.Duplicates)
}
