package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"omniflow/activities"
	"omniflow/internal/channel"
	"omniflow/internal/channel/whatsapp"
	"omniflow/internal/keyring"
	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
	"omniflow/internal/postgres/migrations"
	"omniflow/internal/postgres/postgrestest"
	"omniflow/internal/simulator"
	"omniflow/internal/temporalclient"
	"omniflow/internal/temporaltest"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

// hall is a whole worker: database, engine, relay and the simulated provider
// on loopback. Only the API is left out: its store methods are called.
type hall struct {
	*postgrestest.Team
	t       *testing.T
	store   *postgres.Store
	sim     *simulator.Server
	engine  client.Client
	keys    *keyring.Ring
	account uuid.UUID
	number  string // the provider's id of the account
	muted   atomic.Bool
}

func newHall(t *testing.T) *hall {
	t.Helper()
	dsn := postgrestest.New(t, func(ctx context.Context, dsn string) error {
		_, err := migrations.Up(ctx, dsn)
		return err
	})
	store, err := postgres.Open(t.Context(), dsn, 12)
	require.NoError(t, err)
	t.Cleanup(store.Close)
	keys, err := keyring.Parse(keyring.NewKey("k"))
	require.NoError(t, err)
	server := temporaltest.Start(t, temporaltest.Client(func(o *client.Options) { o.DataConverter = temporalclient.Converter(keys) }))
	h := &hall{t: t, store: store, keys: keys, engine: server.Client, Team: postgrestest.NewTeam(t, dsn)}
	h.account = h.Account["whatsapp"]
	h.number = postgrestest.ExternalID("whatsapp", h.account)
	h.Exec(`UPDATE teams SET flags = '{whatsapp_group_enabled}', on_unknown = 'prove', reconcile_after = '15 seconds' WHERE team_id = $1`, h.ID)
	h.Exec(`UPDATE members SET role = 'cs_agent' WHERE id = $1`, h.Member)
	h.Exec(`UPDATE channel_accounts SET waba_id = 'w1', secrets = $2 WHERE id = $1`, h.account,
		keys.Seal([]byte(`{"token":"token","app_secret":"secret"}`), keyring.AccountSecrets(h.account)))
	h.Exec(`INSERT INTO templates (id, team_id, waba_id, name, language, body_params) VALUES ($1, $2, 'w1', 'group_invite_link', 'en', 1)`, uuid.New(), h.ID)
	h.provide()
	return h
}

// provide starts the simulated provider, whose webhooks go into the inbox.
func (h *hall) provide() {
	hooks := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil && !h.muted.Load() {
			_, err = h.store.ReceiveWebhooks(r.Context(), []postgres.Webhook{{TeamID: h.ID, Channel: omniflow.WhatsApp, ChannelAccountID: h.account, Body: body}})
		}
		if err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	h.sim = simulator.New(simulator.Options{Logger: slog.New(slog.DiscardHandler)})
	api := httptest.NewServer(h.sim)
	h.t.Cleanup(func() { api.CloseClientConnections(); api.Close(); h.sim.Close(); hooks.Close() })
	require.NoError(h.t, h.sim.AddAccounts(simulator.Account{Channel: simulator.WhatsApp, ExternalID: h.number, WABAID: "w1", Token: "token", Secret: "secret",
		WebhookURL: hooks.URL}))
	settings := simulator.DefaultGroups()
	settings.CreateMinMS, settings.CreateMaxMS, settings.LateCreate, settings.ChangeMinMS, settings.ChangeMaxMS = 20, 200, 0, 20, 100
	settings.ReactMinMS, settings.ReactMaxMS = 20, 200
	require.NoError(h.t, h.sim.SetGroups(settings))
	require.NoError(h.t, h.sim.AddTemplates(simulator.Template{WABAID: "w1", Name: "group_invite_link", Language: "en", BodyParams: 1}))
	h.work(api.URL + "/whatsapp")
}

