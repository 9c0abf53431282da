package simulator

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"time"
)

// Account is one phone number, LINE channel, page or Instagram account that
// may send. A zero number takes the default named at its field.
type Account struct {
	Channel Channel `json:"channel"`
	// ExternalID is the phone number id, LINE bot user id, page id or
	// Instagram account id, as it stands in paths and webhooks.
	ExternalID string `json:"external_id"`
	// PageID is a second id under which an Instagram account may be sent from:
	// that of its linked page. Its errors then have type OAuthException.
	PageID             string `json:"page_id,omitempty"`
	WABAID             string `json:"waba_id,omitempty"`
	DisplayPhoneNumber string `json:"display_phone_number,omitempty"`
	Token              string `json:"token"`
	// Secret signs webhooks: the app secret, or LINE's channel secret.
	Secret     string `json:"secret"`
	AppID      string `json:"app_id,omitempty"`
	WebhookURL string `json:"webhook_url,omitempty"`

	// RatePerSecond is 80 for WhatsApp, 2,000 for each LINE endpoint but
	// multicast, 40 for facebook and instagram.
	RatePerSecond float64 `json:"rate_per_second,omitempty"`
	// MulticastPerSecond is 200; LINE only.
	MulticastPerSecond float64 `json:"multicast_per_second,omitempty"`
	// Burst is how many requests a second may have beyond the rate: a tenth of
	// the rate, at least 1. For multicast it is always a tenth.
	Burst int `json:"burst,omitempty"`
	// Unlimited switches rate and pair limits off; the audit goes on.
	Unlimited bool `json:"unlimited,omitempty"`
	// Quota is LINE's monthly limit in recipients; 0 is none. It starts anew
	// with Reset only.
	Quota int `json:"quota,omitempty"`

	// PairLimit is WhatsApp's limit on messages to one user; nil is on.
	PairLimit *bool `json:"pair_limit,omitempty"`
	// CountInbound lets inbound messages use up WhatsApp's rate; nil is on.
	CountInbound *bool `json:"count_inbound,omitempty"`
	// OpaqueOnFailed echoes biz_opaque_callback_data on failed statuses; nil is on.
	OpaqueOnFailed *bool `json:"opaque_on_failed,omitempty"`
	// Retain keeps one Delivery per message; nil is on. Counts go on without.
	Retain *bool `json:"retain,omitempty"`
	// HumanAgent grants the HUMAN_AGENT tag; nil is on.
	HumanAgent *bool `json:"human_agent,omitempty"`
	// StrictUsers makes recipients unknown that AddUsers never named.
	StrictUsers bool `json:"strict_users,omitempty"`
	// WindowSync refuses WhatsApp free-form messages outside the window at
	// once (131047) and not by a failed status.
	WindowSync bool `json:"window_sync,omitempty"`
	// MulticastDropsUnknown accepts a LINE multicast with unknown users and
	// skips them; otherwise it is refused as a whole, naming to[i].
	MulticastDropsUnknown bool `json:"multicast_drops_unknown,omitempty"`
}

// on reads a switch whose default is on.
func on(b *bool) bool { return b == nil || *b }

// account is an Account with all that the provider remembers about it.
type account struct {
	server  *Server
	queue   *queue // webhooks; has its own lock
	channel Channel
	id      string // Account.ExternalID

	mu      sync.Mutex
	cfg     Account
	windows map[string]*slidingWindow // by endpoint
	faults  injector
	hooks   hookDice
	users   map[string]*recipient
	ledger  ledger
	counts  counters

	keys        retryKeys             // LINE
	quotaUsed   int                   // LINE
	replyTokens map[string]replyToken // LINE
	tokenOrder  []string              // of replyTokens, oldest first
	inbound     map[string]struct{}   // ids that can be marked as read
	groups      groupBook             // WhatsApp
	uploads     map[string]*Upload    // by id
	uploadOrder []string
	files       map[string]*keptFile // that people sent, by id
}

