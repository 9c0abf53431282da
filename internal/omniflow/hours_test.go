package omniflow

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHours(t *testing.T) {
	t.Parallel()
	day := &Hours{From: "09:00", To: "21:00", Timezone: "Asia/Taipei"}
	night := &Hours{From: "22:00", To: "06:00", Timezone: "Asia/Taipei"}
	berlin := &Hours{From: "02:30", To: "12:00", Timezone: "Europe/Berlin"}
	at := func(s string) time.Time {
		tm, err := time.Parse(time.RFC3339, s)
		require.NoError(t, err)
		return tm
	}
	for _, c := range []struct {
		name, now, opens string // opens "": it is open
		hours            *Hours
		left             time.Duration
	}{
		{"no hours", "2026-05-04T03:00:00Z", "", nil, 24 * time.Hour},
		{"in the day", "2026-05-04T10:00:00+08:00", "", day, 11 * time.Hour},
		{"the first moment", "2026-05-04T09:00:00+08:00", "", day, 12 * time.Hour},
		{"the moment before", "2026-05-04T08:59:59+08:00", "2026-05-04T09:00:00+08:00", day, 0},
		{"the last moment is outside", "2026-05-04T21:00:00+08:00", "2026-05-05T09:00:00+08:00", day, 0},
		{"a second before the end", "2026-05-04T20:59:59+08:00", "", day, time.Second},
		{"another day there than in UTC", "2026-05-04T23:30:00Z", "2026-05-05T09:00:00+08:00", day, 0},
		{"after midnight", "2026-05-04T01:00:00+08:00", "", night, 5 * time.Hour},
		{"before midnight", "2026-05-04T23:00:00+08:00", "", night, 7 * time.Hour},
		{"the day of a night", "2026-05-04T12:00:00+08:00", "2026-05-04T22:00:00+08:00", night, 0},
		{"the end of a year", "2026-12-31T21:00:00+08:00", "2027-01-01T09:00:00+08:00", day, 0},
		{"the clock is put forward over the beginning", "2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00", berlin, 0},
		{"an hour that comes twice begins the second time", "2026-10-25T02:45:00+02:00", "2026-10-25T02:30:00+01:00", berlin, 0},
		{"and lasts as long as the clock says", "2026-10-25T02:45:00+01:00", "", berlin, 9*time.Hour + 15*time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			now, want := at(c.now), (*time.Time)(nil)
			if c.opens != "" {
				opens := at(c.opens).UTC()
				want = &opens
			}
			require.Equal(t, want, c.hours.OpensAt(now))
			require.Equal(t, c.left, c.hours.Left(now, 24*time.Hour))
		})
	}
	require.Equal(t, time.Minute, day.Left(at("2026-05-04T10:00:00+08:00"), time.Minute))
	require.Equal(t, at("2026-05-04T12:00:00Z").UTC(), (*Hours)(nil).After(at("2026-05-04T10:00:00Z"), 2*time.Hour))
	require.Equal(t, at("2026-05-05T10:00:00+08:00").UTC(), day.After(at("2026-05-04T20:00:00+08:00"), 2*time.Hour).UTC(), "an hour today, an hour tomorrow")
	require.Equal(t, at("2026-05-05T10:00:00+08:00").UTC(), day.After(at("2026-05-04T22:00:00+08:00"), time.Hour).UTC())
}

func TestHoursAreChecked(t *testing.T) {
	t.Parallel()
	require.Nil(t, (*Hours)(nil).Check())
	for _, h := range []Hours{{From: "09:00", To: "21:00"}, {From: "22:00", To: "06:00", Timezone: "Asia/Hong_Kong"}} {
		require.Nil(t, h.Check())
	}
	for name, h := range map[string]Hours{
		"nothing": {}, "no end": {From: "09:00"}, "the same": {From: "09:00", To: "09:00"}, "25 o'clock": {From: "25:00", To: "21:00"},
		"seconds": {From: "09:00:00", To: "21:00"}, "no zone": {From: "09:00", To: "21:00", Timezone: "Mars/Base"}, "the machine's": {From: "09:00", To: "21:00", Timezone: "Local"},
	} {
		require.Equal(t, InvalidInput, code(h.Check()), name)
	}
}
