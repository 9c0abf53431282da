package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLastLine(t *testing.T) {
	t.Parallel()
	ok := verdict{took: 42*time.Second + 900*time.Millisecond,
		comparison: comparison{recipients: 5000, sent: 4500, failed: 24, skipped: 470, unknown: 6, delivered: 4500}}
	tests := []struct {
		name   string
		change func(v *verdict)
		want   string
	}{
		{"ok", func(*verdict) {}, "demo: ok recipients=5000 sent=4500 failed=24 skipped=470 unknown=6 duplicates=0 lost=0 seconds=42"},
		{"duplicates", func(v *verdict) { v.duplicates = 2 }, "demo: FAILED 2 messages were delivered twice"},
		{"limits", func(v *verdict) { v.violations = 3 }, "demo: FAILED 3 requests broke a channel's limit"},
		{"nobody", func(v *verdict) { v.comparison = comparison{} }, "demo: FAILED nobody was in the broadcast"},
		{"identity", func(v *verdict) { v.sent-- },
			"demo: FAILED 5000 recipients, but 4499 sent + 24 failed + 470 skipped + 6 unknown + 0 cancelled"},
		{"cancelled counts", func(v *verdict) { v.sent--; v.cancelled++ },
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
