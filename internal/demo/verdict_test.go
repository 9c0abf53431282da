package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/truth"
)

func TestLastLine(t *testing.T) {
	t.Parallel()
	ok := verdict{took: 42*time.Second + 900*time.Millisecond,
		Comparison: truth.Comparison{Recipients: 5000, Sent: 4500, Failed: 24, Skipped: 470, Unknown: 6, Delivered: 4500},
		group:      groupVerdict{groups: 1, invitations: 3, members: 2, deliveries: 2},
		desk:       deskVerdict{callers: 4, heard: 4, answers: 4, reminders: 1, surveys: 1, endings: 1}}
	tests := []struct {
		name   string
		change func(v *verdict)
		want   string
	}{
		{"ok", func(*verdict) {}, "demo: ok recipients=5000 sent=4500 failed=24 skipped=470 unknown=6 duplicates=0 lost=0 seconds=42"},
		{"duplicates", func(v *verdict) { v.Duplicates = 2 }, "demo: FAILED 2 messages were delivered twice"},
		{"lost", func(v *verdict) { v.Claimed, v.Unsettled = 1, 2 },
			"demo: FAILED 3 recipients were lost (2 without a final state, 0 not in the broadcast, 1 claimed as sent but never delivered)"},
		{"strangers", func(v *verdict) { v.Strangers = 1 }, "demo: FAILED 1 people outside the audience got a message"},
		{"limits", func(v *verdict) { v.violations = 3 }, "demo: FAILED 3 requests broke a channel's limit"},
		{"two groups", func(v *verdict) { v.group.groups = 2 }, "demo: FAILED one request made 2 groups"},
		{"an invitation twice", func(v *verdict) { v.group.invitations = 4 }, "demo: FAILED 3 people got 4 invitations"},
		{"a member missing", func(v *verdict) { v.group.members = 1 }, "demo: FAILED the group has 1 members, not 2"},
		{"a group message twice", func(v *verdict) { v.group.deliveries = 4 }, "demo: FAILED one message reached 2 members 4 times"},
		{"a customer's message twice", func(v *verdict) { v.desk.heard = 5 }, "demo: FAILED 4 customers wrote once, 5 messages were stored"},
		{"an answer lost", func(v *verdict) { v.desk.answers = 3 }, "demo: FAILED 4 customers got 3 answers"},
		{"no ending", func(v *verdict) { v.desk.endings = 0 }, "demo: FAILED one conversation fell silent, 0 endings were logged"},
		{"two surveys", func(v *verdict) { v.desk.surveys = 2 }, "demo: FAILED one conversation fell silent: 1 reminders and 2 surveys were delivered"},
		{"a strange message", func(v *verdict) { v.desk.strange = 1 }, "demo: FAILED 1 messages in conversations that nobody wrote"},
		{"nobody", func(v *verdict) { v.Comparison = truth.Comparison{} }, "demo: FAILED nobody was in the broadcast"},
		{"identity", func(v *verdict) { v.Sent-- },
			"demo: FAILED 5000 recipients, but 4499 sent + 24 failed + 470 skipped + 6 unknown + 0 cancelled"},
		{"cancelled counts", func(v *verdict) { v.Sent--; v.Cancelled++ },
			"demo: ok recipients=5000 sent=4499 failed=24 skipped=470 unknown=6 duplicates=0 lost=0 seconds=42"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := ok
			tt.change(&v)
			require.Equal(t, tt.want, v.lastLine())
		})
	}
	require.Equal(t, "demo: FAILED start worker: exit 1", failed("start worker:\n  exit 1"))
}
