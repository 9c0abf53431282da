package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/postgres"
)

func TestARepeatedRequestGetsTheFirstAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.shop()
	staff := c.token["sales_staff"]
	ask := func() reply {
		return w.do("POST", "/v1/broadcasts", staff, text(1, m{"all": true}), keyHeader, "spring 1")
	}
	first := ask()
	require.Equal(t, 202, first.Status)
	require.Empty(t, first.Header.Get(replayHeader))
	before := w.counts()

	again := ask()
	require.Equal(t, 202, again.Status)
	require.Equal(t, "true", again.Header.Get(replayHeader))
	require.Equal(t, first.Body, again.Body)
	require.Equal(t, first.Header.Get("Content-Type"), again.Header.Get("Content-Type"))
	w.do("POST", "/v1/broadcasts", staff, text(2, m{"all": true}), keyHeader, "spring 1").problem(409, "idempotency_key_reused")
	w.do("POST", "/v1/broadcasts/"+uuid.NewString()+":pause", staff, text(1, m{"all": true}), keyHeader, "spring 1").problem(409, "idempotency_key_reused")
	require.Equal(t, before, w.counts())
	starts, _ := w.engine.calls()
	require.Len(t, starts, 1)

	// The key is the actor's own: the manager's request is another one.
	w.do("POST", "/v1/broadcasts", c.token["sales_manager"], text(1, m{"all": true}), keyHeader, "spring 1").problem(422, "broadcast_empty")

	// A refusal is an answer like any other.
	refuse := func() reply { return w.do("POST", "/v1/broadcasts", staff, text(6, m{"all": true}), keyHeader, "six") }
	refuse().problem(422, "broadcast_message_count")
	replayed := refuse()
	replayed.problem(422, "broadcast_message_count")
	require.Equal(t, "true", replayed.Header.Get(replayHeader))

	w.do("POST", "/v1/broadcasts", staff, text(1, m{"all": true}), keyHeader, strings.Repeat("k", 256)).problem(422, "input_invalid")
	w.do("POST", "/v1/broadcasts", staff, text(1, m{"all": true}), keyHeader, "caf\xc3\xa9").problem(422, "input_invalid")
}

