package simulator_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/simulator"
)

func TestAdministrationOverHTTP(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	admin := func(method, path, body string) answer {
		a, err := w.try(method, path, "", body)
		require.NoError(t, err)
		return a
	}
	require.Equal(t, http.StatusOK, admin(http.MethodGet, "/healthz", "").status)
	a := admin(http.MethodPost, "/_sim/accounts", `[{"channel":"facebook","external_id":"9","token":"nine"},{"channel":"instagram","external_id":"8","token":"eight"}]`)
	require.Equal(t, map[string]any{"count": 2.0}, a.body, a.raw)
	require.Len(t, w.sim.Accounts(), 6)
	var list []simulator.Account
	require.NoError(t, json.Unmarshal([]byte(admin(http.MethodGet, "/_sim/accounts", "").raw), &list))
	require.Equal(t, w.sim.Accounts(), list)

	require.Equal(t, http.StatusOK, admin(http.MethodPost, "/_sim/users", `{"channel":"facebook","external_id":"9","users":[{"id":"1","state":"blocked"},{"id":"2"}]}`).status)
	require.Equal(t, http.StatusOK, admin(http.MethodPost, "/_sim/templates", `{"external_id":"9","name":"n","language":"en","body_params":0}`).status)
	require.Equal(t, http.StatusOK, admin(http.MethodPut, "/_sim/faults", `{"channel":"facebook","external_id":"9","next":[{"recipient":"2","fault":"lost_500","times":2}]}`).status)
	require.Equal(t, http.StatusOK, admin(http.MethodPut, "/_sim/webhooks", `{"channel":"facebook","external_id":"9","disabled":true}`).status)
	for to, want := range map[string][]int{"1": {400}, "2": {500, 500, 200}} {
		for _, status := range want {
			require.Equal(t, status, w.post("/messenger/v25.0/9/messages", "nine", pageText(to, "x", "k"+to)).status)
		}
	}
	a = admin(http.MethodPost, "/_sim/inbound", `{"channel":"facebook","external_id":"9","user":"2","text":"hi"}`)
	require.Len(t, a.body["event_ids"], 1, a.raw)

	lines := bufio.NewScanner(strings.NewReader(admin(http.MethodGet, "/_sim/truth?channel=facebook&external_id=9", "").raw))
	var got []simulator.Delivery
	for lines.Scan() {
		var d simulator.Delivery
		require.NoError(t, json.Unmarshal(lines.Bytes(), &d))
		got = append(got, d)
	}
	require.Equal(t, w.sim.Truth(simulator.Facebook, "9"), got)
	require.Len(t, got, 3)
	require.Equal(t, "lost_500", got[0].Response)
	require.Equal(t, "k2", got[0].Key)

	var sums []simulator.Summary
	require.NoError(t, json.Unmarshal([]byte(admin(http.MethodGet, "/_sim/summary", "").raw), &sums))
	require.Equal(t, 2, sums[4].Duplicates)
	require.Equal(t, 2, sums[4].LostResponses)
	require.Equal(t, map[string]any{"ok": true}, admin(http.MethodPost, "/_sim/reset", "").body)
	require.Empty(t, w.truth(simulator.Facebook))
}

func TestAdministrationRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for name, c := range map[string][3]string{
		"not JSON":         {http.MethodPost, "/_sim/accounts", `{`},
		"unknown field":    {http.MethodPut, "/_sim/faults", `{"lost":1}`},
		"unknown hook":     {http.MethodPut, "/_sim/webhooks", `{"dorp":1}`},
		"unknown channel":  {http.MethodPost, "/_sim/accounts", `{"channel":"fax","external_id":"1","token":"t"}`},
		"unknown account":  {http.MethodPost, "/_sim/inbound", `{"channel":"line","external_id":"U","user":"u","text":"x"}`},
		"inbound no text":  {http.MethodPost, "/_sim/inbound", `{"channel":"facebook","external_id":"` + pageID + `","user":"u"}`},
		"template no name": {http.MethodPost, "/_sim/templates", `[{"waba_id":"w","language":"en"}]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := w.try(c[0], c[1], "", c[2])
			require.NoError(t, err)
			require.Equal(t, http.StatusBadRequest, a.status, a.raw)
			require.NotEmpty(t, a.body["error"])
		})
	}
}

func TestWebhookSettingsLeftOutAreTheDefaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	a, err := w.try(http.MethodPut, "/_sim/webhooks", "", `{"channel":"*","external_id":"*","delivered":0,"delay_ms":1,"jitter_ms":0,"duplicate":0}`)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, http.StatusOK, w.messenger("1", "x", "m").status)
	require.Equal(t, "m", at(t, w.hook().decode(t), "entry", 0, "messaging", 0, "message", "metadata"))
	require.Equal(t, 1, w.summary(simulator.Facebook).Webhooks.Pending+w.summary(simulator.Facebook).Webhooks.Sent)
}
