package channeltest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
	"omniflow/internal/simulator"
)

func throttled(t *testing.T, h *Harness) {
	h.Next(t, simulator.Throttle)
	m := h.Message(1, "sale")
	_, err := h.Patient.Send(within(t, patience), h.Account, m)
	e := fails(t, err, m, channel.Throttled)
	require.Equal(t, channel.ScopeAccount, e.Scope)
	require.Equal(t, omniflow.ProviderThrottled, e.Reason)
	require.Positive(t, e.RetryAfter)
	require.Empty(t, h.Truth())
	require.Equal(t, 1, h.Requests())

	_, err = h.Patient.Send(within(t, patience), h.Account, m)
	require.NoError(t, err)
	require.Len(t, h.Truth(), 1)
}

func serverError(t *testing.T, h *Harness) {
	h.Next(t, simulator.Unavailable)
	m := h.Message(1, "sale")
	_, err := h.Provider.Send(within(t, patience), h.Account, m)
	e := fails(t, err, m, channel.Ambiguous)
	require.Equal(t, 500, e.HTTPStatus)
	require.Equal(t, omniflow.OutcomeUnknown, e.Reason)
	require.Empty(t, h.Truth())
}

func connectionCut(t *testing.T, h *Harness) {
	h.Next(t, simulator.Refuse)
	m := h.Message(1, "sale")
	_, err := h.Provider.Send(within(t, patience), h.Account, m)
	e := fails(t, err, m, channel.Ambiguous)
	require.Equal(t, "reset", e.Code)
	require.Empty(t, h.Truth())
}

// lost are the ways in which the answer to a taken message gets lost.
var lost = []struct {
	fault simulator.Fault
	code  string // "" is the provider's own
	wait  time.Duration
}{
	{simulator.Lost500, "", patience},
	{simulator.LostReset, "reset", patience},
	{simulator.LostHang, "timeout", 2 * time.Second},
	{simulator.Truncated, "truncated", patience},
}

// lostAnswers: one delivery and Ambiguous. Where there is a key, the same call
// again succeeds and delivers nothing more.
func lostAnswers(t *testing.T, h *Harness) {
	for i, l := range lost {
		h.Next(t, l.fault)
		m := h.Message(i, "sale")
		_, err := h.Provider.Send(within(t, l.wait), h.Account, m)
		e := fails(t, err, m, channel.Ambiguous)
		if l.code != "" {
			require.Equal(t, l.code, e.Code, string(l.fault))
		}
		require.Equal(t, omniflow.OutcomeUnknown, e.Reason)
		require.Len(t, h.Truth(), i+1, string(l.fault))
		if !h.idempotent() {
			continue
		}
		receipt, err := h.Provider.Send(within(t, patience), h.Account, m)
		require.NoError(t, err, string(l.fault))
		require.Equal(t, h.Truth()[i].ProviderID, receipt.ProviderID)
		require.Len(t, h.Truth(), i+1, string(l.fault))
	}
}

// repeats: the client that repeats makes a lost answer good where there is a
// key, and never makes a second call where there is none.
func repeats(t *testing.T, h *Harness) {
	for i, fault := range []simulator.Fault{simulator.Lost500, simulator.LostReset} {
		h.Next(t, fault)
		m := h.Message(i, "sale")
		before := h.Requests()
		receipt, err := h.Patient.Send(within(t, patience), h.Account, m)
		require.Len(t, h.Truth(), i+1, string(fault))
		if h.idempotent() {
			require.NoError(t, err)
			require.Equal(t, h.Truth()[i].ProviderID, receipt.ProviderID)
			require.Equal(t, before+2, h.Requests())
			continue
		}
		fails(t, err, m, channel.Ambiguous)
		require.Equal(t, before+1, h.Requests(), string(fault))
	}
}

func permanent(t *testing.T, h *Harness) {
	h.Next(t, simulator.Permanent)
	m := h.Message(1, "sale")
	_, err := h.Patient.Send(within(t, patience), h.Account, m)
	e := fails(t, err, m, channel.Rejected)
	require.Equal(t, channel.ScopeMessage, e.Scope)
	require.Equal(t, omniflow.Unreachable, e.Reason)
	require.Empty(t, h.Truth())
	require.Equal(t, 1, h.Requests())
}

