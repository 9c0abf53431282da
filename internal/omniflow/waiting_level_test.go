package omniflow

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ten is 10:00 of the day of the worked examples.
var ten = time.Date(2025, 11, 20, 10, 0, 0, 0, time.UTC)

func TestWaitingLevelOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		state ConversationState
		after time.Duration
		want  WaitingLevel
		next  time.Duration // 0: never
	}{
		{"EX-040 just written", PendingHuman, 0, WaitingNone, 30 * time.Minute},
		{"EX-040 a second early", PendingHuman, 30*time.Minute - time.Second, WaitingNone, 30 * time.Minute},
		{"EX-040 10:30", PendingHuman, 30 * time.Minute, WaitingOver30m, time.Hour},
		{"EX-040 11:00", Handling, time.Hour, WaitingOver1h, 2 * time.Hour},
		{"EX-040 12:00", Handling, 2 * time.Hour, WaitingOver2h, 0},
		{"EX-042 in pending_bot at 10:40", PendingBot, 40 * time.Minute, WaitingNone, 0},
		{"EX-042 pending_human at 10:45", PendingHuman, 45 * time.Minute, WaitingOver30m, time.Hour},
		{"closed", Closed, 3 * time.Hour, WaitingNone, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, next := WaitingLevelOf(c.state, ten, ten.Add(c.after))
			require.Equal(t, c.want, got)
			want := time.Time{}
			if c.next > 0 {
				want = ten.Add(c.next)
			}
			require.Equal(t, want, next)
		})
	}
	level, next := WaitingLevelOf(Handling, time.Time{}, ten)
	require.Equal(t, WaitingNone, level, "EX-041 nobody waits")
	require.Zero(t, next)
	require.Equal(t, "over_1h", WaitingOver1h.String())
}
