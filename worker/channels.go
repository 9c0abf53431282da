package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/channel"
	"omniflow/internal/channel/facebook"
	"omniflow/internal/channel/instagram"
	"omniflow/internal/channel/line"
	"omniflow/internal/channel/webchat"
	"omniflow/internal/channel/whatsapp"
	"omniflow/internal/config"
	"omniflow/internal/keyring"
	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

// channelSet is the providers of this process; they share one transport.
type channelSet map[omniflow.Channel]channel.Provider

func providers(cfg config.Worker) channelSet {
	http := channel.NewHTTPClient(channel.HTTPOptions{})
	return channelSet{
		omniflow.LINE:      line.New(cfg.LINEBaseURL, http),
		omniflow.WhatsApp:  whatsapp.New(cfg.WhatsAppBaseURL, http),
		omniflow.Facebook:  facebook.New(cfg.MessengerBaseURL, http),
		omniflow.Instagram: instagram.New(cfg.InstagramBaseURL, http),
		omniflow.Webchat:   webchat.New(),
	}
}

// senders is the set as the activities need it.
func (s channelSet) senders() map[omniflow.Channel]channel.Sender {
	out := make(map[omniflow.Channel]channel.Sender, len(s))
	for ch, p := range s {
		out[ch] = p
	}
	return out
}

// groups is the part of the set that has groups.
func (s channelSet) groups() map[omniflow.Channel]channel.Groups {
	out := map[omniflow.Channel]channel.Groups{}
	for ch, p := range s {
		if g, ok := p.(channel.Groups); ok {
			out[ch] = g
		}
	}
	return out
}

// accountLife is how long a loaded account is used: a new token works within
// ten seconds.
const accountLife = 10 * time.Second

// accounts loads channel accounts and opens their secrets.
type accounts struct {
	store *postgres.Store
	keys  *keyring.Ring
	cache sync.Map // of cachedAccount, by account id
}

type cachedAccount struct {
	channel.Account
	until time.Time
}

// Account gives one account of a team with its secrets in clear.
func (a *accounts) Account(ctx context.Context, teamID, accountID uuid.UUID) (channel.Account, error) {
	if c, ok := a.cache.Load(accountID); ok {
		if cached := c.(cachedAccount); cached.TeamID == teamID && time.Now().Before(cached.until) {
			return cached.Account, nil
		}
	}
	row, err := a.store.LoadAccount(ctx, teamID, accountID)
	if err != nil {
		return channel.Account{}, err
	}
	plain, err := a.keys.Open(row.Secrets, keyring.AccountSecrets(row.ID))
	if err != nil {
		return channel.Account{}, fmt.Errorf("open secrets of account %s: %w", accountID, err)
	}
	out := channel.Account{ID: row.ID, TeamID: row.TeamID, Channel: row.Channel, ExternalID: row.ExternalID}
	if err := json.Unmarshal(plain, &out.Secrets); err != nil {
		return channel.Account{}, fmt.Errorf("read secrets of account %s", accountID)
	}
	a.cache.Store(accountID, cachedAccount{Account: out, until: time.Now().Add(accountLife)})
	return out, nil
}
