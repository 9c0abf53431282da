package e2e_test

import (
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/apiclient"
	"omniflow/internal/omniflow"
	"omniflow/internal/simulator"
)

// record is what is known of a talk at the end: what the API says, and what the
// provider delivered.
type record struct {
	*talk
	office   *office
	now      apiclient.Conversation
	messages []apiclient.ConversationMessage // oldest first
	endings  []time.Time                     // by the log
	books    []simulator.Delivery            // in order
}

// sum is what a run came to, for a person and for the bounds at the end.
type sum struct {
	silent, answered, late, refused int
	customer, agent, unproven       int
	lateness                        []time.Duration
	unexplained                     time.Duration // the most of a lateness that no kill explains
}

// records reads everything.
func (o *office) records() []record {
	o.t.Helper()
	books := o.deliveries()
	var out []record
	known := map[string]bool{}
	for _, t := range o.talks {
		r := record{talk: t, office: o, books: books[t.Person]}
		var err error
		r.now, err = o.admin.Conversation(o.t.Context(), t.id)
		require.NoError(o.t, err)
		r.messages, err = t.list(o.t.Context())
		require.NoError(o.t, err)
		slices.Reverse(r.messages)
		log, err := o.admin.ConversationLog(o.t.Context(), t.id)
		require.NoError(o.t, err)
		for _, e := range log {
			if e.Kind == "log" && (e.Event == "auto_close" || e.Event == "end") {
				r.endings = append(r.endings, e.At)
			}
		}
		known[t.id] = true
		delete(books, t.Person)
		out = append(out, r)
	}
	require.Empty(o.t, books, "delivered to strangers")
	require.Len(o.t, known, len(o.talks), "one conversation a customer")
	return out
}

// origin are the messages of one origin, "" for the customer's.
func (r record) origin(origin string) []apiclient.ConversationMessage {
	return slices.DeleteFunc(slices.Clone(r.messages), func(m apiclient.ConversationMessage) bool { return m.Origin != origin })
}

// delivered are the moments at which the customer got a text.
func (r record) delivered(text string) []time.Time {
	var out []time.Time
	for _, d := range r.books {
		if d.Delivered && d.ContentSHA256 == simulator.TextSHA256(text) {
			out = append(out, d.At)
		}
	}
	return out
}

// judge holds what the API says of a talk against what was written and what the
// provider delivered.
func (r record) judge(s *sum) {
	t := r.office.t
	t.Helper()
	var in []string
	for _, m := range r.origin("") {
		in = append(in, m.Text)
	}
	require.Equal(t, r.wrote, in, "%s: what the customer wrote, in order, once", r.name)
	r.judgeAgent(s)
	r.judgeBooks(s)
	r.judgeEnding(s)
	s.customer += len(in)
}

// judgeAgent: every accepted message is there once, in order.
func (r record) judgeAgent(s *sum) {
	t := r.office.t
	t.Helper()
	var said []sentText
	for _, m := range r.origin("agent") {
		said = append(said, sentText{m.ID, m.Text})
	}
	require.Equal(t, r.sent, said, "%s: what the agent said, in order, once", r.name)
	s.agent += len(said)
}

// judgeBooks: what the API says was sent was delivered once, what it says failed
// was not, nothing else was, and the agent's came in order. The system's order
// beside the agent's is by commit, which a request that died and was repeated
// does not show.
func (r record) judgeBooks(s *sum) {
	t := r.office.t
	t.Helper()
	var want []string
	for _, m := range r.messages {
		switch {
		case m.Direction == "in":
		case m.State == "sent" || m.State == "received" || m.State == "read":
			want = append(want, simulator.TextSHA256(m.Text))
		default:
			require.Equal(t, []string{"failed", string(omniflow.OutcomeUnknown)}, []string{m.State, m.Code}, "%s: %s", r.name, m.Text)
			require.NotEqual(t, "line", r.Channel, "%s: LINE's key tells", r.name)
			s.unproven++
		}
	}
	var got []string
	for _, d := range r.books {
		require.True(t, d.Delivered, "%s: %+v", r.name, d)
		got = append(got, d.ContentSHA256)
	}
	require.ElementsMatch(t, want, got, "%s: ledger and books\n%s", r.name, r.text())
	system := func(hash string) bool {
		return hash == simulator.TextSHA256(reminder) || hash == simulator.TextSHA256(survey)
	}
	require.Equal(t, slices.DeleteFunc(want, system), slices.DeleteFunc(got, system), "%s: the agent's, in order\n%s", r.name, r.text())
}

