package e2e_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"omniflow/internal/apiclient"
	"omniflow/internal/simulator"
)

// TestConversationsSurvive kills worker, Temporal and PostgreSQL while customers
// and agents talk on four channels, and again while the conversations that fell
// silent are reminded and end by themselves. E2E_CONVERSATIONS and
// E2E_CONVERSATION_KILLS make it longer: `make chaos`.
func TestConversationsSurvive(t *testing.T) {
	t.Parallel()
	n, kills := fromEnv(t, "E2E_CONVERSATIONS", 80), fromEnv(t, "E2E_CONVERSATION_KILLS", 4)
	w := newWorld(t, 1)
	o := w.newOffice(3)
	o.misbehave()
	o.cast(n)
	victims := o.holders(kills)
	o.talk(victims[:(kills+1)/2])
	o.fallSilent(victims[(kills+1)/2:])
	var s sum
	for _, r := range o.records() {
		r.judge(&s)
	}
	slices.Sort(s.lateness)
	t.Logf("%d conversations, %d kills, seed %d: %d of customers, %d of agents, %d outcomes unproven; %d closed by silence, %d kept open by an answer, %d answered too late, %d agents too late",
		n, kills, w.seed, s.customer, s.agent, s.unproven, s.silent, s.answered, s.late, s.refused)
	require.NotEmpty(t, s.lateness)
	t.Logf("endings after their time: half within %s, all within %s; unexplained at most %s", s.lateness[len(s.lateness)/2], s.lateness[len(s.lateness)-1], s.unexplained)
	require.Positive(t, s.answered, "an answer in time keeps a conversation open")
	require.LessOrEqual(t, s.unproven, o.excuses(kills), "outcomes that nothing explains")
}

// holders are so many parts to kill, of those that hold something of a
// conversation, in the seed's order.
func (w *world) holders(n int) []part {
	var list []part
	for len(list) < n {
		round := []part{w.worker(), w.temporal(), w.postgres()}
		w.rng.Shuffle(len(round), func(i, j int) { round[i], round[j] = round[j], round[i] })
		list = append(list, round...)
	}
	return list[:n]
}

// hit kills a part and starts it again after a while.
func (o *office) hit(p part, when string) {
	o.t.Helper()
	outage := time.Duration(300+o.rng.IntN(1200)) * time.Millisecond
	o.t.Logf("%s: %s dies, for %s and its start", when, p.name, outage)
	from := time.Now()
	o.kill(p)
	o.pass(outage)
	o.start(p)
	o.outages = append(o.outages, span{from, time.Now()})
}

// talk lets everybody talk, and kills in between.
func (o *office) talk(victims []part) {
	o.t.Helper()
	ctx, cancel := context.WithTimeoutCause(o.t.Context(), o.patience(), fmt.Errorf("the talks were not over after %s", o.patience()))
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	messages := 0
	for _, t := range o.talks {
		messages += t.messages()
		group.Go(func() error {
			if err := t.play(ctx); err != nil {
				return fmt.Errorf("talk %s on %s: %w", t.name, t.Channel, err)
			}
			return nil
		})
	}
	for i, p := range victims {
		share := int64(float64(messages) * (0.1 + 0.8*(float64(i)+0.6*o.rng.Float64())/float64(len(victims))))
		o.until(o.patience(), func() bool { return ctx.Err() != nil || o.talks[0].progress.Load() >= share }, "%d messages written", share)
		o.hit(p, fmt.Sprintf("after %d of %d messages", share, messages))
	}
	require.NoError(o.t, group.Wait())
}

// patience is how long so many talks may take, however slow the machine.
func (o *office) patience() time.Duration {
	return 2*time.Minute + time.Duration(len(o.talks))*time.Second
}

// fallSilent waits until every silent conversation has ended and has its
// survey, and kills in between.
func (o *office) fallSilent(victims []part) {
	o.t.Helper()
	silent := count(o.talks, func(t *talk) bool { return !t.answers })
	for i, p := range victims {
		share := int(float64(silent) * (0.1 + 0.8*(float64(i)+0.6*o.rng.Float64())/float64(len(victims))))
		o.until(o.patience(), func() bool { return o.got(reminder) >= share }, "%d reminders", share)
		o.hit(p, fmt.Sprintf("after %d of %d reminders", share, silent))
	}
	var open []string
	o.until(o.patience(), func() bool { open = o.unsettled(); return len(open) == 0 }, "every silent conversation over: %v", &open)
}

// got is how often the providers delivered a text.
func (o *office) got(text string) int {
	n := 0
	for _, books := range o.deliveries() {
		n += count(books, func(d simulator.Delivery) bool { return d.ContentSHA256 == simulator.TextSHA256(text) })
	}
	return n
}

// unsettled are talks of which something is still to come, a few of them: asking
// for all of hundreds again and again would keep the machine from its work.
func (o *office) unsettled() []string {
	o.t.Helper()
	var out []string
	for _, t := range o.talks {
		if t.over {
			continue
		}
		if len(out) == 5 {
			break
		}
		c, err := o.admin.Conversation(o.t.Context(), t.id)
		if err == nil && (t.answers || t.refused != "" || c.State == "closed") {
			var list []apiclient.ConversationMessage
			list, err = t.list(o.t.Context())
			t.over = err == nil && settled(list) && (c.State != "closed" ||
				count(list, func(m apiclient.ConversationMessage) bool { return m.Origin == "survey" }) == 1)
		}
		require.True(o.t, err == nil || away(err), "%v", err)
		if !t.over {
			out = append(out, t.name+" "+t.id)
		}
	}
	return out
}

// settled says that every message has an outcome.
func settled(list []apiclient.ConversationMessage) bool {
	return !slices.ContainsFunc(list, func(m apiclient.ConversationMessage) bool {
		return m.State == "queued" || m.State == "sending" || m.State == "unknown"
	})
}

// excuses is how many outcomes may stay unproven: of calls that were never
// taken and could not be told from lost answers, and of claims at a kill.
func (o *office) excuses(kills int) int {
	o.t.Helper()
	sums, err := o.sims.Summaries(o.t.Context(), o.accounts)
	require.NoError(o.t, err)
	n := kills * claimAtMost
	for _, s := range sums {
		n += s.Faults[simulator.Unavailable]
	}
	return n
}
