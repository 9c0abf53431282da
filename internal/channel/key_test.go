package channel_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
)

func TestKeyRoundTrip(t *testing.T) {
	t.Parallel()
	for _, attempt := range []int{1, 2, 12345} {
		k := channel.Key{MessageID: uuid.New(), Attempt: attempt}
		got, err := channel.ParseKey(k.String())
		require.NoError(t, err)
		require.Equal(t, k, got)
		require.LessOrEqual(t, len(k.String()), 64)
	}
}

func TestKeyOfOthers(t *testing.T) {
	t.Parallel()
	id := uuid.NewString()
	for _, s := range []string{"", "order-17", "m1", "m1.", "m1." + id, "m1." + id + ".", "m1." + id + ".0",
		"m1." + id + ".-1", "m1." + id + ".x", "m1.nonsense.1", "m2." + id + ".1"} {
		k, err := channel.ParseKey(s)
		require.Error(t, err, s)
		require.True(t, k.IsZero(), s)
	}
}
