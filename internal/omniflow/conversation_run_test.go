package omniflow

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// What the Temporal UI shows of a sleeping run is what wakes it, and when.
func TestWhatTheNextLookIsFor(t *testing.T) {
	t.Parallel()
	soon, day := ten.Add(-10*time.Minute), ten.Add(-24*time.Hour)
	for _, test := range []struct {
		name string
		edit func(*ConversationFacts)
		want string
	}{
		{"a wait", func(f *ConversationFacts) { f.WaitingSince = soon }, "customer waits 30 min at 2025-11-20 10:20 UTC"},
		{"a longer one", func(f *ConversationFacts) { f.WaitingSince = ten.Add(-time.Hour) }, "customer waits 2 h at 2025-11-20 11:00 UTC"},
		{"an ending", func(f *ConversationFacts) { f.Silence.RepliedAt = ten.Add(-22 * time.Hour) }, "ends at 2025-11-20 12:00 UTC"},
		{"a reminder", func(f *ConversationFacts) {
			f.Silence.RepliedAt, f.Silence.Rule.Reminder = ten.Add(-22*time.Hour), "?"
		}, "reminder at 2025-11-20 12:00 UTC"},
		{"after the reminder", func(f *ConversationFacts) {
			f.Silence.RepliedAt, f.Silence.Rule.Reminder = day, "?"
			f.Silence.RemindedAt, f.Silence.ReminderSettled, f.Silence.ReminderSentAt = ten, true, ten
		}, "ends at 2025-11-20 10:02 UTC"},
		{"a window", func(f *ConversationFacts) { f.Channel = WhatsApp }, "window closes at 2025-11-21 09:00 UTC"},
		{"Facebook's first", func(f *ConversationFacts) { f.Channel = Facebook }, "window closes for what is promotional at 2025-11-21 09:00 UTC"},
		{"Facebook's second", func(f *ConversationFacts) {
			last := ten.Add(-7*24*time.Hour + time.Hour)
			f.Channel, f.LastCustomerAt = Facebook, &last
		},
			"window closes at 2025-11-20 11:00 UTC"},
		{"a message that waits", func(f *ConversationFacts) {
			f.Messages = []ServedMessage{{ID: uuid.New(), SenderID: jess, Origin: OriginAgent, State: Queued, DueAt: ten.Add(time.Minute)}}
		}, "message due at 2025-11-20 10:01 UTC"},
		{"nothing", func(*ConversationFacts) {}, "a change; looks anyhow at 2025-11-21 10:00 UTC"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := handled(test.edit)
			require.Equal(t, test.want, f.Plan(ten).Turn(f, ten).Awaits(f.Channel))
		})
	}
	require.Equal(t, "messages on their way", ConversationTurn{Queued: 1, For: LookMessage}.Awaits(LINE), "more than one attempt hands over")
	require.Equal(t, "a change", ConversationTurn{}.Awaits(LINE))
}
