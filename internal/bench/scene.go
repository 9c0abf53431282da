package main

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"omniflow/internal/apiclient"
	"omniflow/internal/simulator"
	"omniflow/internal/truth"
)

// noLimit is a rate that no machine reaches. The API refuses it, because no
// provider allows it.
const noLimit = 1e6

// scene is one team with one channel account and its customers, all handled by
// the member who sends.
type scene struct {
	teamID  string
	member  *apiclient.Client
	account truth.Account
	twin    simulator.Account
	n       int
}

// newScene makes a team whose account may send so many messages (LINE: calls)
// per second, and imports n customers.
func (r *rig) newScene(ctx context.Context, channel string, n int, perSecond float64) (*scene, error) {
	team, err := r.platform.CreateTeam(ctx, apiclient.NewTeam{Name: "bench", Plan: "omo", Timezone: "Asia/Taipei",
		OnUnknown: "prove", ReconcileAfterSeconds: 30, GiveUpAfterSeconds: 60})
	if err != nil {
		return nil, fmt.Errorf("create team: %w", err)
	}
	member, err := r.platform.CreateMember(ctx, team.TeamID, apiclient.NewMember{Name: "bench", Role: "sales_staff"})
	if err != nil {
		return nil, fmt.Errorf("create member: %w", err)
	}
	token, err := r.platform.CreateToken(ctx, team.TeamID, member.ID, 6*time.Hour)
	if err != nil {
		return nil, fmt.Errorf("create token: %w", err)
	}
	s := &scene{teamID: team.TeamID, member: r.platform.WithToken(token.Token), twin: truth.NewTwin(channel, 0), n: n}
	s.twin.Unlimited = true
	retain := false
	s.twin.Retain = &retain
	if s.account, err = r.sims.Connect(ctx, r.platform, s.teamID, r.stack.APIURL(), "bench", s.twin); err != nil {
		return nil, err
	}
	if err := r.limit(ctx, s, perSecond); err != nil {
		return nil, err
	}
	return s, r.importCustomers(ctx, s, member.ID)
}

// limit sets the rate of a scene's account in the database.
func (r *rig) limit(ctx context.Context, s *scene, perSecond float64) error {
	_, err := r.db.Exec(ctx, `UPDATE limiters SET limit_per_second = $2, rate = $2, adjusted_at = now(), bulk_tat = '-infinity'
		WHERE channel_account_id = $1`, s.account.ID, perSecond)
	if err != nil {
		return fmt.Errorf("set the limit: %w", err)
	}
	return nil
}

// importAtOnce is how many customers one request imports.
const importAtOnce = 100_000

func (r *rig) importCustomers(ctx context.Context, s *scene, followerID string) error {
	wrote := time.Now().UTC().Add(-time.Minute).Format(time.RFC3339)
	for from := 0; from < s.n; from += importAtOnce {
		var csv bytes.Buffer
		csv.WriteString("customer_id,name,country,phone,email,channel,channel_user_id,last_message_at,store,tags\n")
		for i := from; i < min(s.n, from+importAtOnce); i++ {
			phone, user := "", ""
			if s.account.Channel == "whatsapp" {
				phone = recipient(i)
			} else {
				user = fmt.Sprintf("U%032x", i+1)
			}
			fmt.Fprintf(&csv, "B%08d,bench,TW,%s,,%s,%s,%s,,\n", i, phone, s.account.Channel, user, wrote)
		}
		report, err := r.platform.ImportCustomers(ctx, s.teamID, csv.Bytes(), apiclient.ImportOptions{FollowerID: followerID})
		if err != nil {
			return fmt.Errorf("import customers: %w", err)
		}
		if want := min(s.n, from+importAtOnce) - from; report.Imported != want {
			return fmt.Errorf("the import took %d of %d customers", report.Imported, want)
		}
	}
	return nil
}

// recipient is the i-th customer's number: a mobile one in Taiwan.
func recipient(i int) string { return fmt.Sprintf("+8869%08d", 10_000_000+i) }

// text is what is sent: Traditional Chinese with a link, 150 bytes.
const text = "秋季會員日開跑！全館新品 85 折，單筆滿 NT$2,000 再折 200 元，活動只到本週日。立即選購 https://shop.example.com/autumn"

// request is the broadcast of every scenario.
func request() apiclient.BroadcastRequest {
	return apiclient.BroadcastRequest{Kind: "broadcast_message", Client: "web", Name: "bench",
		Audience: apiclient.Audience{All: true}, Messages: []apiclient.Content{{Kind: "text", Text: text}}}
}
