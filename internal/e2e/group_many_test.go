package e2e_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"golang.org/x/sync/errgroup"

	"omniflow/internal/apiclient"
	"omniflow/internal/simulator"
	"omniflow/internal/truth"
)

// TestManyGroups asks for many groups of one number at once, each with one
// person who joins. All are made once, nobody is invited twice, and the limits
// of messages and of group calls are kept. E2E_GROUPS says how many,
// E2E_GROUP_CALLS how many group calls a minute the provider takes (none said: any).
// `make groups` is the long form.
func TestManyGroups(t *testing.T) {
	t.Parallel()
	n := fromEnv(t, "E2E_GROUPS", 60)
	w := newWorld(t, 1)
	l := w.newCircle().newLine()
	settings := simulator.DefaultGroups()
	settings.ExternalID, settings.Seed, settings.LateCreate = l.account.ExternalID, w.seed, 0
	if os.Getenv("E2E_GROUP_CALLS") != "" {
		settings.OperationsPerMinute = fromEnv(t, "E2E_GROUP_CALLS", 1)
	}
	require.NoError(t, w.sims.SetGroups(t.Context(), settings))
	began := time.Now()
	l.createMany(n)
	accepted := time.Since(began)
	var decided time.Duration
	w.untilEach(manyEach, 10*time.Minute, func() bool {
		list, err := l.member.Groups(t.Context(), "reviewing", apiclient.Page{Limit: 1})
		if decided == 0 && err == nil && len(list.Items) == 0 {
			decided = time.Since(began)
		}
		return decided > 0 && l.joined() == n
	}, "%d groups with a member each", n)
	took := time.Since(began)
	calls, events, runs := l.judgeMany(n)
	t.Logf("%d groups at once: accepted in %.1f s, decided in %.1f s, every member joined in %.1f s; %d create calls, %d of them retries; %.1f events a group in %.1f runs",
		n, accepted.Seconds(), decided.Seconds(), took.Seconds(), calls, calls-n, float64(events)/float64(n), float64(runs)/float64(n))
}

// manyEach is how often many groups are asked for: each answer names them all,
// and what is measured shares the machine. manySettle bounds how long the last
// webhooks and the index of runs lag behind.
const (
	manyEach   = time.Second
	manySettle = 2 * time.Minute
)

// createMany asks for n groups, 16 requests at a time.
func (l *line) createMany(n int) {
	l.t.Helper()
	group, ctx := errgroup.WithContext(l.t.Context())
	group.SetLimit(16)
	for i := range n {
		group.Go(func() error {
			_, err := l.member.CreateGroup(ctx, apiclient.NewGroup{ChannelAccountID: l.account.ID, Name: fmt.Sprintf("VIP %d", i), Members: []string{"+" + recipient("whatsapp", i)}}, "")
			return err
		})
	}
	require.NoError(l.t, group.Wait())
}

// joined is how many people the provider has in the number's groups.
func (l *line) joined() int {
	l.t.Helper()
	all, err := l.sims.Groups(l.t.Context(), l.account)
	require.NoError(l.t, err)
	return count(all, func(g simulator.GroupTruth) bool { return len(g.Members) == 1 })
}

// judgeMany holds n groups against the provider's book; it returns how many
// create calls it took, and how many events of how many runs.
func (l *line) judgeMany(n int) (calls, events, runs int) {
	l.t.Helper()
	ctx := l.t.Context()
	all, err := l.sims.Groups(ctx, l.account)
	require.NoError(l.t, err)
	require.Len(l.t, all, n, "one group a request")
	for _, g := range all {
		for _, times := range g.Invitations {
			require.Equal(l.t, 1, times, "one invitation a person")
		}
	}
	sums, err := l.sims.Summaries(ctx, []truth.Account{l.account})
	require.NoError(l.t, err)
	require.Zero(l.t, sums[l.account.ExternalID].LimitExceeded, "the limit of messages")
	made, err := l.sims.GroupCalls(ctx, l.account)
	require.NoError(l.t, err)
	listed := l.members()
	l.untilEach(manyEach, manySettle, func() bool { listed = l.members(); return listed["joined"] == n }, "we know of every member: %v", &listed)
	engine := l.engine()
	l.untilEach(manyEach, manySettle, func() bool {
		runs, events = 0, 0
		for next := []byte(nil); ; {
			page, err := engine.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: "TeamId = '" + l.id + "' AND ExecutionStatus = 'Completed'",
				PageSize: 1000, NextPageToken: next})
			require.NoError(l.t, err)
			for _, e := range page.Executions {
				runs, events = runs+1, events+int(e.HistoryLength)
			}
			if next = page.NextPageToken; len(next) == 0 {
				return runs >= 2*n
			}
		}
	}, "%d runs have ended", 2*n)
	return made[simulator.GroupCreate], events, runs
}

// members counts the members of all groups by state.
func (l *line) members() map[string]int {
	l.t.Helper()
	out := map[string]int{}
	for after := ""; ; {
		list, err := l.member.Groups(l.t.Context(), "created", apiclient.Page{Limit: 200, After: after})
		require.NoError(l.t, err)
		for _, g := range list.Items {
			whole, err := l.member.Group(l.t.Context(), g.ID)
			require.NoError(l.t, err)
			for _, m := range whole.Members {
				out[m.State]++
			}
		}
		if after = list.Next; after == "" {
			return out
		}
	}
}
