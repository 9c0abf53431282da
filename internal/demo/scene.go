package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"time"

	"omniflow/internal/apiclient"
	"omniflow/internal/keyring"
	"omniflow/internal/simulator"
)

// laneSeconds is how long the slowest lane should send.
const laneSeconds = 12

// account is a channel account in omniflow with its twin in the simulators.
type account struct {
	ID         string // ours
	Channel    string
	ExternalID string // the provider's
	Rate       float64
}

// scene is everything that a broadcast needs: a team, a member who may send,
// and four channel accounts.
type scene struct {
	teamID, memberID string
	platform, member *apiclient.Client
	accounts         []account
}

// platformToken mints a token that may make teams.
func platformToken(keys string, now time.Time) (string, error) {
	tokens, err := keyring.ParseTokens(keys)
	if err != nil {
		return "", err
	}
	return tokens.Sign(keyring.Claims{Scope: keyring.ScopePlatform, ExpiresAt: now.Add(time.Hour)})
}

// newScene makes a team for a broadcast to n customers.
func newScene(ctx context.Context, platform *apiclient.Client, sims simulators, apiURL string, n int) (*scene, error) {
	team, err := platform.CreateTeam(ctx, apiclient.NewTeam{
		Name: "demo " + time.Now().Format(time.DateTime), Plan: "omo", Timezone: "Asia/Taipei",
		OnUnknown: "prove", ReconcileAfterSeconds: 30, GiveUpAfterSeconds: 36,
	})
	if err != nil {
		return nil, fmt.Errorf("create team: %w", err)
	}
	s := &scene{teamID: team.TeamID, platform: platform}
	member, err := platform.CreateMember(ctx, s.teamID, apiclient.NewMember{Name: "demo", Role: "sales_staff"})
	if err != nil {
		return nil, fmt.Errorf("create member: %w", err)
	}
	s.memberID = member.ID
	token, err := platform.CreateToken(ctx, s.teamID, s.memberID, 2*time.Hour)
	if err != nil {
		return nil, fmt.Errorf("create token: %w", err)
	}
	s.member = platform.WithToken(token.Token)
	for _, share := range shares {
		if err := s.addAccount(ctx, sims, apiURL, share.channel, split(n)[share.channel]); err != nil {
			return nil, fmt.Errorf("create %s account: %w", share.channel, err)
		}
	}
	return s, nil
}

// addAccount registers a channel account and its twin, whose webhooks go to our API.
func (s *scene) addAccount(ctx context.Context, sims simulators, apiURL, channel string, customers int) error {
	twin := newTwin(channel, customers)
	wanted := apiclient.NewAccount{
		Channel: channel, Name: "demo " + channel, ExternalID: twin.ExternalID, WABAID: twin.WABAID,
		Secrets: apiclient.Secrets{Token: twin.Token, AppSecret: twin.Secret, AppID: twin.AppID, VerifyToken: random(8)},
	}
	if twin.RatePerSecond > 0 {
		wanted.RatePerSecond = &twin.RatePerSecond
	}
	ours, err := s.platform.CreateAccount(ctx, s.teamID, wanted)
	if err != nil {
		return err
	}
	twin.WebhookURL = apiURL + ours.WebhookPath
	if err := sims.addAccount(ctx, twin); err != nil {
		return err
	}
	s.accounts = append(s.accounts, account{ours.ID, channel, twin.ExternalID, twin.RatePerSecond})
	return nil
}

// newTwin is a simulated account with ids that no other run has: the database
// keeps those of earlier runs. Its rate is what the provider allows.
func newTwin(channel string, customers int) simulator.Account {
	a := simulator.Account{
		Channel: simulator.Channel(channel), ExternalID: digits(15), Token: random(24), Secret: random(16),
		AppID: digits(15), RatePerSecond: rate(channel, customers),
	}
	switch channel {
	case "line":
		a.ExternalID, a.AppID = "U"+random(16), ""
	case "whatsapp":
		a.WABAID, a.DisplayPhoneNumber = digits(15), "886"+digits(9)
	}
	return a
}

// rate lets a lane of so many customers last about laneSeconds, within what the
// provider allows at most. A throttle answer halves the rate, which creeps back
// by 5 % of the limit a second: with one answer in a hundred throttled, a limit
// of L a second yields about √(10 L). LINE goes by multicast, 500 people a
// call, so its message rate hardly matters.
func rate(channel string, customers int) float64 {
	most := map[string]float64{"whatsapp": 1000, "facebook": 300, "instagram": 100}[channel]
	if most == 0 {
		return 0 // the channel's default
	}
	want := float64(customers) / laneSeconds
	return math.Ceil(min(most, max(10, want, want*want/10)))
}

// trouble switches the faults on: what providers do on a bad day.
func (s *scene) trouble(ctx context.Context, sims simulators, seed uint64) error {
	for i, a := range s.accounts {
		at := simulator.Faults{
			Channel: simulator.Channel(a.Channel), ExternalID: a.ExternalID, Seed: seed + uint64(i),
			Throttle: 0.01, Unavailable: 0.01, Permanent: 0.005,
			Lost500: 0.005, LostReset: 0.004, LostHang: 0.001, HangSeconds: hangSeconds,
		}
		if err := sims.setFaults(ctx, at); err != nil {
			return err
		}
		hooks := simulator.DefaultWebhooks()
		hooks.Channel, hooks.ExternalID, hooks.Seed = at.Channel, a.ExternalID, at.Seed
		hooks.Duplicate, hooks.Reorder = 0.05, 0.05
		if err := sims.setWebhooks(ctx, hooks); err != nil {
			return err
		}
	}
	return nil
}

// hangSeconds is longer than the 20 s that the worker waits for an answer.
const hangSeconds = 25

// random is n random bytes in hexadecimal.
func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// digits is a random number of n digits.
func digits(n int) string {
	least := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n-1)), nil)
	d, err := rand.Int(rand.Reader, new(big.Int).Mul(least, big.NewInt(9)))
	if err != nil {
		panic(err) // the system has no randomness: never
	}
	return d.Add(d, least).String()
}
