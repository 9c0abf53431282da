package e2e_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/apiclient"
	"omniflow/internal/omniflow"
	"omniflow/internal/simulator"
	"omniflow/internal/truth"
)

// reconcileAfter is the soonest that a team may decide an unknown outcome.
const reconcileAfter = omniflow.MinReconcileAfter

// crowd is the customers of one channel and the limits of its account.
type crowd struct {
	channel   string
	customers int
	rate      float64 // messages per second; 0 is the channel's default
	multicast float64 // LINE: calls per second; 0 is the channel's default
}

// team is a team whose one member handles all of its customers.
type team struct {
	*world
	id       string
	member   *apiclient.Client
	accounts []truth.Account
	people   map[string]truth.Person // by customer id
}

// newTeam makes a team with a policy for unknown outcomes, an account for each
// crowd, and imports the customers.
func (w *world) newTeam(onUnknown string, giveUpAfter time.Duration, crowds ...crowd) *team {
	w.t.Helper()
	ctx := w.t.Context()
	made, err := w.platform.CreateTeam(ctx, apiclient.NewTeam{Name: "e2e " + onUnknown, Plan: "omo", OnUnknown: onUnknown,
		ReconcileAfterSeconds: int(reconcileAfter.Seconds()), GiveUpAfterSeconds: int(giveUpAfter.Seconds())})
	require.NoError(w.t, err)
	member, err := w.platform.CreateMember(ctx, made.TeamID, apiclient.NewMember{Name: "e2e", Role: "sales_staff"})
	require.NoError(w.t, err)
	token, err := w.platform.CreateToken(ctx, made.TeamID, member.ID, time.Hour)
	require.NoError(w.t, err)
	m := &team{world: w, id: made.TeamID, member: w.platform.WithToken(token.Token), people: map[string]truth.Person{}}
	for _, c := range crowds {
		twin := truth.NewTwin(c.channel, c.rate)
		twin.MulticastPerSecond = c.multicast
		account, err := w.sims.Connect(ctx, w.platform, m.id, w.stack.APIURL(), "e2e "+c.channel, twin)
		require.NoError(w.t, err)
		m.accounts = append(m.accounts, account)
	}
	report, err := w.platform.ImportCustomers(ctx, m.id, m.customers(crowds), apiclient.ImportOptions{FollowerID: member.ID})
	require.NoError(w.t, err)
	require.Equal(w.t, len(m.people), report.Imported, "%+v", report.Rejected)
	return m
}

// customers fills people and gives them as a file. They wrote an hour ago, so
// every channel's window is open.
func (m *team) customers(crowds []crowd) []byte {
	var file bytes.Buffer
	out := csv.NewWriter(&file)
	rows := [][]string{{"customer_id", "name", "country", "phone", "email", "channel", "channel_user_id", "last_message_at", "store", "Tags"}}
	wrote := time.Now().UTC().Add(-time.Hour).Format(time.RFC3339)
	for _, c := range crowds {
		for n := range c.customers {
			id := fmt.Sprintf("%s-%05d", c.channel, n)
			p := truth.Person{Channel: c.channel, Recipient: recipient(c.channel, n)}
			row := []string{id, "顧客 " + id, "", "", "", c.channel, p.Recipient, wrote, "", ""}
			if c.channel == "whatsapp" {
				row[2], row[3], row[6] = "TW", "+"+p.Recipient, ""
			}
			m.people[id] = p
			rows = append(rows, row)
		}
	}
	require.NoError(m.t, out.WriteAll(rows))
	return file.Bytes()
}

// recipient is the nth customer of a channel as its provider names them.
func recipient(channel string, n int) string {
	switch channel {
	case "whatsapp":
		return fmt.Sprintf("8869%08d", 10000000+n)
	case "line":
		return fmt.Sprintf("U%032x", n+1)
	}
	return strconv.Itoa(1_000_000_000_000_000 + n)
}

