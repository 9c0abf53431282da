package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/channel"
	"omniflow/internal/keyring"
	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

// defaultReserve is the share of an account's rate kept for agents.
const defaultReserve = 0.01

type secretsBody struct {
	Token       string `json:"token,omitempty" doc:"Bearer token of the provider's API; web chat has none."`
	AppSecret   string `json:"app_secret,omitempty" doc:"Meta app secret or LINE channel secret: signs webhooks; web chat has none."`
	VerifyToken string `json:"verify_token,omitempty" doc:"Meta: answers the subscription check."`
	AppID       string `json:"app_id,omitempty" doc:"Messenger: tells our echoes from other apps'."`
}

type createAccountInput struct {
	TeamPath
	Body struct {
		Channel            string      `json:"channel" doc:"line, facebook, instagram, whatsapp or webchat"`
		Name               string      `json:"name" minLength:"1" maxLength:"200"`
		ExternalID         string      `json:"external_id,omitempty" maxLength:"200" doc:"Phone-number id, LINE bot user id, page id, Instagram account id; web chat needs none."`
		WABAID             string      `json:"waba_id,omitempty" doc:"WhatsApp business account."`
		Secrets            secretsBody `json:"secrets,omitzero" required:"false"`
		RatePerSecond      *float64    `json:"rate_per_second,omitempty" doc:"Default: the documented rate of the channel."`
		MulticastPerSecond *float64    `json:"multicast_per_second,omitempty" doc:"LINE: multicast calls of up to 500 recipients; default 200."`
		InteractiveReserve *float64    `json:"interactive_reserve,omitempty" doc:"Share of the rate kept for agents, 0 to below 1; default 0.01. What agents send beyond it comes off the next slots of bulk traffic."`
	}
}

type limiterBody struct {
	Name           string     `json:"name"`
	LimitPerSecond float64    `json:"limit_per_second"`
	AccountLimit   *float64   `json:"account_limit_per_second,omitempty" doc:"The account's own limit, while the rate of a broadcast's lane stands in for it."`
	RateNow        float64    `json:"rate_now" doc:"Lower than the limit after the provider throttled."`
	Reserve        float64    `json:"interactive_reserve"`
	ClosedUntil    *time.Time `json:"closed_until"`
	Reason         string     `json:"reason"`
}

type accountBody struct {
	ID          uuid.UUID        `json:"id"`
	TeamID      uuid.UUID        `json:"team_id"`
	Channel     omniflow.Channel `json:"channel"`
	Name        string           `json:"name"`
	ExternalID  string           `json:"external_id"`
	WABAID      string           `json:"waba_id"`
	State       string           `json:"state" doc:"active, or stopped until an operator acts."`
	StopCode    string           `json:"stop_code"`
	NextStep    string           `json:"next_step" doc:"What a person should do about the stop."`
	StoppedAt   *time.Time       `json:"stopped_at"`
	WebhookPath string           `json:"webhook_path" doc:"Give this path of the API to the provider."`
	CreatedAt   time.Time        `json:"created_at"`
	Limiters    []limiterBody    `json:"limiters"`
}

type accountOutput struct{ Body accountBody }

type listAccountsInput struct {
	TeamPath
	PageInput
}

type accountListOutput struct{ Body listBody[accountBody] }

// AccountPath is the path of one channel account.
type AccountPath struct {
	TeamPath
	ID uuid.UUID `path:"id"`
}

