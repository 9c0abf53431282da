package simulator

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Channel names one provider, in the words of the console.
type Channel string

// The four providers; a page of Messenger is a facebook account.
const (
	WhatsApp  Channel = "whatsapp"
	LINE      Channel = "line"
	Facebook  Channel = "facebook"
	Instagram Channel = "instagram"
)

func (c Channel) valid() bool {
	return c == WhatsApp || c == LINE || c == Facebook || c == Instagram
}

// Options are the parts of a Server that a test replaces; the zero value works.
type Options struct {
	// Logger reports webhooks that could not be delivered; nil discards.
	Logger *slog.Logger
	// Now is the clock of limits, windows, quotas and retry keys; nil is
	// time.Now. Webhooks are always sent in real time.
	Now func() time.Time
	// Client posts the webhooks; nil is a client with its own connection pool.
	Client *http.Client
}

// Server is an http.Handler that plays all four providers and the /_sim calls.
// Make it with New and end it with Close.
type Server struct {
	now    func() time.Time
	log    *slog.Logger
	client *http.Client
	mux    *http.ServeMux

	ctx    context.Context // ends the webhook senders and every waiting answer
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu       sync.RWMutex
	accounts []*account                // in order of registration
	byID     map[accountKey]*account   // also by Account.PageID
	byToken  map[accountKey][]*account // several numbers may share a token
	faults   []Faults                  // those set for "*", for accounts to come
	hooks    []Webhooks                // likewise

	templates templateBook
	address   atomic.Value // string: where the server is reached

	groupDefaults atomic.Pointer[GroupSettings] // of numbers to come
}

// accountKey is a channel with an account's id, or with its token.
type accountKey struct {
	channel Channel
	value   string
}

// New returns a Server without accounts.
func New(o Options) *Server {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{
		now: o.Now, log: o.Logger, client: o.Client, mux: http.NewServeMux(),
		ctx: ctx, cancel: cancel,
		byID: map[accountKey]*account{}, byToken: map[accountKey][]*account{},
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.client == nil {
		s.client = newWebhookClient()
	}
	s.routes()
	return s
}

func (s *Server) routes() {
	s.mux.HandleFunc("POST /whatsapp/{version}/{id}/messages", s.whatsappMessages)
	s.mux.HandleFunc("POST /whatsapp/{version}/{id}/media", s.whatsappUpload)
	s.mux.HandleFunc("POST /messenger/{version}/{id}/messages", s.pageMessages(Facebook))
	s.mux.HandleFunc("POST /messenger/{version}/{id}/message_attachments", s.pageUpload)
	s.mux.HandleFunc("POST /instagram/{version}/{id}/messages", s.pageMessages(Instagram))
	for _, prefix := range []string{"/whatsapp/", "/messenger/", "/instagram/"} {
		s.mux.HandleFunc(prefix, s.graphUnknown)
	}
	s.groupRoutes()
	s.lineRoutes()
	s.fileRoutes()
	s.adminRoutes()
}

// ServeHTTP answers as the provider whose prefix the path has.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.address.Load() == nil {
		s.address.CompareAndSwap(nil, "http://"+r.Host)
	}
	s.mux.ServeHTTP(w, r)
}

// Close stops the webhook senders, ends answers that are being held back, and
// waits for the senders. What was queued is dropped.
func (s *Server) Close() {
	s.cancel()
	s.wg.Wait()
	s.client.CloseIdleConnections()
}
