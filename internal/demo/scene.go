package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"omniflow/internal/apiclient"
	"omniflow/internal/keyring"
	"omniflow/internal/simulator"
	"omniflow/internal/truth"
)

// laneSeconds is how long the slowest lane should send.
const laneSeconds = 12

// scene is everything that the story needs: a team, a member who may send to
// four channel accounts, and an agent with a number for groups and a desk at
// which customers write in.
type scene struct {
	teamID, memberID string
	memberToken      string
	adminToken       string // of an administrator
	platform, member *apiclient.Client
	accounts         []truth.Account // of the broadcast
	circle           *circle
	desk             *desk
}

// platformToken mints a token that may make teams.
func platformToken(keys string, now time.Time) (string, error) {
	tokens, err := keyring.ParseTokens(keys)
	if err != nil {
		return "", err
	}
	return tokens.Sign(keyring.Claims{Scope: keyring.ScopePlatform, ExpiresAt: now.Add(time.Hour)})
}

// newScene makes a team for a group, conversations and a broadcast to n customers.
func newScene(ctx context.Context, platform *apiclient.Client, sims truth.Simulators, apiURL string, n int, seed uint64) (*scene, error) {
	team, err := platform.CreateTeam(ctx, apiclient.NewTeam{
		Name: "demo " + time.Now().Format(time.DateTime), Plan: "omo", Flags: []string{"whatsapp_group_enabled", "collaboration_enabled"}, Timezone: "Asia/Taipei",
		OnUnknown: "prove", ReconcileAfterSeconds: 15, GiveUpAfterSeconds: 30,
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
	s.memberToken, s.member = token.Token, platform.WithToken(token.Token)
	if s.circle, err = s.newCircle(ctx, sims, apiURL, seed); err != nil {
		return nil, err
	}
	if s.desk, err = s.newDesk(ctx, sims, apiURL, seed); err != nil {
		return nil, err
	}
	for _, share := range shares {
		if err := s.addAccount(ctx, sims, apiURL, share.channel, split(n)[share.channel]); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// byChannel gives the account of each channel that the customers are of.
func (s *scene) byChannel() map[string]string {
	out := map[string]string{}
	for _, a := range s.accounts {
		out[a.Channel] = a.ID
	}
	return out
}

// addAccount registers a channel account and its twin, at the rate that n
// customers of its channel need.
func (s *scene) addAccount(ctx context.Context, sims truth.Simulators, apiURL, channel string, n int) error {
	a, err := sims.Connect(ctx, s.platform, s.teamID, apiURL, "demo "+channel, truth.NewTwin(channel, rate(channel, n)))
	s.accounts = append(s.accounts, a)
	return err
}

// rate lets a lane of so many customers last about laneSeconds, within what the
// provider allows at most. The limit is three times as much, because a throttle
// answer stops the lane for a second and halves its rate, which then creeps
// back. LINE goes by multicast, 500 people a call, so its message rate hardly
// matters.
func rate(channel string, customers int) float64 {
	most := map[string]float64{"whatsapp": 1000, "facebook": 300, "instagram": 100}[channel]
	if most == 0 {
		return 0 // the channel's default
	}
	return math.Ceil(min(most, max(10, 3*float64(customers)/laneSeconds)))
}

// trouble switches the faults on: what providers do on a bad day.
func (s *scene) trouble(ctx context.Context, sims truth.Simulators, seed uint64) error {
	for i, a := range s.accounts {
		// Throttling is rarer than the rest: one answer in a hundred would hold a
		// fast lane at 30 messages a second, whatever its limit.
		at := simulator.Faults{
			Channel: simulator.Channel(a.Channel), ExternalID: a.ExternalID, Seed: seed + uint64(i),
			Throttle: 0.002, Unavailable: 0.01, Permanent: 0.005,
			Lost500: 0.005, LostReset: 0.004, LostHang: 0.001, HangSeconds: hangSeconds,
		}
		if err := sims.SetFaults(ctx, at); err != nil {
			return err
		}
		hooks := simulator.DefaultWebhooks()
		hooks.Channel, hooks.ExternalID, hooks.Seed = at.Channel, a.ExternalID, at.Seed
		hooks.Duplicate, hooks.Reorder = 0.05, 0.05
		if err := sims.SetWebhooks(ctx, hooks); err != nil {
			return err
		}
	}
	return nil
}

// relieve switches an account's faults off.
func (s *scene) relieve(ctx context.Context, sims truth.Simulators, accountID string) error {
	for _, a := range s.accounts {
		if a.ID == accountID {
			return sims.SetFaults(ctx, simulator.Faults{Channel: simulator.Channel(a.Channel), ExternalID: a.ExternalID})
		}
	}
	return fmt.Errorf("account %s is not of this demo", accountID)
}

// hangSeconds is longer than the worker waits for an answer.
const hangSeconds = 25
