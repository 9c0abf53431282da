package main

import (
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
	"omniflow/internal/temporalclient"
	"omniflow/workflows"
)

var errUnavailableForTest = fmt.Errorf("%w: nobody there", temporalclient.ErrUnavailable)

// broadcastOf sends a broadcast and gives its path.
func (c *company) broadcastOf(role string) (id uuid.UUID, path string) {
	c.w.t.Helper()
	var accepted acceptedOutput
	c.w.do("POST", "/v1/broadcasts", c.token[role], text(1, m{"all": true})).into(202, &accepted.Body)
	return accepted.Body.ID, "/v1/broadcasts/" + accepted.Body.ID.String()
}

// plan freezes the audience of a broadcast, as the worker would.
func (w *world) plan(c *company, id uuid.UUID) {
	w.t.Helper()
	b, err := w.store.LoadBroadcast(w.t.Context(), uuid.MustParse(c.id), id)
	require.NoError(w.t, err)
	_, err = w.store.PlanBroadcast(w.t.Context(), omniflow.BroadcastJob{TeamID: b.TeamID, BroadcastID: id, ActorID: b.ActorID,
		Request: omniflow.BroadcastRequest{Kind: omniflow.BroadcastMessage, Client: omniflow.Web, Audience: omniflow.Audience{All: true},
			Messages: []omniflow.Content{{Kind: omniflow.Text, Text: "x"}}}})
	require.NoError(w.t, err)
}

func TestControls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, accounts := w.shop()
	id, path := c.broadcastOf("sales_staff")
	staff := c.token["sales_staff"]
	line := uuid.MustParse(accounts["line"])

	var detail broadcastBody
	w.do("POST", path+":pause", staff, m{"reason": "typo"}).into(200, &detail)
	require.Equal(t, id, detail.ID)
	w.do("POST", path+":resume", c.token["supervisor"], m{"channel_account_id": line}).into(200, &detail)
	w.do("POST", path+":rate", staff, m{"channel_account_id": line, "rate_per_second": 150, "reason": "slower"}).into(200, &detail)
	w.do("POST", path+":cancel", staff, m{}).into(200, &detail)
	_, updates := w.engine.calls()
	actor, supervisor := uuid.MustParse(c.ids["sales_staff"]), uuid.MustParse(c.ids["supervisor"])
	require.Len(t, updates, 4)
	for i, want := range []struct {
		name string
		in   workflows.ControlInput
	}{
		{"pause", workflows.ControlInput{ActorID: actor, Reason: "typo"}},
		{"resume", workflows.ControlInput{ActorID: supervisor, ChannelAccountID: line}},
		{"set_rate", workflows.ControlInput{ActorID: actor, ChannelAccountID: line, RatePerSecond: 150, Reason: "slower"}},
		{"cancel", workflows.ControlInput{ActorID: actor}},
	} {
		require.Equal(t, "broadcast/"+c.id+"/"+id.String(), updates[i].workflowID)
		require.Equal(t, want.name, updates[i].name)
		require.Equal(t, want.in, updates[i].in)
	}
}

func TestControlsAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, accounts := w.shop()
	_, path := c.broadcastOf("sales_staff")
	later, laterPath := c.broadcastOf("sales_staff")
	spare := c.account("line", "Lspare", nil)
	w.plan(c, later)
	endedID, ended := c.broadcastOf("sales_staff")
	w.exec(`UPDATE broadcasts SET finished_at = now(), state = 'finished' WHERE id = $1`, endedID)
	staff := c.token["sales_staff"]
	personal := c.personalBroadcast()
	before := w.counts()

	for _, row := range []struct {
		name, path, token string
		body              m
		status            int
		code              string
	}{
		{"ended", ended + ":cancel", staff, m{}, 409, "broadcast_finished"},
		{"no such broadcast", "/v1/broadcasts/" + uuid.NewString() + ":pause", staff, m{}, 404, "not_found"},
		{"an agent", path + ":pause", c.token["cs_agent"], m{}, 403, "permission_denied"},
		{"no such account", path + ":pause", staff, m{"channel_account_id": uuid.New()}, 404, "not_found"},
		{"an account without a lane", laterPath + ":pause", staff, m{"channel_account_id": spare}, 404, "not_found"},
		{"a rate without an account", path + ":rate", staff, m{"rate_per_second": 1}, 422, "input_invalid"},
		{"no rate", path + ":rate", staff, m{"channel_account_id": accounts["line"], "rate_per_second": 0}, 422, "rate_invalid"},
		{"more multicasts than LINE allows", path + ":rate", staff, m{"channel_account_id": accounts["line"], "rate_per_second": 201}, 422, "rate_invalid"},
		{"more than Messenger allows", path + ":rate", staff, m{"channel_account_id": accounts["facebook"], "rate_per_second": 301}, 422, "rate_invalid"},
		{"a negative rate", path + ":rate", staff, m{"channel_account_id": accounts["whatsapp"], "rate_per_second": -1}, 422, "rate_invalid"},
		{"more than WhatsApp allows", path + ":rate", staff, m{"channel_account_id": accounts["whatsapp"], "rate_per_second": 1001}, 422, "rate_invalid"},
		{"resume of a finished broadcast", ended + ":resume", staff, m{}, 409, "broadcast_finished"},
		{"more pushes than LINE allows", personal + ":rate", staff, m{"channel_account_id": accounts["line"], "rate_per_second": 2001}, 422, "rate_invalid"},
		{"an unknown action", path + ":explode", staff, m{}, 404, "not_found"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := w.in(t)
			w.do("POST", row.path, row.token, row.body).problem(row.status, row.code)
			require.Equal(t, before, w.counts())
			_, updates := w.engine.calls()
			require.Empty(t, updates)
		})
	}
}

func TestControlsWhileTheEngineIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.shop()
	w.engine.fail(errUnavailableForTest, nil)
	id, path := c.broadcastOf("sales_staff")
	require.Len(t, w.ids(`SELECT id FROM outbox WHERE started_at IS NULL`), 1, "accepted, and the promise stays open")
	p := w.do("POST", path+":pause", c.token["sales_staff"], m{}).problem(503, "engine_unavailable")
	require.Contains(t, p.Detail, "ask again")
	_, updates := w.engine.calls()
	require.Empty(t, updates, "a run that does not exist is not asked")

	w.engine.fail(nil, nil)
	require.Equal(t, 200, w.do("POST", path+":pause", c.token["sales_staff"], m{}).Status)
	starts, updates := w.engine.calls()
	require.Len(t, updates, 1)
	require.Equal(t, starts[0], starts[len(starts)-1], "the promised run is started first")
	require.Empty(t, w.ids(`SELECT id FROM outbox WHERE started_at IS NULL`))

	w.engine.fail(nil, temporalclient.ErrNoRun)
	w.do("POST", path+":pause", c.token["sales_staff"], m{}).problem(409, "broadcast_finished")
	w.engine.fail(nil, omniflow.Refuse(omniflow.RateInvalid, "D-BRD-2", "no"))
	w.do("POST", path+":pause", c.token["sales_staff"], m{}).problem(422, "rate_invalid")
	require.NotEmpty(t, id)
}

// personalBroadcast accepts a broadcast whose texts hold the name variable, and
// gives its path.
func (c *company) personalBroadcast() string {
	c.w.t.Helper()
	var accepted struct{ ID uuid.UUID }
	c.w.do("POST", "/v1/broadcasts", c.token["sales_staff"], holding("web", []m{{"kind": "text", "text": "您好 " + omniflow.CustomerName}})).into(202, &accepted)
	return "/v1/broadcasts/" + accepted.ID.String()
}

// A personal text goes to LINE by push, of which 2,000 a second are allowed,
// and not by multicast with its 200.
func TestTheRateOfAPersonalBroadcastIsThatOfPushes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, accounts := w.shop()
	require.Equal(t, 200, w.do("POST", c.personalBroadcast()+":rate", c.token["sales_staff"],
		m{"channel_account_id": accounts["line"], "rate_per_second": 2000}).Status)
	_, updates := w.engine.calls()
	require.Len(t, updates, 1)
	require.InDelta(t, 2000, updates[0].in.RatePerSecond, 0)
}

func TestTheFailureRateOfATeam(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for given, want := range map[int]int{0: 50, 1: 1, 100: 100} {
		body := m{"name": "A", "plan": "omo"}
		if given > 0 {
			body["stop_failure_percent"] = given
		}
		var team teamBody
		w.do("POST", "/v1/teams", w.platform, body).into(201, &team)
		require.Equal(t, want, team.StopFailurePercent)
		w.do("GET", "/v1/teams/"+team.TeamID.String(), w.platform, nil).into(200, &team)
		require.Equal(t, want, team.StopFailurePercent)
	}
	c, _ := w.shop()
	w.exec(`UPDATE teams SET stop_failure_percent = 7 WHERE team_id = $1`, c.id)
	id, _ := c.broadcastOf("sales_staff")
	job, err := w.store.BroadcastJob(t.Context(), uuid.MustParse(c.id), id)
	require.NoError(t, err)
	require.Equal(t, 7, job.StopFailurePercent, "a broadcast that says nothing takes the team's")
}
