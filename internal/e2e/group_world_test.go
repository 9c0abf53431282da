package e2e_test

import (
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/apiclient"
	"omniflow/internal/simulator"
	"omniflow/internal/truth"
)

// circle is a team with WhatsApp groups, of which one member follows all.
type circle struct {
	*world
	id     string
	member *apiclient.Client
}

func (w *world) newCircle() *circle {
	w.t.Helper()
	ctx := w.t.Context()
	made, err := w.platform.CreateTeam(ctx, apiclient.NewTeam{Name: "e2e groups", Plan: "omo", Flags: []string{"whatsapp_group_enabled"},
		OnUnknown: "prove", ReconcileAfterSeconds: int(reconcileAfter.Seconds()), GiveUpAfterSeconds: 600})
	require.NoError(w.t, err)
	member, err := w.platform.CreateMember(ctx, made.TeamID, apiclient.NewMember{Name: "e2e", Role: "cs_agent"})
	require.NoError(w.t, err)
	token, err := w.platform.CreateToken(ctx, made.TeamID, member.ID, time.Hour)
	require.NoError(w.t, err)
	return &circle{world: w, id: made.TeamID, member: w.platform.WithToken(token.Token)}
}

// line is one number of a circle with its groups.
type line struct {
	*circle
	account truth.Account
	groups  []string
}

// newLine connects a number whose reviews take half a second; what travels
// comes twice, and half of it late.
func (c *circle) newLine() *line {
	c.t.Helper()
	ctx, twin := c.t.Context(), truth.NewTwin("whatsapp", 0)
	account, err := c.sims.Connect(ctx, c.platform, c.id, c.stack.APIURL(), "e2e groups", twin)
	require.NoError(c.t, err)
	require.NoError(c.t, c.sims.AllowGroups(ctx, c.platform, c.id, twin))
	settings := simulator.DefaultGroups()
	settings.ExternalID, settings.Seed = account.ExternalID, c.seed
	settings.CreateMinMS, settings.CreateMaxMS, settings.LateCreate = 300, 700, 0
	require.NoError(c.t, c.sims.SetGroups(ctx, settings))
	l := &line{circle: c, account: account}
	l.deaf(false)
	return l
}

// deaf holds the number's webhooks back, or lets them all come.
func (l *line) deaf(yes bool) {
	l.t.Helper()
	h := simulator.DefaultWebhooks()
	h.Channel, h.ExternalID, h.Seed = simulator.WhatsApp, l.account.ExternalID, l.seed
	h.Duplicate, h.Reorder, h.BeforeResponse, h.Disabled = 1, 0.5, 0.3, yes
	require.NoError(l.t, l.sims.SetWebhooks(l.t.Context(), h))
}

// told says whether the API has taken every webhook that is out.
func (l *line) told() bool {
	l.t.Helper()
	sums, err := l.sims.Summaries(l.t.Context(), []truth.Account{l.account})
	require.NoError(l.t, err)
	return sums[l.account.ExternalID].Webhooks.Pending == 0
}

// create asks for a group whose members ignore the invitation until they join.
func (l *line) create(name string, members ...string) string {
	l.t.Helper()
	users := simulator.GroupUsers{ExternalID: l.account.ExternalID}
	for _, m := range members {
		users.Users = append(users.Users, simulator.GroupUser{ID: m[1:], Behaviour: simulator.IgnoresGroup})
	}
	require.NoError(l.t, l.sims.AddGroupUsers(l.t.Context(), users))
	accepted, err := l.member.CreateGroup(l.t.Context(), apiclient.NewGroup{ChannelAccountID: l.account.ID, Name: name, Members: members}, "")
	require.NoError(l.t, err)
	l.groups = append(l.groups, accepted.ID)
	return accepted.ID
}

// real is the provider's side of the newest group; false: it has not come to be.
func (l *line) real() (simulator.GroupTruth, bool) {
	l.t.Helper()
	all, err := l.sims.Groups(l.t.Context(), l.account)
	require.NoError(l.t, err)
	if len(all) < len(l.groups) {
		return simulator.GroupTruth{}, false
	}
	return all[len(all)-1], true
}

// newest reads the newest group; false: the API did not answer.
func (l *line) newest() (apiclient.Group, bool) {
	l.t.Helper()
	g, err := l.member.Group(l.t.Context(), l.groups[len(l.groups)-1])
	if err != nil {
		require.True(l.t, away(err), "read group: %v", err)
	}
	return g, err == nil
}

// reach waits until the newest group is as it should be.
func (l *line) reach(what string, reached func(apiclient.Group) bool) {
	l.t.Helper()
	var last apiclient.Group
	l.until(time.Minute, func() bool {
		g, ok := l.newest()
		if ok {
			last = g
		}
		return ok && reached(g)
	}, "%s: %+v", what, &last)
}

// join lets a person tap the link of the newest group.
func (l *line) join(phone string) {
	l.t.Helper()
	g, ok := l.real()
	require.True(l.t, ok)
	require.NoError(l.t, l.sims.InGroup(l.t.Context(), g.ID, "join", phone[1:], ""))
}

// judge holds what we say about every group of the number against the
// provider's book: one group and one conversation a request, one invitation a
// person, the member who joined in it and the silent one not.
func (l *line) judge(joined, silent string) {
	l.t.Helper()
	ctx := l.t.Context()
	all, err := l.sims.Groups(ctx, l.account)
	require.NoError(l.t, err)
	require.Len(l.t, all, len(l.groups), "no second group")
	calls, err := l.sims.GroupCalls(ctx, l.account)
	require.NoError(l.t, err)
	require.Equal(l.t, len(l.groups), calls[simulator.GroupCreate], "no second call")
	for i, id := range l.groups {
		require.Equal(l.t, map[string]int{joined[1:]: 1, silent[1:]: 1}, all[i].Invitations, "no second invitation")
		require.Equal(l.t, []string{joined[1:]}, all[i].Members)
		g, err := l.member.Group(ctx, id)
		require.NoError(l.t, err)
		require.Equal(l.t, []string{"created", "handling", "[群組] " + all[i].Subject}, []string{g.State, g.ConversationState, g.Title})
		states := map[string]string{}
		for _, m := range g.Members {
			states[m.Phone] = m.State
		}
		require.Equal(l.t, map[string]string{joined: "joined", silent: "inviting"}, states)
		log, err := l.member.GroupLog(ctx, id)
		require.NoError(l.t, err)
		require.Equal(l.t, 1, count(log, func(e apiclient.LogEntry) bool { return e.Event == "group_created" }), "created once: %+v", log)
	}
}

func count[T any](list []T, is func(T) bool) int {
	return len(slices.DeleteFunc(slices.Clone(list), func(v T) bool { return !is(v) }))
}
