package omniflow

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRates(t *testing.T) {
	t.Parallel()
	for ch, want := range map[Channel][2]float64{
		WhatsApp: {80, 1000}, LINE: {2000, 2000}, Facebook: {40, 300}, Instagram: {40, 300}, Webchat: {200, 2000}, WeChat: {0, 0},
	} {
		require.Equal(t, want, [2]float64{DefaultRate(ch), MaxRate(ch)}, ch)
	}
	for _, test := range []struct {
		name string
		ch   Channel
		rate float64
		want Code
	}{
		{"the default", WhatsApp, 80, ""},
		{"the maximum", WhatsApp, 1000, ""},
		{"one in 100 s", LINE, 0.01, ""},
		{"over the maximum", WhatsApp, 1000.01, RateInvalid},
		{"Facebook's maximum", Facebook, 300, ""},
		{"over Instagram's", Instagram, 301, RateInvalid},
		{"zero", LINE, 0, RateInvalid},
		{"negative", LINE, -1, RateInvalid},
		{"no number", LINE, math.NaN(), RateInvalid},
		{"infinite", LINE, math.Inf(1), RateInvalid},
		{"minus infinite", LINE, math.Inf(-1), RateInvalid},
		{"a channel that is not sent to", WeChat, 1, RateInvalid},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, code(CheckRate(test.ch, test.rate)))
		})
	}
	require.Nil(t, CheckMulticastRate(200))
	require.Equal(t, RateInvalid, code(CheckMulticastRate(201)))
	require.Equal(t, RateInvalid, code(CheckMulticastRate(math.NaN())))
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	for attempt, want := range map[int]time.Duration{
		-1: time.Second, 0: time.Second, 1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 4: 8 * time.Second, 5: 16 * time.Second,
		6: 32 * time.Second, 7: time.Minute, 8: time.Minute, 63: time.Minute, 1 << 40: time.Minute,
	} {
		require.InDelta(t, want, Backoff(attempt, 0.5), float64(time.Microsecond), attempt)
		require.InDelta(t, want*4/5, Backoff(attempt, 0), float64(time.Microsecond), attempt)
		last := Backoff(attempt, math.Nextafter(1, 0))
		require.InDelta(t, want*6/5, last, float64(time.Microsecond), attempt)
	}
}

func TestPairBackoff(t *testing.T) {
	t.Parallel()
	for refused, want := range map[int]time.Duration{-1: 1, 0: 1, 1: 1, 2: 4, 3: 16, 4: 64, 5: 256, 6: 256, 1 << 40: 256} {
		require.Equal(t, want*time.Second, PairBackoff(refused), refused)
	}
}

func TestLimitsOfSection29(t *testing.T) {
	t.Parallel()
	require.Equal(t, []int{20, 40, 8, 5, 5, 10, 16, 100, 128, 2048, 500, 50, 1000}, []int{MaxBulkTransfer, MaxBulkDelete, MaxGroupMembers,
		MaxCollaborators, MaxBroadcastMessages, MaxProducts, MaxRecentStickers, PixelPageRows, MaxGroupNameBytes,
		MaxGroupDescriptionBytes, MaxLINEGroupMembers, MaxLINEGroupName, MaxLINENote})
	require.Equal(t, []time.Duration{720 * time.Hour, 2160 * time.Hour, 720 * time.Hour}, []time.Duration{MaxTagExport, MaxOrderAge, LINEFileLife})
	require.Equal(t, 5, MaxAttempts)
}