// account is the team's account of a channel.
func (m *team) account(channel string) truth.Account {
	m.t.Helper()
	i := slices.IndexFunc(m.accounts, func(a truth.Account) bool { return a.Channel == channel })
	require.GreaterOrEqual(m.t, i, 0, channel)
	return m.accounts[i]
}

// fault makes the requests of an account go wrong; the zero value, no more.
func (m *team) fault(a truth.Account, f simulator.Faults) {
	m.t.Helper()
	f.Channel, f.ExternalID = simulator.Channel(a.Channel), a.ExternalID
	require.NoError(m.t, m.sims.SetFaults(m.t.Context(), f))
}

// webhooks says how those of an account travel.
func (m *team) webhooks(a truth.Account, change func(*simulator.Webhooks)) {
	m.t.Helper()
	h := simulator.DefaultWebhooks()
	h.Channel, h.ExternalID, h.Seed = simulator.Channel(a.Channel), a.ExternalID, m.seed
	change(&h)
	require.NoError(m.t, m.sims.SetWebhooks(m.t.Context(), h))
}

// broadcast starts one of one message to everybody.
func (m *team) broadcast(name string) *run {
	m.t.Helper()
	return m.broadcastParts(name, 1)
}

// broadcastParts starts one of so many messages to everybody.
func (m *team) broadcastParts(name string, parts int) *run {
	m.t.Helper()
	b, contents := textBroadcast(name, parts)
	return m.startBroadcast(b, contents)
}

// textBroadcast is one of so many messages; their texts are its own, so that
// the books tell it from any other.
func textBroadcast(name string, parts int) (apiclient.BroadcastRequest, truth.Contents) {
	texts, messages := make([]string, parts), make([]apiclient.Content, parts)
	for i := range parts {
		texts[i] = fmt.Sprintf("🎉 週年慶 %s %s\nhttps://shop.example.com/?a=1&b=%d", name, truth.Random(4), i+1)
		messages[i] = apiclient.Content{Kind: "text", Text: texts[i]}
	}
	return apiclient.BroadcastRequest{Kind: "broadcast_message", Client: "web", Name: name,
		Audience: apiclient.Audience{All: true}, Messages: messages}, truth.TextContents(texts...)
}

// startBroadcast starts one. Contents of nil are any: it is the team's only one.
func (m *team) startBroadcast(b apiclient.BroadcastRequest, contents truth.Contents) *run {
	m.t.Helper()
	accepted, err := m.member.StartBroadcast(m.t.Context(), b, "")
	require.NoError(m.t, err)
	return &run{team: m, id: accepted.ID, workflowID: accepted.WorkflowID, contents: contents}
}

// summaries are the figures of the team's accounts, by channel.
func (m *team) summaries() map[string]simulator.Summary {
	m.t.Helper()
	byID, err := m.sims.Summaries(m.t.Context(), m.accounts)
	require.NoError(m.t, err)
	out := map[string]simulator.Summary{}
	for _, a := range m.accounts {
		out[a.Channel] = byID[a.ExternalID]
	}
	return out
}

// limitsKept fails if any second held more requests than the provider allows.
func (m *team) limitsKept() {
	m.t.Helper()
	for channel, s := range m.summaries() {
		require.NotEmpty(m.t, s.Endpoints, channel)
		for name, e := range s.Endpoints {
			m.t.Logf("%s %s: %d requests at most in any second, %d allowed", channel, name, e.MaxInAnySecond, e.Limit)
			require.LessOrEqual(m.t, e.MaxInAnySecond, e.Limit, "%s %s", channel, name)
			require.Zero(m.t, e.LimitExceeded, "%s %s", channel, name)
		}
	}
}

// away says that an API did not answer, or not now, which is no fault while
// something is dead.
func away(err error) bool {
	var p *apiclient.Problem
	var u *apiclient.Unreachable
	return errors.As(err, &u) || errors.As(err, &p) && p.Status >= 500
}
