package apiclient

import (
	"context"
	"net/http"
	"time"
)

// Secrets open a channel account; the API never shows them again.
type Secrets struct {
	Token       string `json:"token"`
	AppSecret   string `json:"app_secret"`
	VerifyToken string `json:"verify_token,omitempty"`
	AppID       string `json:"app_id,omitempty"`
}

// NewAccount asks for a channel account. Rates are messages (LINE multicast:
// calls) per second; nil takes the channel's default.
type NewAccount struct {
	Channel            string   `json:"channel"` // whatsapp, line, facebook or instagram
	Name               string   `json:"name"`
	ExternalID         string   `json:"external_id"`
	WABAID             string   `json:"waba_id,omitempty"`
	Secrets            Secrets  `json:"secrets"`
	RatePerSecond      *float64 `json:"rate_per_second,omitempty"`
	MulticastPerSecond *float64 `json:"multicast_per_second,omitempty"`
	// InteractiveReserve is the share, 0 to below 1, kept free for agents.
	InteractiveReserve *float64 `json:"interactive_reserve,omitempty"`
}

// Account is a channel account with its limiters.
type Account struct {
	ID          string    `json:"id"`
	Channel     string    `json:"channel"`
	Name        string    `json:"name"`
	ExternalID  string    `json:"external_id"`
	WABAID      string    `json:"waba_id"`
	State       string    `json:"state"` // active or stopped
	StopCode    string    `json:"stop_code"`
	NextStep    string    `json:"next_step"`    // what to do about a stop
	WebhookPath string    `json:"webhook_path"` // such as /webhooks/line/<id>
	Limiters    []Limiter `json:"limiters"`
}

// Limiter is one rate limit of an account and where it stands.
type Limiter struct {
	Name           string     `json:"name"` // messages or multicast
	LimitPerSecond float64    `json:"limit_per_second"`
	AccountLimit   float64    `json:"account_limit_per_second"` // the account's own, while a lane's rate is in force
	RateNow        float64    `json:"rate_now"`
	ClosedUntil    *time.Time `json:"closed_until"`
	Reason         string     `json:"reason"`
}

// CreateAccount registers a channel account; a rate out of bounds is rate_invalid.
func (c *Client) CreateAccount(ctx context.Context, teamID string, a NewAccount) (Account, error) {
	var account Account
	err := c.do(ctx, request{method: http.MethodPost, path: teamPath(teamID, "/channel-accounts"), body: a, out: &account})
	return account, err
}

// Accounts lists the channel accounts of a team.
func (c *Client) Accounts(ctx context.Context, teamID string, page Page) (List[Account], error) {
	var list List[Account]
	err := c.do(ctx, request{method: http.MethodGet, path: teamPath(teamID, "/channel-accounts"), query: page.query(), out: &list})
	return list, err
}

// ResumeAccount clears an account's stop code, for a reason that is logged.
func (c *Client) ResumeAccount(ctx context.Context, teamID, accountID, reason string) error {
	body := struct {
		Reason string `json:"reason"`
	}{reason}
	path := teamPath(teamID, "/channel-accounts/"+segment(accountID)+":resume")
	return c.do(ctx, request{method: http.MethodPost, path: path, body: body})
}

// SetAccountRate sets how much an account may send, for a reason that is logged.
func (c *Client) SetAccountRate(ctx context.Context, teamID, accountID string, perSecond float64, reason string) error {
	body := struct {
		RatePerSecond float64 `json:"rate_per_second"`
		Reason        string  `json:"reason"`
	}{perSecond, reason}
	path := teamPath(teamID, "/channel-accounts/"+segment(accountID)+"/rate")
	return c.do(ctx, request{method: http.MethodPut, path: path, body: body})
}

// NewTemplate registers an approved WhatsApp template.
type NewTemplate struct {
	WABAID     string `json:"waba_id"`
	Name       string `json:"name"`
	Language   string `json:"language"` // such as zh_TW
	BodyParams int    `json:"body_params"`
	Header     string `json:"header,omitempty"` // the file at its head: image, video or file
	State      string `json:"state,omitempty"`  // approved by default
}

// Template is a registered WhatsApp template.
type Template struct {
	ID string `json:"id"`
	NewTemplate
}

// CreateTemplate registers a template of a WhatsApp business account.
func (c *Client) CreateTemplate(ctx context.Context, teamID string, t NewTemplate) (Template, error) {
	var template Template
	err := c.do(ctx, request{method: http.MethodPost, path: teamPath(teamID, "/templates"), body: t, out: &template})
	return template, err
}
