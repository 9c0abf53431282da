package omniflow

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

var jess, amy = uuid.New(), uuid.New()

// handled is a conversation on LINE that Jess handles, with automatic ending
// after 24 h.
func handled(edit ...func(*ConversationFacts)) ConversationFacts {
	rule, wrote := dailyClose(), ten.Add(-time.Hour)
	f := ConversationFacts{Channel: LINE, Type: OneToOne, State: Handling, FollowerID: jess, LastCustomerAt: &wrote, ReconcileAfter: 10 * time.Minute,
		Silence: Silence{Rule: &rule, Zone: time.UTC}}
	for _, e := range edit {
		e(&f)
	}
	return f
}

func reply(sender uuid.UUID, at time.Time) ServedMessage {
	return ServedMessage{ID: uuid.New(), SenderID: sender, Origin: OriginAgent, State: Sent, SentAt: at, AttemptedAt: at}
}

func TestEX126TheLastHumanReplyCounts(t *testing.T) {
	t.Parallel()
	f := handled(func(f *ConversationFacts) {
		f.Messages = []ServedMessage{reply(jess, ten), reply(amy, ten.Add(2*time.Hour))}
	})
	p := f.Plan(ten.Add(3 * time.Hour))
	require.Equal(t, ten.Add(2*time.Hour), p.RepliedAt, "a collaborator's reply counts (CLS-02)")
	require.Equal(t, ten.Add(26*time.Hour), p.ClosesAt)
	require.Len(t, p.Replied, 2)
	f.Messages, f.Silence.RepliedAt = nil, p.RepliedAt
	p = f.Plan(ten.Add(26*time.Hour - time.Second))
	require.Equal(t, ServeNothing, p.Step)
	require.Equal(t, ten.Add(26*time.Hour), p.Next)
	require.Equal(t, ServeEnding, f.Plan(ten.Add(26*time.Hour)).Step)
	f.FollowerID = amy
	require.Equal(t, ServeEnding, f.Plan(ten.Add(26*time.Hour)).Step, "a transfer does not reset the timer (D-CLS-4)")
}

func TestEX127ACustomerMessageCancels(t *testing.T) {
	t.Parallel()
	f := handled(func(f *ConversationFacts) {
		f.Silence.RepliedAt, f.WaitingSince = ten, ten.Add(24*time.Hour-time.Minute)
	})
	p := f.Plan(ten.Add(24 * time.Hour))
	require.Equal(t, ServeNothing, p.Step)
	require.Zero(t, p.ClosesAt)
	require.Equal(t, f.WaitingSince.Add(30*time.Minute), p.Next)
}

func TestReminderThenGraceThenEnding(t *testing.T) {
	t.Parallel()
	f := handled(func(f *ConversationFacts) { f.Silence.RepliedAt, f.Silence.Rule.Reminder = ten, "?" })
	end := ten.Add(24 * time.Hour)
	require.Equal(t, end.Add(2*time.Minute), f.Plan(ten).ClosesAt)
	require.Equal(t, ServeReminder, f.Plan(end).Step)
	f.Silence.RemindedAt = end
	require.Equal(t, end.Add(2*time.Minute+ReminderPatience), f.Plan(end).Next, "not sent yet")
	f.Silence.ReminderSettled, f.Silence.ReminderSentAt = true, end.Add(3*time.Second)
	p := f.Plan(end.Add(2 * time.Minute))
	require.Equal(t, ServeNothing, p.Step)
	require.Equal(t, end.Add(2*time.Minute+3*time.Second), p.Next)
	require.Equal(t, ServeEnding, f.Plan(p.Next).Step)
	f.Silence.ReminderSentAt = time.Time{}
	require.Equal(t, ServeEnding, f.Plan(end.Add(2*time.Minute)).Step, "a reminder that failed does not stop the ending")
	f.Silence.RepliedAt = end.Add(time.Minute)
	require.Equal(t, end.Add(time.Minute+24*time.Hour+2*time.Minute), f.Plan(end.Add(2*time.Minute)).ClosesAt, "a reply begins another silence, with a reminder of its own")
}

func TestNoReminderOutsideTheWindow(t *testing.T) {
	t.Parallel()
	f := handled(func(f *ConversationFacts) {
		f.Channel, f.Silence.RepliedAt, f.Silence.Rule.Reminder = WhatsApp, ten, "?"
	})
	require.Equal(t, ServeEnding, f.Plan(ten.Add(24*time.Hour)).Step, "the customer wrote 25 h ago (D-CLS-2)")
	f.Silence.Rule.Duration = time.Hour
	require.Equal(t, ServeReminder, f.Plan(ten.Add(time.Hour)).Step)
}

