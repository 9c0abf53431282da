package main

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"omniflow/internal/channel"
	"omniflow/internal/keyring"
	"omniflow/internal/media"
	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
	"omniflow/internal/temporalclient"
	"omniflow/workflows"
)

// engine is what the API needs of Temporal.
type engine interface {
	// Start makes sure that a promised run exists.
	Start(ctx context.Context, s temporalclient.OutboxStart) error
	// Signal delivers a promised signal; twice is once.
	Signal(ctx context.Context, s temporalclient.OutboxSignal) error
	// Update asks a run for something and waits until it is done. updateID
	// makes asking twice the same as asking once.
	//
	// Errors: *omniflow.Refusal when the run says no; temporalclient.ErrNoRun;
	// temporalclient.ErrUnavailable.
	Update(ctx context.Context, workflowID, updateID, name string, in workflows.ControlInput) (workflows.ControlResult, error)
	// Healthy says whether Temporal answers within a second.
	Healthy(ctx context.Context) error
}

// serviceInput is what newService needs; nothing may be nil but codecOrigins and
// files.
type serviceInput struct {
	store        *postgres.Store
	engine       engine
	keys         *keyring.Ring
	tokens       *keyring.Tokens
	webhooks     map[omniflow.Channel]channel.Webhooks
	log          *slog.Logger
	registry     prometheus.Registerer
	files        *media.Store // nil: no files
	links        media.Links
	codecOrigins []string
	codecOpen    bool
}

// service answers every request of the API.
type service struct {
	serviceInput
	metrics  metrics
	api      huma.API
	accounts *accountCache
	inbox    *inbox
	throttle *throttle // of the widget's calls
	now      func() time.Time

	draining  chan struct{} // closed when the program is told to stop
	drainOnce sync.Once
}

func newService(in serviceInput) *service {
	return &service{
		serviceInput: in, metrics: newMetrics(in.registry), now: time.Now,
		inbox: newInbox(in.store.ReceiveWebhooks), accounts: newAccountCache(accountCacheLife), throttle: newThrottle(), draining: make(chan struct{}),
	}
}

// drain makes /readyz say no and ends the progress streams.
func (s *service) drain() { s.drainOnce.Do(func() { close(s.draining) }) }

// handler is every route of the API.
func (s *service) handler() http.Handler {
	routes := newRouter(s)
	s.api = newHumaAPI(routes)
	s.addTeams()
	s.addMembers()
	s.addTokens()
	s.addMachineKeys()
	s.addAccounts()
	s.addAccountSecrets()
	s.addTemplates()
	s.addImports()
	s.addBroadcasts()
	s.addPreflight()
	s.addControls()
	s.addRetries()
	s.addRecipients()
	s.addExport()
	s.addProgress()
	s.addAudit()
	s.addGroups()
	s.addConversations()
	s.addKeywords()
	s.addConversationMessages()
	s.addNotifications()
	s.addAutoClose()
	s.addDeadLetters()
	s.addMedia(routes)
	addDocs(routes)
	s.addSavedReplies()
	s.addBindings()
	s.addReports()
	s.addWebhooks(routes)
	s.addWebchat(routes)
	s.addAccountSettings()
	s.addCodec(routes)
	s.addHealth(routes)
	routes.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, newProblem(http.StatusNotFound, omniflow.NotFound, "there is nothing at this address"))
	})
	return routes
}

type resourceIDKey struct{}

// newResourceID is the id of what a request creates: the one its
// Idempotency-Key fixed, else a new one. One request creates one thing.
func newResourceID(ctx context.Context) uuid.UUID {
	if id, ok := ctx.Value(resourceIDKey{}).(uuid.UUID); ok {
		return id
	}
	return uuid.Must(uuid.NewV7())
}