// AddAccounts registers accounts; one that is known already gets the new
// settings and keeps its memory.
func (s *Server) AddAccounts(list ...Account) error {
	for i := range list {
		if err := list[i].check(); err != nil {
			return fmt.Errorf("account %d: %w", i, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range list {
		s.addAccount(c)
	}
	return nil
}

func (c Account) check() error {
	switch {
	case !c.Channel.valid():
		return fmt.Errorf("unknown channel %q", c.Channel)
	case c.ExternalID == "" || c.Token == "":
		return errors.New("external_id and token are required")
	case c.RatePerSecond < 0 || c.MulticastPerSecond < 0 || c.Burst < 0 || c.Quota < 0:
		return errors.New("rates, burst and quota cannot be negative")
	case c.Channel == LINE && !validLINEUser(c.ExternalID):
		return errors.New("external_id of a LINE account is U and 32 hexadecimal digits")
	}
	return nil
}

// addAccount runs under s.mu.
func (s *Server) addAccount(c Account) {
	id := accountKey{c.Channel, c.ExternalID}
	a := s.byID[id]
	if a == nil {
		a = &account{
			server: s, queue: newQueue(s), channel: c.Channel, id: c.ExternalID,
			windows: map[string]*slidingWindow{}, users: map[string]*recipient{},
			replyTokens: map[string]replyToken{}, inbound: map[string]struct{}{},
		}
		a.adopt(s.faults, s.hooks)
		s.accounts = append(s.accounts, a)
		s.byID[id] = a
	}
	a.configure(c)
	s.index()
}

// adopt takes the settings given for all accounts before this one existed.
func (a *account) adopt(faults []Faults, hooks []Webhooks) {
	a.setWebhooks(DefaultWebhooks())
	for _, f := range faults {
		if matches(f.Channel, f.ExternalID, a) {
			a.setFaults(f)
		}
	}
	for _, h := range hooks {
		if matches(h.Channel, h.ExternalID, a) {
			a.setWebhooks(h)
		}
	}
}

func (a *account) configure(c Account) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cfg = c
	for endpoint, w := range a.windows {
		w.resize(a.limit(endpoint))
	}
	a.queue.aim(c)
}

// index rebuilds the look-ups after a change of ids or tokens.
func (s *Server) index() {
	clear(s.byToken)
	for _, a := range s.accounts {
		a.mu.Lock()
		c := a.cfg
		a.mu.Unlock()
		t := accountKey{c.Channel, c.Token}
		s.byToken[t] = append(s.byToken[t], a)
		if c.PageID != "" {
			s.byID[accountKey{c.Channel, c.PageID}] = a
		}
	}
}

// limit is how many requests of an endpoint any second may hold; 0 is no limit.
func (a *account) limit(endpoint string) int {
	if a.cfg.Unlimited {
		return 0
	}
	rate, burst := a.cfg.RatePerSecond, a.cfg.Burst
	if endpoint == endpointMulticast {
		rate, burst = a.cfg.MulticastPerSecond, 0
	}
	if rate == 0 {
		rate = defaultRate(a.cfg.Channel, endpoint)
	}
	if burst == 0 {
		burst = max(1, int(rate/10))
	}
	return max(1, int(math.Floor(rate+float64(burst))))
}

func defaultRate(c Channel, endpoint string) float64 {
	switch {
	case endpoint == endpointMulticast:
		return 200
	case c == LINE:
		return 2000
	case c == WhatsApp:
		return 80
	}
	return 40
}

// Accounts lists what AddAccounts registered, oldest first.
func (s *Server) Accounts() []Account {
	list := make([]Account, 0)
	for _, a := range s.all() {
		a.mu.Lock()
		list = append(list, a.cfg)
		a.mu.Unlock()
	}
	return list
}

func (s *Server) all() []*account {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return append([]*account(nil), s.accounts...)
}

func (s *Server) find(c Channel, id string) (*account, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if a := s.byID[accountKey{c, id}]; a != nil {
		return a, nil
	}
	return nil, fmt.Errorf("no %s account %q", c, id)
}

// holders are the accounts that a token opens.
func (s *Server) holders(c Channel, token string) []*account {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.byToken[accountKey{c, token}]
}

// everyone says whether an id in a setting means all accounts.
func everyone(id string) bool { return id == "" || id == "*" }

// apply does set to the accounts that a setting names. It runs under s.mu. A
// setting for everyone may meet nobody yet.
func (s *Server) apply(c Channel, id string, set func(*account)) error {
	found := everyone(id)
	for _, a := range s.accounts {
		if matches(c, id, a) {
			set(a)
			found = true
		}
	}
	if !found {
		return fmt.Errorf("no %s account %q", c, id)
	}
	return nil
}

// matches says whether a setting for channel and id, either "*" or "", is for a.
func matches(c Channel, id string, a *account) bool {
	return (c == "" || c == "*" || c == a.channel) &&
		(everyone(id) || id == a.id)
}

// clock is the account's view of now.
func (a *account) clock() time.Time { return a.server.now() }
