package omniflow

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func dailyClose(edit ...func(*AutoCloseRule)) AutoCloseRule {
	r := AutoCloseRule{ID: uuid.New(), Name: "all", Channels: []Channel{LINE}, Enabled: true, Duration: DefaultAutoClose, Grace: DefaultGrace}
	for _, e := range edit {
		e(&r)
	}
	return r
}

func TestAutoCloseRuleCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		edit func(*AutoCloseRule)
		want Code
	}{
		{"default", func(*AutoCloseRule) {}, ""},
		{"no name", func(r *AutoCloseRule) { r.Name = " " }, InvalidInput},
		{"no channel", func(r *AutoCloseRule) { r.Channels = nil }, InvalidInput},
		{"webchat", func(r *AutoCloseRule) { r.Channels = []Channel{Webchat} }, InvalidInput},
		{"no duration", func(r *AutoCloseRule) { r.Duration = 0 }, AutoCloseDurationInvalid},
		{"negative", func(r *AutoCloseRule) { r.Duration = -time.Hour }, AutoCloseDurationInvalid},
		{"30 days", func(r *AutoCloseRule) { r.Duration = MaxAutoClose }, ""},
		{"over 30 days", func(r *AutoCloseRule) { r.Duration = MaxAutoClose + time.Second }, AutoCloseDurationInvalid},
		{"no grace", func(r *AutoCloseRule) { r.Grace = 0 }, AutoCloseDurationInvalid},
		{"WeChat", func(r *AutoCloseRule) { r.Channels = []Channel{WeChat} }, ""},
		{"a reminder on WeChat", func(r *AutoCloseRule) { r.Channels, r.Reminder = []Channel{LINE, WeChat}, "x" }, AutoCloseReminderUnsupported},
		{"a reminder too long", func(r *AutoCloseRule) {
			r.Channels, r.Reminder = []Channel{Instagram}, long(1001)
		}, MessageTooLong},
		{"quiet hours", func(r *AutoCloseRule) { r.Quiet = &QuietHours{22 * time.Hour, 8 * time.Hour} }, ""},
		{"quiet hours of no length", func(r *AutoCloseRule) { r.Quiet = &QuietHours{time.Hour, time.Hour} }, InvalidInput},
		{"quiet hours past midnight", func(r *AutoCloseRule) { r.Quiet = &QuietHours{time.Hour, 24 * time.Hour} }, InvalidInput},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			no := dailyClose(c.edit).Check()
			if c.want == "" {
				require.Nil(t, no)
				return
			}
			require.NotNil(t, no)
			require.Equal(t, c.want, no.Code)
		})
	}
}

func long(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a'
	}
	return string(b)
}

func TestAChannelIsInOneGroup(t *testing.T) {
	t.Parallel()
	a, b := dailyClose(), dailyClose(func(r *AutoCloseRule) { r.Channels = []Channel{Facebook, LINE} })
	require.Equal(t, AutoCloseChannelTaken, b.Conflict([]AutoCloseRule{a}).Code)
	require.Nil(t, a.Conflict([]AutoCloseRule{a}), "a rule does not conflict with itself")
}

func TestQuietHours(t *testing.T) {
	t.Parallel()
	taipei, err := time.LoadLocation("Asia/Taipei")
	require.NoError(t, err)
	at := func(d, h, m, s int) time.Time { return time.Date(2025, 11, d, h, m, s, 0, taipei) }
	night, noon := &QuietHours{22 * time.Hour, 8*time.Hour + 30*time.Minute}, &QuietHours{12 * time.Hour, 13 * time.Hour}
	for _, c := range []struct {
		name     string
		q        *QuietHours
		at, want time.Time
	}{
		{"none", nil, at(20, 23, 0, 0), at(20, 23, 0, 0)},
		{"a second before", night, at(20, 21, 59, 59), at(20, 21, 59, 59)},
		{"begins", night, at(20, 22, 0, 0), at(21, 8, 30, 0)},
		{"before midnight", night, at(30, 23, 0, 0), at(31, 8, 30, 0)},
		{"after midnight", night, at(21, 1, 0, 0), at(21, 8, 30, 0)},
		{"a second before the end", night, at(21, 8, 29, 59), at(21, 8, 30, 0)},
		{"ends", night, at(21, 8, 30, 0), at(21, 8, 30, 0)},
		{"within a day", noon, at(20, 12, 30, 0), at(20, 13, 0, 0)},
		{"after noon", noon, at(20, 13, 0, 0), at(20, 13, 0, 0)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.True(t, c.want.Equal(c.q.After(c.at.UTC(), taipei)), "%s", c.q.After(c.at, taipei))
		})
	}
}

func TestSurvey(t *testing.T) {
	t.Parallel()
	now, wrote := ten, ten.Add(-24*time.Hour)
	longAgo := wrote.Add(-time.Second)
	for _, c := range []struct {
		name string
		s    Survey
		ch   Channel
		typ  ConversationType
		last *time.Time
		want bool
	}{
		{"every channel", Survey{Text: "?"}, Webchat, OneToOne, nil, true},
		{"none", Survey{}, LINE, OneToOne, nil, false},
		{"another channel", Survey{Text: "?", Channels: []Channel{LINE}}, Facebook, OneToOne, &now, false},
		{"WhatsApp at 24 h 0 s", Survey{Text: "?"}, WhatsApp, OneToOne, &wrote, true},
		{"WhatsApp at 24 h 1 s", Survey{Text: "?"}, WhatsApp, OneToOne, &longAgo, false},
		{"Facebook at 24 h 1 s", Survey{Text: "?"}, Facebook, OneToOne, &longAgo, false},
		{"LINE has no window", Survey{Text: "?"}, LINE, OneToOne, &longAgo, true},
		{"a group", Survey{Text: "?"}, WhatsApp, WhatsAppGroup, &now, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, c.s.Applies(c.ch, c.typ, c.last, now))
		})
	}
	require.Nil(t, Survey{}.Check())
	require.Nil(t, Survey{Text: "ok"}.Check())
	require.Equal(t, MessageTooLong, Survey{Text: long(1001)}.Check().Code, "too long for Instagram")
	require.Nil(t, Survey{Text: long(1001), Channels: []Channel{LINE}}.Check())
	require.Equal(t, InvalidInput, Survey{Text: "ok", Channels: []Channel{"fax"}}.Check().Code)
}
