package simulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/simulator"
)

// FuzzGroupBodies sends any body to every group call: the answer is JSON and
// no 5xx, and nobody gets in line by it.
func FuzzGroupBodies(f *testing.F) {
	for _, seed := range []string{
		"", "null", "[]", "{", groupBody(`"subject":null`), groupBody(`"subject":"s","description":"d"`),
		groupBody(`"participants":[null]`), groupBody(`"participants":[{"user":"+886900000001"},{"user":"x"}]`),
		groupBody(`"join_requests":[null,""]`), groupBody(`"recipient_type":"group","to":"x","type":"text","text":{"body":"x"}`),
	} {
		f.Add(seed)
	}
	sim := simulator.New(simulator.Options{})
	f.Cleanup(sim.Close)
	settings := simulator.DefaultGroups()
	settings.CreateMaxMS, settings.CreateMinMS, settings.LateCreate, settings.MaxGroups = 0, 0, 0, 1<<30
	require.NoError(f, sim.SetGroups(settings))
	require.NoError(f, sim.AddAccounts(simulator.Account{Channel: simulator.WhatsApp, ExternalID: phoneID, Token: "wa", Secret: secret, Unlimited: true}))
	call := func(method, path, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "/whatsapp/v25.0/"+path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer wa")
		w := httptest.NewRecorder()
		sim.ServeHTTP(w, r)
		return w
	}
	call(http.MethodPost, phoneID+"/groups", groupBody(`"subject":"s"`))
	var id string
	for id == "" {
		for _, g := range sim.Groups() {
			id = g.ID
		}
	}
	require.NoError(f, sim.Join(id, member(1)))
	f.Fuzz(func(t *testing.T, body string) {
		for _, c := range [][2]string{{http.MethodPost, phoneID + "/groups"}, {http.MethodPost, id}, {http.MethodPost, id + "/invite_link"},
			{http.MethodPost, id + "/join_requests"}, {http.MethodDelete, id + "/join_requests"}, {http.MethodDelete, id + "/participants"},
			{http.MethodPost, phoneID + "/messages"}} {
			w := call(c[0], c[1], body)
			if w.Code >= 500 || !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s %s: %d %s", c[0], c[1], w.Code, w.Body)
			}
		}
		if len(sim.Groups()[0].JoinRequests) > 0 {
			t.Error("somebody is in line who never asked")
		}
	})
}

// Many callers at once: no group has more than 8 members, none is made twice,
// and settings may change meanwhile.
func TestGroupsTakeManyCallersAtOnce(t *testing.T) {
	t.Parallel()
	w := newGroupWorld(t, func(a *simulator.Account) { a.Unlimited = true })
	id := w.create(`"subject":"VIP"`)
	var group sync.WaitGroup
	errs := make(chan error, 1000)
	for n := range 20 {
		group.Go(func() {
			_ = w.sim.Join(id, member(n)) // twelve of them find it full
			_, err := w.try(http.MethodPost, "/whatsapp/v25.0/"+phoneID+"/groups", "wa", groupBody(fmt.Sprintf(`"subject":"n","description":"ref:%02d"`, n)))
			errs <- err
			_, err = w.try(http.MethodGet, "/whatsapp/v25.0/"+id+"?fields=participants", "wa", "")
			errs <- err
			errs <- w.sim.SetGroupFaults(simulator.GroupFaults{})
			w.sim.Groups()
			w.sim.GroupDeliveries()
			w.sim.Reset()
		})
	}
	group.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	require.Len(t, w.truth(id).Members, 8)
	for range 20 {
		w.event("group_create")
	}
	for n := range 20 {
		require.Len(t, w.sim.GroupsMarked(fmt.Sprintf("ref:%02d", n)), 1)
	}
}