// work runs the relay and the pollers until the test ends.
func (h *hall) work(base string) {
	transport := channel.NewHTTPClient(channel.HTTPOptions{LoopbackOnly: true, Tries: 1})
	channels := channelSet{omniflow.WhatsApp: whatsapp.New(base, transport)}
	log := slog.New(slog.DiscardHandler)
	meter := newMeter(prometheus.NewRegistry())
	stopping := make(chan struct{})
	acts := activities.New(h.store, &accounts{store: h.store, keys: h.keys}, channels.senders(), meter, log, stopping, activities.WithFiles(oneFile{}))
	activities.AddGroups(acts, h.store, channels.groups())
	activities.AddConversations(acts, h.store)
	r := &relay{store: h.store, engine: temporalclient.Starter{Client: h.engine}, channels: channels, meter: meter, log: log, hash: h.keys.Hash,
		quotas: acts.RefreshQuotas, signals: temporalclient.Signaler{Client: h.engine, Converter: temporalclient.Converter(h.keys)}}
	ctx, stop := context.WithCancel(context.Background())
	var group errgroup.Group
	group.Go(func() error { return r.run(ctx) })
	group.Go(func() error {
		return poll(ctx, h.engine, acts, &health{store: h.store, temporal: h.engine}, stopping, log)
	})
	h.t.Cleanup(func() {
		stop()
		require.NoError(h.t, group.Wait())
		transport.CloseIdleConnections()
	})
}

// create asks for a group as the API does.
func (h *hall) create(name string, phones ...string) uuid.UUID {
	h.t.Helper()
	g := postgres.NewGroup{ID: uuid.Must(uuid.NewV7()), TeamID: h.ID, ActorID: h.Member, ChannelAccountID: h.account, Name: name}
	for _, p := range phones {
		g.Members = append(g.Members, postgres.NewGroupMember{Phone: p, Hash: h.keys.Hash(h.ID.String() + "/" + p)})
	}
	_, err := h.store.CreateGroup(h.t.Context(), g)
	require.NoError(h.t, err)
	return g.ID
}

// people says how people take invitations.
func (h *hall) people(users ...simulator.GroupUser) {
	h.t.Helper()
	require.NoError(h.t, h.sim.AddGroupUsers(simulator.GroupUsers{ExternalID: h.number, Users: users}))
}

func (h *hall) fault(faults ...simulator.NextGroupFault) {
	h.t.Helper()
	require.NoError(h.t, h.sim.SetGroupFaults(simulator.GroupFaults{ExternalID: h.number, Next: faults}))
}

func (h *hall) show(id uuid.UUID) postgres.GroupDetail {
	h.t.Helper()
	g, err := h.store.ShowGroup(h.t.Context(), h.ID, h.Member, id)
	require.NoError(h.t, err)
	return g
}

// until waits for what a group must come to.
func (h *hall) until(id uuid.UUID, what string, done func(postgres.GroupDetail) bool) postgres.GroupDetail {
	h.t.Helper()
	var last postgres.GroupDetail
	ok := false
	for deadline := time.Now().Add(time.Minute); !ok && time.Now().Before(deadline); {
		if id != uuid.Nil { // zero: the condition looks for itself
			last = h.show(id)
		}
		if ok = done(last); !ok {
			<-time.After(50 * time.Millisecond)
		}
	}
	require.True(h.t, ok, "%s: %+v", what, last)
	return last
}

func member(phone string, state omniflow.GroupMemberState) func(postgres.GroupDetail) bool {
	return func(g postgres.GroupDetail) bool {
		for _, m := range g.Members {
			if m.Phone == "+"+phone {
				return m.State == state
			}
		}
		return state == omniflow.MemberRemoved
	}
}

func created(g postgres.GroupDetail) bool { return g.State == omniflow.GroupCreated }

// order asks for something about a member as the API does.
func (h *hall) order(id uuid.UUID, phone string, o postgres.MemberOrder) {
	h.t.Helper()
	o.TeamID, o.GroupID, o.ActorID = h.ID, id, h.Member
	for _, m := range h.show(id).Members {
		if m.Phone == "+"+phone {
			o.MemberID = m.ID
		}
	}
	if o.Event == omniflow.MemberAdd {
		o.MemberID, o.Phone, o.Hash = uuid.Nil, phone, h.keys.Hash(h.ID.String()+"/"+phone)
	}
	_, err := h.store.OrderMember(h.t.Context(), o)
	require.NoError(h.t, err)
}

// result is how a run ended, with its history's length.
func (h *hall) result(workflowID string, out any) int {
	h.t.Helper()
	require.NoError(h.t, h.engine.GetWorkflow(h.t.Context(), workflowID, "").Get(h.t.Context(), out))
	n := 0
	for events := h.engine.GetWorkflowHistory(h.t.Context(), workflowID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); n++ {
		event, err := events.Next()
		require.NoError(h.t, err)
		require.NotContains(h.t, event.String(), "886911", "SYS-12: no number in a history")
	}
	return n
}
