package e2e_test

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/apiclient"
	"omniflow/internal/simulator"
	"omniflow/internal/truth"
)

// settleWithin is how long webhooks may take after the end of a broadcast.
const settleWithin = 30 * time.Second

// run is one broadcast.
type run struct {
	*team
	id, workflowID string
	contents       truth.Contents
	seen           atomic.Pointer[apiclient.Broadcast] // by the latest look
}

// look reads the broadcast and checks that it accounts for every row. False:
// the API did not answer.
func (r *run) look() (apiclient.Broadcast, bool) {
	r.t.Helper()
	b, err := r.member.Broadcast(r.t.Context(), r.id)
	if err != nil {
		require.True(r.t, away(err), "read broadcast: %v", err)
		return b, false
	}
	r.seen.Store(&b)
	r.balanced("all lanes", b.Counts, b.Finished())
	for _, l := range b.Lanes {
		r.balanced(l.Channel, l.Counts, b.Finished())
	}
	return b, true
}

// balanced is the promise that holds at every moment: each planned row is in
// exactly one state, and in the end in a final one.
func (r *run) balanced(what string, t apiclient.Tally, finished bool) {
	r.t.Helper()
	final := t.Delivered() + t.Failed + t.Skipped + t.Cancelled + t.Unknown
	require.Equal(r.t, t.Planned, final+t.Queued+t.Sending, "%s: %+v", what, t)
	if finished {
		require.Equal(r.t, t.Planned, final, "%s has ended: %+v", what, t)
	}
}

// state reads the broadcast; something must answer.
func (r *run) state() apiclient.Broadcast {
	r.t.Helper()
	b, ok := r.look()
	require.True(r.t, ok, "the API does not answer")
	return b
}

// wait polls until the broadcast has ended.
func (r *run) wait(within time.Duration) apiclient.Broadcast {
	r.t.Helper()
	return r.waitFor(within, "the end of the broadcast", apiclient.Broadcast.Finished)
}

// waitFor polls until the broadcast is as it should be.
func (r *run) waitFor(within time.Duration, what string, reached func(apiclient.Broadcast) bool) apiclient.Broadcast {
	r.t.Helper()
	var last apiclient.Broadcast
	r.until(within, func() bool {
		b, ok := r.look()
		if ok {
			last = b
		}
		return ok && reached(b)
	}, "%s; counts %+v", what, &last.Counts)
	return last
}

// deliveries are what the providers took of this broadcast.
func (r *run) deliveries() []simulator.Delivery {
	r.t.Helper()
	all, err := r.sims.Deliveries(r.t.Context(), r.accounts)
	require.NoError(r.t, err)
	return slices.DeleteFunc(all, func(d simulator.Delivery) bool { return r.contents != nil && !r.contents.Has(d.ContentSHA256) })
}

// rows is how many the ledger should have: one a person and content.
func (r *run) rows() int {
	if r.contents == nil {
		return len(r.people)
	}
	n := 0
	for _, p := range r.people {
		n += len(r.contents[p.Channel])
	}
	return n
}

// taken is how many messages of the broadcast the providers have taken.
func (r *run) taken() int { return len(r.deliveries()) }

// takenAtLeast waits until the providers have taken so many messages.
func (r *run) takenAtLeast(n int, within time.Duration) {
	r.t.Helper()
	r.until(within, func() bool { return r.taken() >= n }, "%d messages taken", n)
}

// recipients reads every row of the ledger.
func (r *run) recipients() []apiclient.Recipient {
	r.t.Helper()
	rows, err := r.member.AllRecipients(r.t.Context(), r.id, apiclient.RecipientFilter{})
	require.NoError(r.t, err)
	return rows
}

// judge holds the ledger against the providers' books, row by row: nobody
// twice, nobody forgotten, no stranger, every state agrees, and everybody got
// their messages in order. Webhooks that are under way get their time.
func (r *run) judge() truth.Comparison {
	r.t.Helper()
	var c truth.Comparison
	agree := func() bool {
		c = truth.CompareContents(r.people, r.recipients(), r.deliveries(), r.contents)
		return c.Lost()+c.Unclaimed == 0 || c.Duplicates+c.Strangers+c.Disordered > 0
	}
	r.until(settleWithin, agree, "ledger and truth agree; %+v", &c)
	require.Zero(r.t, c.Duplicates, "delivered twice: %v", c.Examples)
	require.Zero(r.t, c.Strangers, "delivered to strangers: %v", c.Examples)
	require.Zero(r.t, c.Disordered, "delivered in the wrong order: %v", c.Examples)
	require.Empty(r.t, c.Examples)
	require.True(r.t, c.Accounted(), "%+v", c)
	require.Equal(r.t, r.rows(), c.Recipients)
	return c
}

// watchUntilTaken waits until the providers have taken so many messages, and
// checks on the way that the ledger accounts for every row.
func (r *run) watchUntilTaken(n int) {
	r.t.Helper()
	r.until(time.Minute, func() bool {
		_, _ = r.look() // whether it answers does not matter
		return r.taken() >= n
	}, "%d messages taken", n)
}

// watchUntilAccepted is watchUntilTaken for a long broadcast: it reads figures
// instead of every delivery.
func (r *run) watchUntilAccepted(n int, within time.Duration) {
	r.t.Helper()
	var now struct{ accepted int }
	r.until(within+time.Minute, func() bool {
		_, _ = r.look() // whether it answers does not matter
		now.accepted = 0
		for _, s := range r.summaries() {
			now.accepted += s.Accepted
		}
		return now.accepted >= n
	}, "%d messages taken; %+v", n, &now)
}

// anyState is reached as soon as the API answers.
func anyState(apiclient.Broadcast) bool { return true }
