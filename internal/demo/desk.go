package main

import (
	"context"
	"fmt"

	"omniflow/internal/apiclient"
	"omniflow/internal/simulator"
	"omniflow/internal/truth"
)

// How the demo's conversation on LINE ends by itself.
const (
	silenceSeconds = 4
	graceSeconds   = 2
	reminderText   = "還在嗎？沒有其他問題的話，我們先結束對話囉 🙏"
	surveyText     = "請為這次的服務評分：https://survey.example.com/s"
)

// caller is a customer who writes in, and what the agent answers.
type caller struct {
	account        truth.Account
	user           string // as the provider names the customer
	asks, answered string
	conversation   string // id, once the API lists it
}

// desk is where customers write in: an account on each channel, of its own, so
// that the broadcast's books stay those of the broadcast.
type desk struct {
	callers []*caller
	shown   map[string]string // what was printed about each conversation
}

// newDesk makes the accounts. Every webhook comes twice, some late; on LINE a
// conversation ends after a few seconds of silence.
func (s *scene) newDesk(ctx context.Context, sims truth.Simulators, apiURL string, seed uint64) (*desk, error) {
	d := &desk{shown: map[string]string{}, callers: []*caller{
		{account: truth.Account{Channel: "whatsapp"}, user: "886922000001", asks: "請問週末有營業嗎？", answered: "有的，10:00 到 21:00 😊"},
		{account: truth.Account{Channel: "line"}, user: "U0000000000000000000000000000abcd", asks: "外套還有 M 號嗎？", answered: "還有三件，幫您留一件 ✅"},
		{account: truth.Account{Channel: "facebook"}, user: "1000000000000001", asks: "訂單什麼時候到？", answered: "明天下午會送達 🚚"},
		{account: truth.Account{Channel: "instagram"}, user: "1000000000000002", asks: "這款有黑色嗎？", answered: "有的，這裡下單：https://shop.example.com/?c=1&d=2"},
	}}
	for _, c := range d.callers {
		var err error
		if c.account, err = sims.Connect(ctx, s.platform, s.teamID, apiURL, "demo desk "+c.account.Channel, truth.NewTwin(c.account.Channel, 0)); err != nil {
			return nil, err
		}
		hooks := simulator.DefaultWebhooks()
		hooks.Channel, hooks.ExternalID, hooks.Seed = simulator.Channel(c.account.Channel), c.account.ExternalID, seed
		hooks.Duplicate, hooks.Reorder, hooks.Delivered, hooks.Read = 1, 0.2, 1, 1
		if err := sims.SetWebhooks(ctx, hooks); err != nil {
			return nil, err
		}
	}
	return d, s.endBySilence(ctx)
}

// endBySilence sets when conversations on LINE end, and what is asked then.
func (s *scene) endBySilence(ctx context.Context) error {
	admin, err := s.platform.CreateMember(ctx, s.teamID, apiclient.NewMember{Name: "demo administrator", Role: "administrator"})
	if err != nil {
		return fmt.Errorf("create administrator: %w", err)
	}
	token, err := s.platform.CreateToken(ctx, s.teamID, admin.ID, 0)
	if err != nil {
		return fmt.Errorf("create token: %w", err)
	}
	s.adminToken = token.Token
	_, err = s.platform.WithToken(token.Token).CreateAutoClose(ctx, apiclient.AutoClose{Name: "demo", Channels: []string{"line"}, Enabled: true,
		DurationSeconds: silenceSeconds, GraceSeconds: graceSeconds, Reminder: reminderText})
	if err != nil {
		return fmt.Errorf("set when conversations end: %w", err)
	}
	if err := s.platform.SetSurvey(ctx, s.teamID, apiclient.Survey{Text: surveyText, Channels: []string{"line"}}); err != nil {
		return fmt.Errorf("set the survey: %w", err)
	}
	return nil
}

// silent is the customer who says no more.
func (d *desk) silent() *caller { return d.callers[1] }

// accounts are the desk's.
func (d *desk) accounts() []truth.Account {
	var out []truth.Account
	for _, c := range d.callers {
		out = append(out, c.account)
	}
	return out
}
