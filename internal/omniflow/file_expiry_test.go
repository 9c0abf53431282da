package omniflow

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestFIL07 is the table of FIL-07, in the team's zone.
func TestFIL07(t *testing.T) {
	t.Parallel()
	taipei := time.FixedZone("UTC+8", 8*60*60)
	for _, row := range []struct{ name, uploaded, expires string }{
		{"EX-070 the seed's example", "2025-09-15 11:49:00", "2025-10-16 08:00:00"},
		{"the last second of a day in UTC", "2025-09-16 07:59:59", "2025-10-16 08:00:00"},
		{"D-FIL-1 midnight itself", "2025-09-16 08:00:00", "2025-10-16 08:00:00"},
		{"EX-071 a second later", "2025-09-16 08:00:01", "2025-10-17 08:00:00"},
		{"over a short month", "2025-01-31 10:00:00", "2025-03-03 08:00:00"},
		{"over a leap day", "2024-02-10 09:00:00", "2024-03-12 08:00:00"},
	} {
		uploaded, err := time.ParseInLocation(time.DateTime, row.uploaded, taipei)
		require.NoError(t, err)
		require.Equal(t, row.expires, FileExpiry(uploaded).In(taipei).Format(time.DateTime), row.name)
	}
}

func TestWhichFilesExpire(t *testing.T) {
	t.Parallel()
	require.True(t, FileExpires(LINE, OneToOne, File, false, false), "FIL-05")
	require.False(t, FileExpires(LINE, OneToOne, File, true, false), "EX-073 in a broadcast")
	require.False(t, FileExpires(LINE, OneToOne, File, false, true), "EX-073 from a saved reply")
	require.False(t, FileExpires(LINE, LINEGroup, File, false, false), "D-FIL-5")
	require.False(t, FileExpires(LINE, OneToOne, Image, false, false))
	require.False(t, FileExpires(Facebook, OneToOne, File, false, false))
}
