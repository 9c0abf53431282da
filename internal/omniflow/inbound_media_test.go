package omniflow

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestRetryInboundFile(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	const day = 24 * time.Hour
	for _, c := range []struct {
		name   string
		tries  int
		age    time.Duration
		counts bool
		after  time.Duration
		want   time.Duration
		again  bool
	}{
		{"the first", 1, 0, true, 0, 5 * time.Second, true},
		{"the second", 2, 0, true, 0, 10 * time.Second, true},
		{"the provider asks for more", 1, 0, true, time.Minute, time.Minute, true},
		{"the eleventh", 11, time.Hour, true, 0, time.Hour, true},
		{"the twelfth is the last", 12, time.Hour, true, 0, 0, false},
		{"an account that is stopped", 500, day, false, 0, 10 * time.Minute, true},
		{"seven days", 2, 7 * day, true, 0, 10 * time.Second, true},
		{"over seven days", 2, 7*day + 1, true, 0, 0, false},
		{"over seven days, stopped", 2, 7*day + 1, false, 0, 0, false},
	} {
		at, again := RetryInboundFile(InboundFile{Tries: c.tries, BornAt: now.Add(-c.age)}, c.counts, c.after, now)
		require.Equal(t, c.again, again, c.name)
		if again {
			require.Equal(t, c.want, at.Sub(now), c.name)
		}
	}
}

func TestMediaIDsOfAMessageDiffer(t *testing.T) {
	t.Parallel()
	id := uuid.New()
	require.Equal(t, InboundFile{MessageID: id}.MediaID(), InboundFile{MessageID: id, Tries: 3}.MediaID())
	require.NotEqual(t, InboundFile{MessageID: id}.MediaID(), InboundFile{MessageID: id, Part: 1}.MediaID())
}