func TestAnswersWithSecretsAreSealedAtRest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.company("omo")
	var key struct{ ID, Key string }
	ask := func() reply {
		return w.do("POST", c.path+"/machine-keys", c.admin, m{"member_id": c.ids["administrator"], "name": "robot"}, keyHeader, "k")
	}
	ask().into(201, &key)
	require.True(t, strings.HasPrefix(key.Key, "omk_"))
	var again struct{ Key string }
	ask().into(201, &again)
	require.Equal(t, key.Key, again.Key)
	require.Equal(t, 200, w.do("GET", c.path, key.Key, nil).Status, "the key acts as its member")

	var kept []byte
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT response FROM idempotency_keys WHERE key = 'k'`).Scan(&kept))
	require.NotContains(t, string(kept), key.Key)
	w.exec(`UPDATE machine_keys SET revoked_at = now()`)
	w.do("GET", c.path, key.Key, nil).problem(401, "unauthenticated")
}

func TestOneRequestAKeyRunsAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.shop()
	var wait sync.WaitGroup
	replies := make([]reply, 8)
	for i := range replies {
		wait.Go(func() {
			r, err := http.NewRequestWithContext(t.Context(), "POST", w.url+"/v1/broadcasts", strings.NewReader(
				`{"kind":"broadcast_message","audience":{"all":true},"messages":[{"kind":"text","text":"x"}]}`))
			if err != nil {
				return
			}
			r.Header.Set("Authorization", "Bearer "+c.token["sales_staff"])
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set(keyHeader, "same")
			if res, err := http.DefaultClient.Do(r); err == nil {
				replies[i] = reply{t: t, Status: res.StatusCode, Header: res.Header}
				_ = res.Body.Close()
			}
		})
	}
	wait.Wait()
	accepted := 0
	for _, r := range replies {
		require.Contains(t, []int{202, 409}, r.Status)
		if r.Status == 202 {
			accepted++
		}
	}
	require.NotZero(t, accepted)
	require.Len(t, w.ids(`SELECT id FROM broadcasts`), 1)
	starts, _ := w.engine.calls()
	require.Len(t, starts, 1)
}

// TestARequestThatDiedIsTakenOver kills a request at both ends of its work:
// the repeat finds what was made and makes nothing twice.
func TestARequestThatDiedIsTakenOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.shop()
	staff := c.token["sales_staff"]
	ask := func() reply { return w.do("POST", "/v1/broadcasts", staff, text(1, m{"all": true}), keyHeader, "k") }
	var first, second acceptedOutput
	ask().into(202, &first.Body)

	// As if the program had died between the work and the answer.
	w.exec(`UPDATE idempotency_keys SET status = NULL, response = NULL WHERE key = 'k'`)
	running := ask()
	running.problem(409, "idempotency_in_progress")
	require.Equal(t, "1", running.Header.Get("Retry-After"))
	w.exec(`UPDATE idempotency_keys SET created_at = now() - interval '31 seconds' WHERE key = 'k'`)
	w.do("POST", "/v1/broadcasts", staff, text(2, m{"all": true}), keyHeader, "k").problem(409, "idempotency_key_reused")
	ask().into(202, &second.Body)
	require.Equal(t, first.Body, second.Body)
	require.Len(t, w.ids(`SELECT id FROM broadcasts`), 1)
	require.Len(t, w.ids(`SELECT id FROM outbox`), 1)
	require.Equal(t, "true", ask().Header.Get(replayHeader))

	// As if it had died before the work: nothing there yet, and made once.
	name := postgres.RequestKey{TeamID: uuid.MustParse(c.id), ActorID: uuid.MustParse(c.ids["sales_staff"]), Key: "k2"}
	body, err := json.Marshal(text(1, m{"channels": []string{"line"}}))
	require.NoError(t, err)
	r, err := http.NewRequest("POST", "/v1/broadcasts", strings.NewReader(string(body)))
	require.NoError(t, err)
	fingerprint, err := takeFingerprint(r)
	require.NoError(t, err)
	claim, err := w.store.ClaimRequest(t.Context(), name, fingerprint, time.Minute)
	require.NoError(t, err)
	require.True(t, claim.Mine)
	w.exec(`UPDATE idempotency_keys SET created_at = now() - interval '31 seconds' WHERE key = 'k2'`)
	var third acceptedOutput
	w.do("POST", "/v1/broadcasts", staff, body, keyHeader, "k2").into(202, &third.Body)
	require.Equal(t, claim.ResourceID, third.Body.ID, "the id was fixed when the key was first seen")

	// The one that was thought dead answers late: its answer is not kept.
	require.NoError(t, w.store.FinishRequest(t.Context(), name, claim.Token, 500, []byte("late")))
	var status int
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT status FROM idempotency_keys WHERE key = 'k2'`).Scan(&status))
	require.Equal(t, 202, status)
}

func TestAFaultOfOursIsNotKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.shop()
	var accepted acceptedOutput
	w.do("POST", "/v1/broadcasts", c.token["sales_staff"], text(1, m{"all": true})).into(202, &accepted.Body)
	pause := func() reply {
		return w.do("POST", "/v1/broadcasts/"+accepted.Body.ID.String()+":pause", c.token["sales_staff"], m{}, keyHeader, "p")
	}
	w.engine.fail(nil, errUnavailableForTest)
	pause().problem(503, "engine_unavailable")
	w.engine.fail(nil, nil)
	got := pause()
	require.Equal(t, 200, got.Status, "%s", got.Body)
	require.Empty(t, got.Header.Get(replayHeader))
	_, updates := w.engine.calls()
	require.Len(t, updates, 2)
	require.Equal(t, updates[0].id, updates[1].id, "the run can tell that it is the same order")
}
