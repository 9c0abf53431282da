package simulator_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/simulator"
)

func TestSettingsMayChangeWhileMessagesAreSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(a *simulator.Account) { a.Unlimited = true })
	errs := make(chan error, 1000)
	var group sync.WaitGroup
	for _, c := range channels() {
		for n := range 3 {
			group.Go(func() {
				for i := range 20 {
					_, err := w.sendTo(c, n, fmt.Sprint(i))
					errs <- err
				}
			})
		}
	}
	group.Go(func() {
		for range 20 {
			errs <- w.sim.SetFaults(simulator.Faults{})
			errs <- w.sim.SetWebhooks(simulator.DefaultWebhooks())
			errs <- w.sim.AddUsers(simulator.Users{Channel: simulator.LINE, ExternalID: botID, Users: []simulator.User{{ID: users[0]}}})
			errs <- w.sim.AddAccounts(accounts(func(a *simulator.Account) { a.Unlimited = true })...)
			w.sim.Summary()
			w.sim.Truth("", "")
		}
	})
	group.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	for _, c := range channels() {
		m := w.summary(c)
		require.Equal(t, 60, m.Accepted, c)
		require.Equal(t, 3, m.Recipients, c)
		require.Zero(t, m.Duplicates, c)
	}
}

// FuzzBodies posts any body to every sending endpoint: the answer is JSON, no
// 5xx, and the ledger grows with a 200 only.
func FuzzBodies(f *testing.F) {
	for _, seed := range []string{
		"", "null", "[]", "{", `{"to":[null]}`, `{"messages":[null]}`, `{"message":null,"recipient":null}`,
		whatsappText("886900000001", "x", "k"), linePush(users[0], "x"), lineMulticast(users[:], "x"), pageText("1", "x", "m"),
		`{"messaging_product":"whatsapp","to":"886900000001","type":"template","template":{"name":"n","language":{"code":"en"},"components":[{"type":"body","parameters":[null]}]}}`,
		`{"recipient":{"id":"1"},"messaging_type":"UTILITY","message":{"template":null,"text":"x"}}`,
		`{"recipient":{"id":"1"},"message":{"attachments":[{"type":"image","payload":null}]}}`,
		`{"to":"U00000000000000000000000000000000","messages":[{"type":"flex","altText":"a","contents":{"a":[1e999]}}]}`,
	} {
		f.Add(seed)
	}
	sim := simulator.New(simulator.Options{})
	f.Cleanup(sim.Close)
	require.NoError(f, sim.AddAccounts(accounts(func(a *simulator.Account) { a.Unlimited = true })...))
	paths := map[string]string{"/whatsapp/v25.0/" + phoneID + "/messages": "wa", "/line/v2/bot/message/push": "line",
		"/line/v2/bot/message/multicast": "line", "/line/v2/bot/message/reply": "line", "/line/v2/bot/message/validate/push": "line",
		"/messenger/v25.0/me/messages": "fb", "/instagram/v25.0/me/messages": "ig"}
	f.Fuzz(func(t *testing.T, body string) {
		for path, token := range paths {
			before := len(sim.Truth("", ""))
			r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+token)
			w := httptest.NewRecorder()
			sim.ServeHTTP(w, r)
			require.Less(t, w.Code, 500, path)
			if w.Code != http.StatusOK {
				require.Equal(t, before, len(sim.Truth("", "")), path)
			}
		}
		sim.Reset()
	})
}