func TestEndingWaits(t *testing.T) {
	t.Parallel()
	end := ten.Add(24 * time.Hour)
	for _, c := range []struct {
		name string
		edit func(*ConversationFacts)
		step ServeStep
		next time.Duration // after end
	}{
		{"due", func(*ConversationFacts) {}, ServeEnding, LookAtLeast},
		{"pinned, but not excluded", func(f *ConversationFacts) { f.Silence.Pinned = true }, ServeEnding, LookAtLeast},
		{"pinned and excluded", func(f *ConversationFacts) { f.Silence.Pinned, f.Silence.Rule.ExcludePinned = true, true }, ServeNothing, LookAtLeast},
		{"unpinned an hour ago", func(f *ConversationFacts) {
			f.Silence.Rule.ExcludePinned, f.Silence.From = true, end.Add(-time.Hour)
		}, ServeNothing, 23 * time.Hour},
		{"quiet hours", func(f *ConversationFacts) { f.Silence.Rule.Quiet = &QuietHours{9 * time.Hour, 12 * time.Hour} }, ServeNothing, 2 * time.Hour},
		{"off", func(f *ConversationFacts) { f.Silence.Rule.Enabled = false }, ServeNothing, LookAtLeast},
		{"no setting", func(f *ConversationFacts) { f.Silence.Rule = nil }, ServeNothing, LookAtLeast},
		{"nobody has replied", func(f *ConversationFacts) { f.Silence.RepliedAt = time.Time{} }, ServeNothing, LookAtLeast},
		{"pending", func(f *ConversationFacts) { f.State = PendingHuman }, ServeNothing, LookAtLeast},
		{"a reply is accepted", func(f *ConversationFacts) {
			f.Messages = []ServedMessage{{ID: uuid.New(), SenderID: jess, Origin: OriginAgent, State: Queued, DueAt: end.Add(time.Second)}}
		}, ServeNothing, time.Second},
		{"an automatic reply is not a human one", func(f *ConversationFacts) {
			f.Messages = []ServedMessage{{ID: uuid.New(), Origin: OriginAutoReply, State: Sent, SentAt: end.Add(-time.Minute)}}
		}, ServeEnding, LookAtLeast},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := handled(func(f *ConversationFacts) { f.Silence.RepliedAt = ten }, c.edit).Plan(end)
			require.Equal(t, c.step, p.Step)
			require.Equal(t, end.Add(c.next), p.Next)
		})
	}
}

func TestRepliesClearTheWait(t *testing.T) {
	t.Parallel()
	waits := func(f *ConversationFacts) { f.WaitingSince = ten }
	at := ten.Add(70 * time.Minute)
	f := handled(waits, func(f *ConversationFacts) { f.Messages = []ServedMessage{reply(jess, at)} })
	p := f.Plan(at)
	require.Equal(t, WaitingNone, p.Level, "EX-041")
	require.Zero(t, p.WaitingSince)
	require.Equal(t, f.Messages[0].ID, p.Replied[0])

	f.WroteAfter = ten.Add(71 * time.Minute)
	require.Equal(t, f.WroteAfter, f.Plan(at.Add(time.Hour)).WaitingSince, "what came in after the reply is not answered")

	f = handled(waits, func(f *ConversationFacts) {
		failed := reply(jess, time.Time{})
		failed.State = Failed
		f.Messages = []ServedMessage{failed, {ID: uuid.New(), Origin: OriginAutoReply, State: Sent, SentAt: at}, {ID: uuid.New(), Origin: OriginReminder, State: Sent, SentAt: at}}
	})
	p = f.Plan(at)
	require.Equal(t, WaitingOver1h, p.Level, "WTG-02, D-WTG-3, D-WTG-4")
	require.Empty(t, p.Replied)
	require.Len(t, p.Done, 3)
}

