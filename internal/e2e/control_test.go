package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/apiclient"
)

// order is a click on a control of the whole broadcast.
func (r *run) order(control, reason string) apiclient.Broadcast {
	r.t.Helper()
	b, err := r.member.Control(r.t.Context(), r.id, control, "", reason)
	require.NoError(r.t, err)
	r.balanced("after "+control, b.Counts, b.Finished())
	return b
}

// still fails if a message leaves within two seconds.
func (r *run) still(why string) {
	r.t.Helper()
	n := r.taken()
	r.never(2*time.Second, func() bool { return r.taken() != n }, why)
}

// finishedRefusal fails unless the error says that the broadcast is over.
func finishedRefusal(t *testing.T, err error) {
	t.Helper()
	var p *apiclient.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, http.StatusConflict, p.Status)
	require.Equal(t, "broadcast_finished", p.Code)
}

// TestControls pauses, kills the worker, resumes and sets the rate: nobody is
// messaged twice, nobody missed, and the export tells the truth, on the way too.
func TestControls(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	m := w.newTeam("prove", 2*reconcileAfter, crowd{channel: "whatsapp", customers: 900, rate: 80})
	r, account := m.broadcast("controls"), m.account("whatsapp")

	r.watchUntilTaken(270)
	r.order(apiclient.Pause, "lunch")
	w.pass(time.Second)
	r.still("a message left more than a second after the pause")
	again := r.order(apiclient.Pause, "a second click")
	require.Equal(t, "paused", again.Lanes[0].Control)
	require.Equal(t, "lunch", again.Lanes[0].ControlReason, "a second click changes nothing")
	w.kill(w.worker())
	w.start(w.worker())
	r.still("a message left after the worker was killed in the pause")

	n := r.taken()
	require.Less(t, n, 600)
	r.order(apiclient.Resume, "lunch is over")
	require.Equal(t, "running", r.order(apiclient.Resume, "a second click").Lanes[0].Control)
	r.takenAtLeast(n+80, 45*time.Second)
	require.GreaterOrEqual(t, r.exportIsTrue(r.export()), n, "what left before the pause is in the export")
	r.followsRate(account.ID, 20)
	_, err := m.member.SetRate(t.Context(), r.id, account.ID, 80, "in a hurry again")
	require.NoError(t, err)

	last := r.wait(time.Minute)
	require.Equal(t, "completed", last.Outcome)
	require.Equal(t, 900, r.judge().Sent)
	require.Equal(t, 900, r.taken())
	r.exportIsTheList()
	most, after := busiest(times(r.deliveries()))
	t.Logf("%d in the busiest second, %s after the first", most, after)
	m.limitsKept()
	for _, control := range []string{apiclient.Pause, apiclient.Resume, apiclient.Cancel} {
		_, err := m.member.Control(t.Context(), r.id, control, "", "too late")
		finishedRefusal(t, err)
	}
	_, err = m.member.SetRate(t.Context(), r.id, account.ID, 10, "too late")
	finishedRefusal(t, err)
}

// followsRate sets a lower rate and fails unless, from a second later, every
// sliding second holds as much and no more.
func (r *run) followsRate(accountID string, perSecond int) {
	r.t.Helper()
	b, err := r.member.SetRate(r.t.Context(), r.id, accountID, float64(perSecond), "slower")
	require.NoError(r.t, err)
	require.InDelta(r.t, perSecond, b.Lanes[0].LimitPerSecond, 0)
	r.pass(time.Second)
	from, before := time.Now(), r.taken()
	r.pass(3 * time.Second)
	at := times(r.deliveries())[before:]
	most, after := busiest(at)
	r.t.Logf("at %d a second: %d in %.2f s, %d in the busiest second", perSecond, len(at), time.Since(from).Seconds(), most)
	require.LessOrEqual(r.t, most, perSecond*5/4, "in the second after %s", after) // a busy machine may delay one by 200 ms
	require.Greater(r.t, len(at), 3*perSecond*7/10)
}

// TestControlsCancel: what has left has left, the rest is cancelled, and
// together they are everybody.
func TestControlsCancel(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	m := w.newTeam("prove", 2*reconcileAfter, crowd{channel: "whatsapp", customers: 400, rate: 80},
		crowd{channel: "facebook", customers: 300, rate: 40})
	r := m.broadcast("cancel")
	r.watchUntilTaken(210)
	r.order(apiclient.Cancel, "wrong text")
	w.pass(time.Second)
	r.still("a message left more than a second after the cancellation")
	last := r.wait(30 * time.Second)
	require.Equal(t, "cancelled", last.Outcome)
	c := r.judge()
	require.Positive(t, c.Cancelled)
	require.Equal(t, 700, c.Sent+c.Cancelled, "%+v", c)
	require.Equal(t, c.Sent, r.taken())
	_, err := m.member.Control(t.Context(), r.id, apiclient.Cancel, "", "a second click")
	finishedRefusal(t, err)
}
