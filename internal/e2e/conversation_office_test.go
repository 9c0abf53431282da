package e2e_test

import (
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/apiclient"
	"omniflow/internal/omniflow"
	"omniflow/internal/simulator"
	"omniflow/internal/truth"
)

// How conversations end by themselves here, and what is said then.
const (
	silence  = 8 * time.Second
	grace    = 2 * time.Second
	reminder = "請問還有需要協助的地方嗎？沒有的話我們先結束對話囉 🙏"
	survey   = "請為這次的服務評分：https://survey.example.com/?a=1&b=2"
)

// giveUp is when an outcome that was not learned counts as failed.
const giveUp = omniflow.MinReconcileAfter + 5*time.Second

// office is a team with an account on each channel and agents who answer there.
type office struct {
	*world
	id       string
	admin    *apiclient.Client
	agents   []*apiclient.Client
	accounts []truth.Account
	talks    []*talk
	outages  []span // of something that was killed, in order
}

// span is from one moment to another.
type span struct{ from, until time.Time }

func (s span) String() string {
	return s.from.UTC().Format("15:04:05.000") + " to " + s.until.UTC().Format("15:04:05.000")
}

// newOffice makes one; its conversations end after a silence, with a reminder
// and a survey.
func (w *world) newOffice(agents int) *office {
	w.t.Helper()
	ctx := w.t.Context()
	made, err := w.platform.CreateTeam(ctx, apiclient.NewTeam{Name: "e2e conversations", Plan: "omo", OnUnknown: "prove",
		ReconcileAfterSeconds: int(omniflow.MinReconcileAfter.Seconds()), GiveUpAfterSeconds: int(giveUp.Seconds())})
	require.NoError(w.t, err)
	o := &office{world: w, id: made.TeamID}
	o.admin = o.member("administrator")
	for range agents {
		o.agents = append(o.agents, o.member("cs_agent"))
	}
	rule := apiclient.AutoClose{Name: "all", Enabled: true, DurationSeconds: int(silence.Seconds()), GraceSeconds: int(grace.Seconds()), Reminder: reminder}
	for _, channel := range channels {
		twin, off := truth.NewTwin(channel, 0), false
		twin.PairLimit = &off // three messages would hold WhatsApp's next one back for 18 s
		account, err := w.sims.Connect(ctx, w.platform, o.id, w.stack.APIURL(), "e2e "+channel, twin)
		require.NoError(w.t, err)
		o.accounts, rule.Channels = append(o.accounts, account), append(rule.Channels, channel)
	}
	_, err = o.admin.CreateAutoClose(ctx, rule)
	require.NoError(w.t, err)
	require.NoError(w.t, w.platform.SetSurvey(ctx, o.id, apiclient.Survey{Text: survey}))
	return o
}

// channels are the four that have a provider.
var channels = [...]string{"whatsapp", "line", "facebook", "instagram"}

func (o *office) member(role string) *apiclient.Client {
	o.t.Helper()
	m, err := o.platform.CreateMember(o.t.Context(), o.id, apiclient.NewMember{Name: "e2e " + role, Role: role})
	require.NoError(o.t, err)
	token, err := o.platform.CreateToken(o.t.Context(), o.id, m.ID, 2*time.Hour)
	require.NoError(o.t, err)
	return o.platform.WithToken(token.Token)
}

// misbehave lets webhooks come twice, late and out of order, and loses answers.
func (o *office) misbehave() {
	o.t.Helper()
	for _, a := range o.accounts {
		h := simulator.DefaultWebhooks()
		h.Channel, h.ExternalID, h.Seed = simulator.Channel(a.Channel), a.ExternalID, o.seed
		h.Duplicate, h.Reorder, h.BeforeResponse = 0.3, 0.3, 0.05
		require.NoError(o.t, o.sims.SetWebhooks(o.t.Context(), h))
		require.NoError(o.t, o.sims.SetFaults(o.t.Context(), simulator.Faults{Channel: h.Channel, ExternalID: a.ExternalID, Seed: o.seed,
			Throttle: 0.005, LostReset: 0.01, Lost500: 0.01, Unavailable: 0.002}))
	}
}

// deliveries are what the providers took for each person, in order.
func (o *office) deliveries() map[truth.Person][]simulator.Delivery {
	o.t.Helper()
	all, err := o.sims.Deliveries(o.t.Context(), o.accounts)
	require.NoError(o.t, err)
	out := map[truth.Person][]simulator.Delivery{}
	for _, d := range all {
		p := truth.Person{Channel: string(d.Channel), Recipient: d.Recipient}
		out[p] = append(out[p], d)
	}
	return out
}
