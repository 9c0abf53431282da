// Package channeltest is the suite that every provider passes: one Run in
// each provider's tests, against the simulator on loopback, whose ledger says
// what was really delivered.
package channeltest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
	"omniflow/internal/simulator"
)

// patience bounds every wait of the suite; none needs more than a second.
const patience = 30 * time.Second

// Secrets of the test account. The token is long enough to be found in an
// error text, where it must never be.
const (
	token       = "EAAtokenThatNobodyMayEverRead"
	appSecret   = "s3cr3t-of-the-app"
	verifyToken = "v3rify"
	appID       = "2781345"
	wabaID      = "102290129340398"
)

// Maker makes the provider under test.
type Maker func(baseURL string, client *channel.HTTPClient) channel.Provider

// Harness is a simulator with one account, and the provider under test.
type Harness struct {
	Sim      *simulator.Server
	URL      string
	Account  channel.Account
	Provider channel.Provider // makes every call once
	Patient  channel.Provider // repeats what is provably safe

	kind  omniflow.Channel
	maker Maker
	hooks chan hook
}

// hook is one webhook as it came.
type hook struct {
	header http.Header
	body   []byte
}

// NewHarness starts a simulator with one account of the channel, without
// limits and with prompt webhooks, and ends it with the test.
func NewHarness(t *testing.T, kind omniflow.Channel, maker Maker) *Harness {
	t.Helper()
	h := &Harness{
		Sim: simulator.New(simulator.Options{}), kind: kind, maker: maker, hooks: make(chan hook, 4096),
	}
	api := httptest.NewServer(h.Sim)
	h.Sim.SetAddress(api.URL)
	receiver := httptest.NewServer(http.HandlerFunc(h.receive))
	t.Cleanup(func() {
		h.Sim.Close()
		api.Close()
		receiver.Close()
	})
	h.URL = api.URL + paths[kind]
	h.Account = channel.Account{
		ID: uuid.New(), TeamID: uuid.New(), Channel: kind, ExternalID: externalIDs[kind],
		Secrets: channel.Secrets{Token: token, AppSecret: appSecret, VerifyToken: verifyToken, AppID: appID},
	}
	h.Configure(t, func(a *simulator.Account) { a.WebhookURL = receiver.URL })
	require.NoError(t, h.Sim.SetWebhooks(simulator.Webhooks{
		Delivered: 1, Read: 1, BatchMax: 100, BatchMS: 5, Retry: true,
	}))
	h.Provider = h.Connect(t, h.URL, channel.HTTPOptions{Tries: 1})
	h.Patient = h.Connect(t, h.URL, channel.HTTPOptions{FirstPause: 5 * time.Millisecond})
	return h
}

// Where the simulator keeps each provider, and the account's id there.
var (
	paths = map[omniflow.Channel]string{
		omniflow.WhatsApp: "/whatsapp", omniflow.LINE: "/line",
		omniflow.Facebook: "/messenger", omniflow.Instagram: "/instagram",
	}
	externalIDs = map[omniflow.Channel]string{
		omniflow.WhatsApp: "106540352242922", omniflow.LINE: "Uaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		omniflow.Facebook: "1906385232743451", omniflow.Instagram: "17841400008460056",
	}
)

// Connect makes another provider under test, which talks to loopback only.
func (h *Harness) Connect(t *testing.T, baseURL string, o channel.HTTPOptions) channel.Provider {
	t.Helper()
	o.LoopbackOnly = true
	client := channel.NewHTTPClient(o)
	t.Cleanup(client.CloseIdleConnections)
	return h.maker(baseURL, client)
}

// Configure registers the account anew, after change.
func (h *Harness) Configure(t *testing.T, change func(*simulator.Account)) {
	t.Helper()
	account := simulator.Account{Unlimited: true}
	for _, a := range h.Sim.Accounts() {
		account = a
	}
	account.Channel, account.ExternalID = simulator.Channel(h.kind), h.Account.ExternalID
	account.Token, account.Secret, account.AppID, account.WABAID = token, appSecret, appID, wabaID
	change(&account)
	require.NoError(t, h.Sim.AddAccounts(account))
}

// Next sets the fate of the next request.
func (h *Harness) Next(t *testing.T, fault simulator.Fault) {
	t.Helper()
	require.NoError(t, h.Sim.SetFaults(simulator.Faults{
		HangSeconds: 60, Next: []simulator.NextFault{{Recipient: "*", Fault: fault}},
	}))
}

// Recipient is the provider's id of customer n.
func (h *Harness) Recipient(n int) string {
	switch h.kind {
	case omniflow.WhatsApp:
		return fmt.Sprintf("8869%08d", n)
	case omniflow.LINE:
		return fmt.Sprintf("U%032x", n)
	}
	return fmt.Sprintf("70%014d", n)
}

// Message is a text for customer n, with keys of its own.
func (h *Harness) Message(n int, text string) channel.Message {
	return channel.Message{
		Key:       channel.Key{MessageID: uuid.New(), Attempt: 1},
		RetryKey:  uuid.New(),
		Recipient: h.Recipient(n),
		Contents:  []omniflow.Content{{Kind: omniflow.Text, Text: text}},
	}
}

// Truth is what was really delivered.
func (h *Harness) Truth() []simulator.Delivery { return h.Sim.Truth("", "") }

// Requests is how many sends reached the provider.
func (h *Harness) Requests() int { return h.Sim.Summary()[0].Requests }

// idempotent says whether a call may be repeated under its key.
func (h *Harness) idempotent() bool { return h.kind == omniflow.LINE }

// echoesKey says whether webhooks carry our key.
func (h *Harness) echoesKey() bool {
	return h.kind == omniflow.WhatsApp || h.kind == omniflow.Facebook
}

func (h *Harness) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	h.hooks <- hook{header: r.Header.Clone(), body: body}
	w.WriteHeader(http.StatusOK)
}

// hook waits for one webhook.
func (h *Harness) hook(t *testing.T) hook {
	t.Helper()
	select {
	case got := <-h.hooks:
		return got
	case <-time.After(patience):
		require.FailNow(t, "no webhook came")
	}
	return hook{}
}

// events reads webhooks until enough says that what was expected has come. It
// verifies each as it came.
func (h *Harness) events(t *testing.T, enough func([]channel.Event) bool) []channel.Event {
	t.Helper()
	var all []channel.Event
	for !enough(all) {
		got := h.hook(t)
		require.NoError(t, h.Provider.Verify(h.Account, got.header, got.body))
		events, err := h.Provider.Parse(got.body)
		require.NoError(t, err)
		for _, e := range events {
			require.Equal(t, h.Account.ExternalID, e.AccountID)
			require.NotEmpty(t, e.Raw)
		}
		all = append(all, events...)
	}
	return all
}

// fails asserts that err is the provider's error, and that it keeps secrets.
func fails(t *testing.T, err error, m channel.Message, fault channel.Fault) *channel.Error {
	t.Helper()
	var e *channel.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, fault, e.Fault, "%v", err)
	for _, secret := range []string{token, appSecret, m.Recipient, m.Contents[0].Text} {
		require.NotContains(t, err.Error(), secret)
	}
	return e
}

// together runs do n times at once and waits for all of them.
func together(n int, do func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { do(i) })
	}
	wg.Wait()
}

// within is a context that ends with the test, or after d.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