// unknownRecipient: refused at once by all but WhatsApp, which has no check
// and tells by webhook.
func unknownRecipient(t *testing.T, h *Harness) {
	m := h.Message(1, "sale")
	h.user(t, m.Recipient, simulator.UserUnknown, 0)
	_, err := h.Provider.Send(within(t, patience), h.Account, m)
	if h.kind == omniflow.WhatsApp {
		require.NoError(t, err)
	} else {
		e := fails(t, err, m, channel.Rejected)
		require.Equal(t, omniflow.Unreachable, e.Reason)
	}
	for _, d := range h.Truth() {
		require.False(t, d.Delivered)
	}
}

func stopped(t *testing.T, h *Harness) {
	codes := []int{190, 368, 10}
	if h.kind == omniflow.LINE {
		codes = []int{401, 403, 429}
	}
	for _, code := range codes {
		require.NoError(t, h.Sim.SetFaults(simulator.Faults{StopCode: code}))
		m := h.Message(1, "sale")
		_, err := h.Patient.Send(within(t, patience), h.Account, m)
		e := fails(t, err, m, channel.Misconfigured)
		require.Equal(t, channel.ScopeAccount, e.Scope, code)
		want := omniflow.AccountStopped
		if code == 429 {
			want = omniflow.QuotaExhausted
		}
		require.Equal(t, want, e.Reason)
	}
	require.Empty(t, h.Truth())
}

func wrongToken(t *testing.T, h *Harness) {
	account := h.Account
	account.Secrets.Token = "EAAanotherToken"
	m := h.Message(1, "sale")
	_, err := h.Patient.Send(within(t, patience), account, m)
	e := fails(t, err, m, channel.Misconfigured)
	require.Equal(t, channel.ScopeAccount, e.Scope)
	require.NotContains(t, err.Error(), account.Secrets.Token)
	require.Empty(t, h.Truth())
}

func windowClosed(t *testing.T, h *Harness) {
	h.Configure(t, func(a *simulator.Account) { a.WindowSync = true })
	m := h.Message(1, "sale")
	h.user(t, m.Recipient, simulator.UserOK, 25*time.Hour)
	_, err := h.Patient.Send(within(t, patience), h.Account, m)
	if h.kind == omniflow.LINE { // has no window (spec D-WIN-3)
		require.NoError(t, err)
		return
	}
	e := fails(t, err, m, channel.Rejected)
	require.Equal(t, channel.ScopeMessage, e.Scope)
	require.Equal(t, omniflow.WindowClosed, e.Reason)
	require.Empty(t, h.Truth())
}

// humanAgent: a person may answer for 7 days on Messenger and Instagram. A page
// without that permission loses this message and not the whole account.
func humanAgent(t *testing.T, h *Harness) {
	if h.kind != omniflow.Facebook && h.kind != omniflow.Instagram {
		return
	}
	m := h.Message(1, "how can I help?")
	m.HumanAgent = true
	h.user(t, m.Recipient, simulator.UserOK, 25*time.Hour)
	_, err := h.Patient.Send(within(t, patience), h.Account, m)
	require.NoError(t, err)
	require.Len(t, h.Truth(), 1)

	no := false
	h.Configure(t, func(a *simulator.Account) { a.HumanAgent = &no })
	_, err = h.Patient.Send(within(t, patience), h.Account, m)
	e := fails(t, err, m, channel.Rejected)
	require.Equal(t, channel.ScopeMessage, e.Scope)
	require.Equal(t, "10", e.Code)
	require.Len(t, h.Truth(), 1)
}

// user puts one customer into the address book. silent is how long ago he
// wrote; 0 leaves the window open.
func (h *Harness) user(t *testing.T, id string, state simulator.UserState, silent time.Duration) {
	t.Helper()
	u := simulator.User{ID: id, State: state}
	if silent > 0 {
		at := time.Now().Add(-silent)
		u.LastInboundAt = &at
	}
	require.NoError(t, h.Sim.AddUsers(simulator.Users{
		Channel: simulator.Channel(h.kind), ExternalID: h.Account.ExternalID, Users: []simulator.User{u},
	}))
}