func TestMessagesLeaveInOrderOfEachSender(t *testing.T) {
	t.Parallel()
	message := func(sender uuid.UUID, origin Origin, state MessageState, due time.Duration) ServedMessage {
		return ServedMessage{ID: uuid.New(), SenderID: sender, Origin: origin, State: state, DueAt: ten.Add(due), AttemptedAt: ten.Add(-time.Minute)}
	}
	first, second := message(jess, OriginAgent, Queued, 0), message(jess, OriginAgent, Queued, 0)
	other, survey := message(amy, OriginAgent, Queued, 0), message(uuid.Nil, OriginSurvey, Queued, 0)
	p := handled(func(f *ConversationFacts) { f.Messages = []ServedMessage{first, second, other, survey} }).Plan(ten)
	require.Equal(t, []uuid.UUID{first.ID, other.ID}, p.Due, "D-MSG-1")
	require.Equal(t, 4, p.Queued)

	first.DueAt = ten.Add(5 * time.Second)
	p = handled(func(f *ConversationFacts) { f.Messages = []ServedMessage{first, second} }).Plan(ten)
	require.Empty(t, p.Due, "the second waits while the first backs off")
	require.Equal(t, first.DueAt, p.Next)

	unknown := message(jess, OriginAgent, Unknown, 9*time.Minute)
	f := handled(func(f *ConversationFacts) { f.Messages = []ServedMessage{unknown, second, survey} })
	p = f.Plan(ten)
	require.Empty(t, p.Due)
	require.Equal(t, ten.Add(9*time.Minute), p.Next)
	p = f.Plan(ten.Add(9 * time.Minute))
	require.Equal(t, []uuid.UUID{unknown.ID, second.ID}, p.Due, "its outcome is decided, and it holds up nobody any more")

	sending := message(jess, OriginAgent, Sending, 0)
	p = handled(func(f *ConversationFacts) { f.Messages = []ServedMessage{sending, second} }).Plan(ten)
	require.Equal(t, []uuid.UUID{sending.ID}, p.Due, "left by who died: the claim says what became of it")
}

func TestAnEndingHasOneSurvey(t *testing.T) {
	t.Parallel()
	f := handled(func(f *ConversationFacts) {
		f.State, f.ClosedAt, f.Survey, f.WaitingSince, f.Silence.RepliedAt = Closed, ten, Survey{Text: "?"}, ten, ten
	})
	p := f.Plan(ten)
	require.Equal(t, ServeSurvey, p.Step)
	require.False(t, p.Over)
	require.Zero(t, p.WaitingSince)
	f.SurveyedAt = ten
	require.True(t, f.Plan(ten).Over)
	f.Survey, f.SurveyedAt = Survey{}, time.Time{}
	require.Equal(t, ServeNoSurvey, f.Plan(ten).Step)
	f.State = NoConversation
	require.True(t, f.Plan(ten).Over)
	f.Messages = []ServedMessage{{ID: uuid.New(), Origin: OriginSurvey, State: Queued}}
	p = f.Plan(ten)
	require.False(t, p.Over)
	require.Len(t, p.Due, 1)
}

// A run looks when the window changes and not at every message: the input hint
// of 24 h and of 7 days is found by one look each (section 12).
func TestALookWhenTheWindowChanges(t *testing.T) {
	t.Parallel()
	wrote := ten.Add(-time.Hour)
	f := ConversationFacts{Channel: Facebook, Type: OneToOne, State: Handling, LastCustomerAt: &wrote, ReconcileAfter: time.Minute}
	for _, row := range []struct {
		name string
		at   time.Time
		is   Bracket
		next time.Time
	}{
		{"within 24 h", ten, Open, wrote.Add(day)},
		{"24 h 0 s", wrote.Add(day), Open, wrote.Add(day)},
		{"24 h 1 s", wrote.Add(day + time.Second), NonPromotional, wrote.Add(day + time.Second + LookAtLeast)},
		{"6 d 12 h", wrote.Add(156 * time.Hour), NonPromotional, wrote.Add(7 * day)},
		{"7 d 0 s", wrote.Add(7 * day), NonPromotional, wrote.Add(7 * day)},
		{"7 d 1 s", wrote.Add(7*day + time.Second), Blocked, wrote.Add(7*day + time.Second + LookAtLeast)},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := f.Plan(row.at)
			require.Equal(t, row.is, p.Turn(f, row.at).Window)
			require.WithinDuration(t, row.next, p.Next, time.Millisecond)
		})
	}
}

// What a run is told at its opening is what its first look would have found,
// whatever the team's rules of automatic ending are.
func TestOpeningIsWhatALookFinds(t *testing.T) {
	t.Parallel()
	for _, ch := range []Channel{LINE, WhatsApp, Facebook, Instagram, Webchat} {
		for _, state := range []ConversationState{PendingBot, PendingHuman, Handling} {
			for _, waited := range []time.Duration{0, time.Minute, 40 * time.Minute, 3 * time.Hour} {
				since := ten.Add(-waited)
				f := handled(func(f *ConversationFacts) {
					f.Channel, f.State, f.LastCustomerAt, f.WaitingSince = ch, state, &since, since
					f.Silence.RepliedAt = since.Add(-30 * day)
				})
				talk := Talk{Type: OneToOne, State: state, FollowerID: f.FollowerID, LastCustomerAt: since, WaitingSince: since}
				require.Equal(t, f.Plan(ten).Turn(f, ten), talk.Opening(ch, ten), "%s %s %s", ch, state, waited)
			}
		}
	}
}
