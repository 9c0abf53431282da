package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/channel"
	"omniflow/internal/keyring"
	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

const (
	// maxWebhookBytes is what Meta may post at once.
	maxWebhookBytes = 3 << 20
	// accountCacheLife is how long an account's secrets are trusted unread.
	accountCacheLife = 30 * time.Second
	// webhookBudget bounds the reading of a body.
	webhookBudget = 10 * time.Second
)

func (s *service) addWebhooks(m *router) {
	m.HandleFunc("POST /webhooks/{channel}/{account_id}", s.receiveWebhook)
	m.HandleFunc("GET /webhooks/{channel}/{account_id}", s.verifySubscription)
}

// receiveWebhook verifies the signature over the raw bytes, stores them, and
// answers: everything else is the relay's (design section 6).
func (s *service) receiveWebhook(w http.ResponseWriter, r *http.Request) {
	begin := time.Now()
	ch := s.channelLabel(r)
	result, err := s.takeWebhook(w, r)
	if err != nil {
		p := s.problem(r.Context(), err)
		result = string(p.Code)
		writeProblem(w, p)
	}
	s.metrics.webhooks.WithLabelValues(ch, result).Inc()
	s.metrics.webhookDuration.WithLabelValues(ch).Observe(time.Since(begin).Seconds())
}

// channelLabel keeps strangers from inventing metric labels.
func (s *service) channelLabel(r *http.Request) string {
	if ch := r.PathValue("channel"); s.webhooks[omniflow.Channel(ch)] != nil {
		return ch
	}
	return "unknown"
}

func (s *service) takeWebhook(w http.ResponseWriter, r *http.Request) (string, error) {
	account, err := s.webhookAccount(r)
	if err != nil {
		return "", err
	}
	noteOf(r.Context()).teamID = account.TeamID.String()
	if r.ContentLength > maxWebhookBytes {
		w.Header().Set("Connection", "close")
		return "", bodyTooLarge(maxWebhookBytes)
	}
	// A connection without deadlines (a test's recorder) needs none.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(webhookBudget))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxWebhookBytes))
	if err != nil {
		return "", fmt.Errorf("read webhook: %w", err)
	}
	if err := s.webhooks[account.Channel].Verify(account, r.Header, body); err != nil {
		return "", err
	}
	fresh, err := s.inbox.receive(r.Context(), postgres.Webhook{TeamID: account.TeamID, Channel: account.Channel, ChannelAccountID: account.ID, Body: body})
	if err != nil {
		return "", err
	}
	w.WriteHeader(http.StatusOK)
	if !fresh {
		return "repeated", nil
	}
	return "stored", nil
}

// verifySubscription answers Meta's question whether the address is ours.
func (s *service) verifySubscription(w http.ResponseWriter, r *http.Request) {
	account, err := s.webhookAccount(r)
	var challenge string
	if err == nil {
		subscriber, ok := s.webhooks[account.Channel].(channel.Subscriber)
		if !ok {
			err = omniflow.Refuse(omniflow.NotFound, "SYS-03", "%s does not ask", account.Channel)
		} else {
			challenge, err = subscriber.VerifySubscription(account, r.URL.Query())
		}
	}
	if err != nil {
		p := s.problem(r.Context(), err)
		if p.Code == omniflow.SignatureInvalid {
			p.Status, p.Title = http.StatusForbidden, http.StatusText(http.StatusForbidden)
		}
		writeProblem(w, p)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	// A provider that is gone asks again.
	_, _ = io.WriteString(w, challenge)
}

// webhookAccount is the account that a request is addressed to.
func (s *service) webhookAccount(r *http.Request) (channel.Account, error) {
	unknown := omniflow.Refuse(omniflow.NotFound, "SYS-13", "there is no such channel account")
	ch := omniflow.Channel(r.PathValue("channel"))
	id, err := uuid.Parse(r.PathValue("account_id"))
	if err != nil || s.webhooks[ch] == nil {
		return channel.Account{}, unknown
	}
	if a, ok := s.accounts.get(id, s.now()); ok {
		if a.Channel != ch {
			return channel.Account{}, unknown
		}
		return a, nil
	}
	a, err := s.loadWebhookAccount(r.Context(), ch, id)
	if err == nil {
		s.accounts.put(a, s.now())
	}
	return a, err
}

func (s *service) loadWebhookAccount(ctx context.Context, ch omniflow.Channel, id uuid.UUID) (channel.Account, error) {
	row, err := s.store.WebhookAccount(ctx, ch, id)
	if err != nil {
		return channel.Account{}, err
	}
	a := channel.Account{ID: row.ID, TeamID: row.TeamID, Channel: row.Channel, ExternalID: row.ExternalID}
	plain, err := s.keys.Open(row.Secrets, keyring.AccountSecrets(row.ID))
	if err != nil {
		return channel.Account{}, fmt.Errorf("open secrets of account %s: %w", row.ID, err)
	}
	if err := json.Unmarshal(plain, &a.Secrets); err != nil {
		return channel.Account{}, errors.New("read secrets of account " + row.ID.String())
	}
	return a, nil
}

// accountCache spares the database a look-up a webhook.
type accountCache struct {
	life time.Duration
	mu   sync.Mutex
	kept map[uuid.UUID]keptAccount
}

type keptAccount struct {
	account channel.Account
	until   time.Time
}

func newAccountCache(life time.Duration) *accountCache {
	return &accountCache{life: life, kept: map[uuid.UUID]keptAccount{}}
}

func (c *accountCache) get(id uuid.UUID, now time.Time) (channel.Account, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.kept[id]
	return k.account, ok && now.Before(k.until)
}

// put keeps an account that exists, so the cache holds at most as many as
// there are.
// forget drops an account whose secrets have changed.
func (c *accountCache) forget(id uuid.UUID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.kept, id)
}

func (c *accountCache) put(a channel.Account, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept[a.ID] = keptAccount{account: a, until: now.Add(c.life)}
}
