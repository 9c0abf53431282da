package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/apiclient"
)

const (
	joins   = "+886911000001"
	ignores = "+886911000002"
)

// TestGroupsSurvive kills the worker, then Temporal, while groups wait for
// their review and again while their members' invitations wait. The webhook of
// one number is delivered before the kill, of one while the part is dead, of
// one when it is back; all come twice, and half of them late.
func TestGroupsSurvive(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	c := w.newCircle()
	before, during, after := c.newLine(), c.newLine(), c.newLine()
	lines := []*line{before, during, after}
	outage := func(dead part) {
		w.until(30*time.Second, before.told, "the webhooks before the kill")
		w.kill(dead)
		during.deaf(false)
		w.until(30*time.Second, during.told, "the webhooks during the outage")
		w.pass(300 * time.Millisecond)
		w.start(dead)
		after.deaf(false)
	}
	for i, dead := range []part{w.worker(), w.temporal()} {
		during.deaf(true)
		after.deaf(true)
		for j, l := range lines {
			l.create(fmt.Sprintf("VIP %d-%d", i, j), joins, ignores)
		}
		for _, l := range lines {
			w.until(30*time.Second, func() bool { _, ok := l.real(); return ok }, "a group at the provider")
		}
		outage(dead)
		for _, l := range lines {
			l.reach("both invited", func(g apiclient.Group) bool {
				real, _ := l.real()
				return g.State == "created" && len(real.Invitations) == 2
			})
		}
		during.deaf(true)
		after.deaf(true)
		for _, l := range lines {
			l.join(joins)
		}
		outage(dead)
		for _, l := range lines {
			l.reach("joined", func(g apiclient.Group) bool {
				return count(g.Members, func(m apiclient.GroupMember) bool { return m.State == "joined" }) == 1
			})
		}
	}
	for _, l := range lines {
		l.judge(joins, ignores)
	}
	listed, err := c.member.Groups(t.Context(), "", apiclient.Page{Limit: 100})
	require.NoError(t, err)
	require.Len(t, listed.Items, 6, "one conversation a request")
}