type resumeAccountInput struct {
	AccountPath
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"1000" doc:"Kept in the audit log."`
	}
}

type accountRateInput struct {
	AccountPath
	Body struct {
		RatePerSecond float64 `json:"rate_per_second"`
		Reason        string  `json:"reason" minLength:"1" maxLength:"1000" doc:"Kept in the audit log."`
	}
}

func (s *service) addAccounts() {
	const path = "/v1/teams/{team_id}/channel-accounts"
	register(s, route{method: http.MethodPost, path: path, id: "create-channel-account", summary: "Connect a channel account",
		access: teamAdmin, status: http.StatusCreated}, s.createAccount)
	register(s, route{method: http.MethodGet, path: path, id: "list-channel-accounts", summary: "List the channel accounts and their limits",
		access: teamAdmin}, s.listAccounts)
	register(s, route{method: http.MethodPost, path: path + "/{id}:resume", id: "resume-channel-account", summary: "Let a stopped account send again",
		access: teamAdmin}, s.resumeAccount)
	register(s, route{method: http.MethodPut, path: path + "/{id}/rate", id: "set-channel-account-rate", summary: "Set an account's rate",
		access: teamAdmin}, s.setAccountRate)
}

func (s *service) createAccount(ctx context.Context, in *createAccountInput) (*accountOutput, error) {
	limiters, err := newLimiters(in)
	if err != nil {
		return nil, err
	}
	b := in.Body
	id := newResourceID(ctx)
	if omniflow.Channel(b.Channel) == omniflow.Webchat && b.ExternalID == "" {
		b.ExternalID = id.String()
	}
	if b.ExternalID == "" {
		return nil, badInput("external_id is missing")
	}
	if err := b.Secrets.check(omniflow.Channel(b.Channel)); err != nil {
		return nil, err
	}
	a := postgres.Account{ID: id, TeamID: in.TeamID, Channel: omniflow.Channel(b.Channel), Name: b.Name,
		ExternalID: b.ExternalID, WABAID: b.WABAID, Limiters: limiters}
	plain, err := json.Marshal(channel.Secrets{Token: b.Secrets.Token, AppSecret: b.Secrets.AppSecret, VerifyToken: b.Secrets.VerifyToken, AppID: b.Secrets.AppID})
	if err != nil {
		return nil, fmt.Errorf("write secrets: %w", err)
	}
	a.Secrets = s.keys.Seal(plain, keyring.AccountSecrets(a.ID))
	if err := s.store.CreateAccount(ctx, a); err != nil {
		return nil, err
	}
	return s.showAccount(ctx, in.TeamID, a.ID)
}

// newLimiters checks the channel and the rates that are asked for.
func newLimiters(in *createAccountInput) ([]postgres.Limiter, error) {
	b, ch := in.Body, omniflow.Channel(in.Body.Channel)
	if !slices.Contains(omniflow.BroadcastChannels[:], ch) && ch != omniflow.Webchat {
		return nil, omniflow.Refuse(omniflow.ChannelUnknown, "BRD-03", "the channel must be one of %v or %s", omniflow.BroadcastChannels, omniflow.Webchat)
	}
	reserve := valueOr(b.InteractiveReserve, defaultReserve)
	if reserve < 0 || reserve >= 1 {
		return nil, omniflow.Refuse(omniflow.RateInvalid, "D-BRD-2", "interactive_reserve must be at least 0 and below 1")
	}
	rate := valueOr(b.RatePerSecond, omniflow.DefaultRate(ch))
	if no := omniflow.CheckRate(ch, rate); no != nil {
		return nil, no
	}
	limiters := []postgres.Limiter{{Name: string(omniflow.MessagesLimiter), LimitPerSecond: rate, Reserve: reserve}}
	if ch != omniflow.LINE {
		return limiters, nil
	}
	multicast := valueOr(b.MulticastPerSecond, omniflow.LINEMulticastRate)
	if no := omniflow.CheckMulticastRate(multicast); no != nil {
		return nil, no
	}
	return append(limiters, postgres.Limiter{Name: string(omniflow.MulticastLimiter), LimitPerSecond: multicast, Reserve: reserve}), nil
}

// check says whether b is what the provider of ch gives.
func (b secretsBody) check(ch omniflow.Channel) error {
	if ch != omniflow.Webchat && (b.Token == "" || b.AppSecret == "") {
		return badInput("secrets need a token and an app_secret")
	}
	return nil
}

func valueOr(p *float64, fallback float64) float64 {
	if p == nil {
		return fallback
	}
	return *p
}

func (s *service) listAccounts(ctx context.Context, in *listAccountsInput) (*accountListOutput, error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	accounts, err := s.store.ListAccounts(ctx, in.TeamID, postgres.Page{After: after, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &accountListOutput{Body: listBody[accountBody]{Items: make([]accountBody, len(accounts))}}
	for i, a := range accounts {
		out.Body.Items[i] = bodyOfAccount(a)
	}
	out.Body.Next = nextAfter(accounts, in.Limit, func(a postgres.Account) string { return a.ID.String() })
	return out, nil
}

func (s *service) resumeAccount(ctx context.Context, in *resumeAccountInput) (*accountOutput, error) {
	by := postgres.By{ActorID: identityOf(ctx).MemberID, Reason: in.Body.Reason}
	if err := s.store.ResumeAccount(ctx, in.TeamID, in.ID, by); err != nil {
		return nil, err
	}
	return s.showAccount(ctx, in.TeamID, in.ID)
}

func (s *service) setAccountRate(ctx context.Context, in *accountRateInput) (*accountOutput, error) {
	a, err := s.store.LoadAccount(ctx, in.TeamID, in.ID)
	if err != nil {
		return nil, err
	}
	if no := omniflow.CheckRate(a.Channel, in.Body.RatePerSecond); no != nil {
		return nil, no
	}
	by := postgres.By{ActorID: identityOf(ctx).MemberID, Reason: in.Body.Reason}
	if err := s.store.SetAccountRate(ctx, in.TeamID, in.ID, in.Body.RatePerSecond, by); err != nil {
		return nil, err
	}
	return s.showAccount(ctx, in.TeamID, in.ID)
}

func (s *service) showAccount(ctx context.Context, teamID, id uuid.UUID) (*accountOutput, error) {
	a, err := s.store.LoadAccount(ctx, teamID, id)
	if err != nil {
		return nil, err
	}
	return &accountOutput{Body: bodyOfAccount(a)}, nil
}

func bodyOfAccount(a postgres.Account) accountBody {
	out := accountBody{ID: a.ID, TeamID: a.TeamID, Channel: a.Channel, Name: a.Name, ExternalID: a.ExternalID, WABAID: a.WABAID,
		State: a.State, StopCode: a.StopCode, NextStep: omniflow.Advice(a.Channel, a.StopCode), StoppedAt: a.StoppedAt, CreatedAt: a.CreatedAt, Limiters: []limiterBody{},
		WebhookPath: fmt.Sprintf("/webhooks/%s/%s", a.Channel, a.ID)}
	for _, l := range a.Limiters {
		out.Limiters = append(out.Limiters, limiterBody{Name: l.Name, LimitPerSecond: l.LimitPerSecond, AccountLimit: l.AccountLimit, RateNow: l.RateNow,
			Reserve: l.Reserve, ClosedUntil: l.ClosedUntil, Reason: l.Reason})
	}
	return out
}