// judgeEnding: a silent conversation has ended once, with a reminder and a
// survey, and not too early; one that was answered in time has not.
func (r record) judgeEnding(s *sum) {
	t := r.office.t
	t.Helper()
	if r.refused != "" {
		require.Len(t, r.endings, 1, "%s: refused (%s), and not closed\n%s", r.name, r.refused, r.text())
		s.refused++
		return
	}
	if r.answers && len(r.endings) == 0 {
		require.Equal(t, "handling", r.now.State, r.name)
		require.NotNil(t, r.now.WaitingSince, "%s: the customer waits", r.name)
		s.answered++
		return
	}
	require.Len(t, r.endings, 1, "%s: ended once\n%s", r.name, r.text())
	ended := r.endings[0]
	if r.answers {
		require.True(t, ended.Before(r.heardBy), "%s: closed at %s, though the customer had been heard by %s\n%s", r.name, ended, r.heardBy, r.text())
		s.late++
		return
	}
	require.Equal(t, "closed", r.now.State, r.name)
	s.silent++
	require.Len(t, r.origin("survey"), 1, r.name)
	r.judgeReminders()
	r.judgeTimes(ended, s)
}

// judgeReminders: one for each silence. There is an answer between two of them.
func (r record) judgeReminders() {
	t := r.office.t
	t.Helper()
	require.NotEmpty(t, r.origin("reminder"), r.name)
	due := true
	for _, d := range r.books {
		switch d.ContentSHA256 {
		case simulator.TextSHA256(reminder):
			require.True(t, due, "%s: reminded twice of one silence\n%s", r.name, r.text())
			due = false
		case simulator.TextSHA256(survey):
		default:
			due = true
		}
	}
}

// judgeTimes holds the ending against the provider's clock.
func (r record) judgeTimes(ended time.Time, s *sum) {
	t := r.office.t
	t.Helper()
	due := r.start().Add(silence)
	for _, at := range r.delivered(reminder) {
		if at.Before(r.start()) {
			continue // of an earlier silence
		}
		require.False(t, at.Before(due.Add(-clockSteps)), "%s: reminded at %s, before %s\n%s", r.name, at, due, r.text())
		due = at
	}
	require.False(t, ended.Before(due.Add(grace-clockSteps)), "%s: ended at %s, before %s and its grace\n%s", r.name, ended, due, r.text())
	for _, at := range r.delivered(survey) {
		require.False(t, at.Before(ended), "%s: asked at %s, ended at %s", r.name, at, ended)
	}
	r.judgeLateness(ended, s)
}

// recovery is for how long a kill may delay what was due after the part is back:
// an attempt without a sign is found dead after 10 s, so is a step of the run
// itself, and the pauses between attempts that failed have reached 8 s by then.
const recovery = 30 * time.Second

// slowness is how late an ending may be that nothing delays but the machine: all
// conversations fall silent within seconds, and each takes a handful of looks, a
// reminder and a survey. Two busy cores need a fraction of it; an ending that
// was lost, and came only because something else woke its run, needs more.
func (o *office) slowness() time.Duration {
	return 10*time.Second + time.Duration(len(o.talks))*100*time.Millisecond
}

// judgeLateness: what an ending came after its time is explained by kills and
// what follows them, and by outcomes that could not be learned: each message of
// ours after the last that was delivered, and the reminder, may have been waited
// for until it was given up.
func (r record) judgeLateness(ended time.Time, s *sum) {
	t := r.office.t
	t.Helper()
	due := r.start().Add(silence + grace)
	late, at := ended.Sub(due), due
	s.lateness = append(s.lateness, late)
	for _, o := range r.office.outages {
		from, until := o.from, o.until.Add(recovery)
		if from.Before(at) {
			from = at
		}
		if until.After(ended) {
			until = ended
		}
		if until.After(from) {
			late, at = late-until.Sub(from), until
		}
	}
	unlearned := giveUp // the reminder's
	for _, m := range r.origin("agent") {
		if unlearned += giveUp; m.State != "failed" {
			unlearned = giveUp
		}
	}
	s.unexplained = max(s.unexplained, late)
	require.LessOrEqual(t, late, r.office.slowness()+unlearned, "%s: ended at %s, due at %s, outages %v\n%s", r.name, ended, due, r.office.outages, r.text())
}

// clockSteps is by how much a time may be off that came by webhook: WhatsApp's
// know seconds.
const clockSteps = time.Second

// start is when the last word of the agent reached the customer.
func (r record) start() time.Time {
	var last time.Time
	for _, m := range r.sent {
		for _, at := range r.delivered(m.text) {
			last = at
		}
	}
	return last
}

// text is the conversation for a person who looks for what went wrong.
func (r record) text() string {
	var b strings.Builder
	for _, m := range r.messages {
		b.WriteString(m.At.Format("15:04:05.000 ") + m.Direction + " " + m.Origin + " " + m.State + " " + m.Code + " " + m.ProviderID + " " + m.Text + "\n")
	}
	for _, d := range r.books {
		b.WriteString(d.At.Format("15:04:05.000 ") + "delivered " + d.Response + " " + d.ProviderID + " " + d.ContentSHA256[:8] + "\n")
	}
	return b.String()
}
