package omniflow

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestWhyALaneIsNotMoving(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC)
	in := func(d time.Duration) *time.Time { at := now.Add(d); return &at }
	who := uuid.MustParse("00000000-0000-0000-0000-000000000007")
	sending := func(change func(*LaneFacts)) LaneFacts {
		f := LaneFacts{Tally: Tally{Planned: 1000, Queued: 800, Sent: 200}, Control: Running, Limiter: MessagesLimiter, RateNow: 80,
			BeatAt: in(-time.Second), PlannedAt: in(-time.Hour)}
		change(&f)
		return f
	}
	for _, c := range []struct {
		name  string
		facts LaneFacts
		want  Waiting
		text  string
	}{
		{"it moves", sending(func(*LaneFacts) {}), Waiting{}, ""},
		{"all settled", sending(func(f *LaneFacts) { f.Tally = Tally{Planned: 5, Sent: 5}; f.Control = Paused }), Waiting{}, ""},
		{"limited by our own limiter", sending(func(f *LaneFacts) { f.Booked = time.Millisecond }),
			Waiting{Kind: WaitLimit, Until: in(10 * time.Second), Limiter: MessagesLimiter, Rows: 800}, "limited by messages until 09:30:10"},
		{"limited multicast: 800 rows are two calls", sending(func(f *LaneFacts) { f.Booked, f.Limiter, f.RateNow = 1, MulticastLimiter, 2 }),
			Waiting{Kind: WaitLimit, Until: in(time.Second), Limiter: MulticastLimiter, Rows: 800}, "limited by multicast until 09:30:01"},
		{"throttled by the provider", sending(func(f *LaneFacts) { f.ClosedUntil, f.ThrottleCode = in(time.Minute), "130429" }),
			Waiting{Kind: WaitThrottle, Until: in(time.Minute), Code: "130429", Limiter: MessagesLimiter, Rows: 800}, "throttled until 09:31:00 (130429)"},
		{"a throttle that is over", sending(func(f *LaneFacts) { f.ClosedUntil = in(-time.Second) }), Waiting{}, ""},
		{"paused by whom since when", sending(func(f *LaneFacts) {
			f.Control, f.ControlReason, f.ControlBy, f.ControlAt = Paused, "lunch", &who, in(-time.Minute)
		}),
			Waiting{Kind: WaitPaused, By: &who, Since: in(-time.Minute), Code: "lunch", Rows: 800}, "paused since 09:29:00 (lunch)"},
		{"stopped by a code of the account", sending(func(f *LaneFacts) { f.StopCode, f.StoppedAt, f.Control = "190", in(-time.Minute), Paused }),
			Waiting{Kind: WaitStopped, Code: "190", Since: in(-time.Minute), Rows: 800}, "stopped since 09:29:00 (190)"},
		{"stopped by the failure rate", sending(func(f *LaneFacts) { f.Control, f.ControlReason, f.ControlAt = Stopped, "failure_rate", in(0) }),
			Waiting{Kind: WaitStopped, Code: "failure_rate", Since: in(0), Rows: 800}, "stopped since 09:30:00 (failure_rate)"},
		{"waiting for webhooks", sending(func(f *LaneFacts) { f.Tally, f.NextProof = Tally{Planned: 5, Sent: 3, Unknown: 2}, in(time.Minute) }),
			Waiting{Kind: WaitWebhooks, Until: in(time.Minute), Rows: 2}, "waiting for webhooks about 2 until 09:31:00"},
		{"backing off", sending(func(f *LaneFacts) { f.BackingOff, f.NextDue, f.BeatAt = 800, in(8*time.Second), in(-time.Hour) }),
			Waiting{Kind: WaitBackoff, Until: in(8 * time.Second), Rows: 800}, "800 backing off until 09:30:08"},
		{"outside the hours of the broadcast", sending(func(f *LaneFacts) { f.OpensAt, f.BackingOff, f.BeatAt = in(time.Hour), 800, in(-time.Hour) }),
			Waiting{Kind: WaitHours, Until: in(time.Hour), Rows: 800}, "outside its hours until 10:30:00"},
		{"paused outside the hours", sending(func(f *LaneFacts) { f.OpensAt, f.Control, f.ControlReason = in(time.Hour), Paused, "lunch" }),
			Waiting{Kind: WaitPaused, Code: "lunch", Rows: 800}, "paused (lunch)"},
		{"some back off, others move", sending(func(f *LaneFacts) { f.BackingOff = 799 }), Waiting{}, ""},
		{"no worker", sending(func(f *LaneFacts) { f.BeatAt = in(-16 * time.Second) }),
			Waiting{Kind: WaitWorker, Since: in(-16 * time.Second), Rows: 800}, "no worker since 09:29:44"},
		{"no worker, not even in the throttle", sending(func(f *LaneFacts) { f.BeatAt, f.ClosedUntil = in(-time.Minute), in(time.Minute) }),
			Waiting{Kind: WaitWorker, Since: in(-time.Minute), Rows: 800}, "no worker since 09:29:00"},
		{"resumed just now", sending(func(f *LaneFacts) { f.BeatAt, f.ControlAt = in(-time.Hour), in(-time.Second) }), Waiting{}, ""},
		{"planned just now", sending(func(f *LaneFacts) { f.BeatAt, f.PlannedAt = nil, in(-time.Second) }), Waiting{}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := c.facts.Waiting(now)
			require.Equal(t, c.want, got)
			require.Equal(t, c.text, got.String())
		})
	}
}

func TestWhyABroadcastHasNoLanes(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC)
	in := func(d time.Duration) *time.Time { at := now.Add(d); return &at }
	for _, c := range []struct {
		name  string
		facts StartFacts
		want  Waiting
	}{
		{"just accepted", StartFacts{State: BroadcastAccepted, CreatedAt: now}, Waiting{}},
		{"accepted, and nobody came", StartFacts{State: BroadcastAccepted, CreatedAt: *in(-time.Minute)}, Waiting{Kind: WaitWorker, Since: in(-time.Minute)}},
		{"planning takes its time", StartFacts{State: BroadcastPlanning, CreatedAt: *in(-time.Hour)}, Waiting{}},
		{"scheduled", StartFacts{State: BroadcastScheduled, CreatedAt: *in(-time.Hour), StartAt: in(time.Hour)}, Waiting{Kind: WaitStart, Until: in(time.Hour)}},
		{"its time has come, and nobody", StartFacts{State: BroadcastScheduled, CreatedAt: *in(-2 * time.Hour), StartAt: in(-time.Hour)}, Waiting{Kind: WaitWorker, Since: in(-time.Hour)}},
		{"paused before its start", StartFacts{State: BroadcastScheduled, StartAt: in(time.Hour), Control: Paused, Reason: "r", At: in(0)}, Waiting{Kind: WaitPaused, Code: "r", Since: in(0)}},
		{"too late", StartFacts{State: BroadcastApproval, StartAt: in(-time.Hour)}, Waiting{Kind: WaitApproval, Since: in(-time.Hour)}},
		{"cancelled", StartFacts{State: BroadcastScheduled, StartAt: in(time.Hour), Control: ControlCancelled}, Waiting{}},
		{"running", StartFacts{State: BroadcastRunning, CreatedAt: *in(-time.Hour)}, Waiting{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, c.facts.Waiting(now))
		})
	}
}

func TestAStartIsChecked(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC)
	at := func(d time.Duration) BroadcastRequest { t := now.Add(d); return BroadcastRequest{StartAt: &t} }
	for _, c := range []struct {
		name string
		r    BroadcastRequest
		code Code
	}{
		{"at once", BroadcastRequest{}, ""},
		{"in a second", at(time.Second), ""},
		{"now is past", at(0), StartTimePast},
		{"an hour ago", at(-time.Hour), StartTimePast},
		{"in two years", at(2 * 365 * 24 * time.Hour), InvalidInput},
		{"late by less than nothing", BroadcastRequest{LateAfterSeconds: -1}, InvalidInput},
		{"more than everything may fail", BroadcastRequest{StopFailurePercent: 101}, InvalidInput},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			no := c.r.CheckStart(now)
			if c.code == "" {
				require.Nil(t, no)
				return
			}
			require.NotNil(t, no)
			require.Equal(t, c.code, no.Code)
		})
	}
	require.Equal(t, DefaultLateAfter, BroadcastRequest{}.LateAfter())
	require.Equal(t, time.Minute, BroadcastRequest{LateAfterSeconds: 60}.LateAfter())
}

func TestTooManyFailed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		o       Outcomes
		percent int
		want    bool
	}{
		{Outcomes{Taken: 0, Failed: 99}, 50, false}, // too few to judge
		{Outcomes{Taken: 0, Failed: 100}, 50, true},
		{Outcomes{Taken: 250, Failed: 250}, 50, false}, // not more than half
		{Outcomes{Taken: 249, Failed: 251}, 50, true},
		{Outcomes{Taken: 0, Failed: 500}, 100, false}, // never
		{Outcomes{Taken: 494, Failed: 6}, 1, true},
	} {
		require.Equal(t, c.want, c.o.TooManyFailed(c.percent), "%+v %d", c.o, c.percent)
	}
}

func TestQuotas(t *testing.T) {
	t.Parallel()
	require.Equal(t, QuotaUnknown, QuotaFor(nil, 1))
	require.Equal(t, QuotaUnlimited, QuotaFor(&Quota{Used: 1 << 30}, 1))
	require.Equal(t, QuotaEnough, QuotaFor(&Quota{Limited: true, Limit: 10, Used: 7}, 3))
	require.Equal(t, QuotaShort, QuotaFor(&Quota{Limited: true, Limit: 10, Used: 7}, 4))
}

func TestRetryRequests(t *testing.T) {
	t.Parallel()
	ids, other := []uuid.UUID{uuid.Max}, &Template{Name: "a", Language: "zh_TW"}
	for _, c := range []struct {
		name string
		r    RetryRequest
		kind BroadcastKind
		code Code
	}{
		{"failed", RetryRequest{Scope: RetryFailed}, BroadcastMessage, ""},
		{"list", RetryRequest{Scope: RetryList, ConversationIDs: ids}, BroadcastMessage, ""},
		{"another template", RetryRequest{Scope: RetryRest, Template: other}, BroadcastTemplate, ""},
		{"no such scope", RetryRequest{Scope: "sent"}, BroadcastMessage, InvalidInput},
		{"a list without a list", RetryRequest{Scope: RetryList}, BroadcastMessage, InvalidInput},
		{"a list that means nothing", RetryRequest{Scope: RetryFailed, ConversationIDs: ids}, BroadcastMessage, InvalidInput},
		{"a template for texts", RetryRequest{Scope: RetryFailed, Template: other}, BroadcastMessage, TemplateInvalid},
		{"a template without a name", RetryRequest{Scope: RetryFailed, Template: &Template{}}, BroadcastTemplate, TemplateInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			no := c.r.Validate(c.kind)
			if c.code == "" {
				require.Nil(t, no)
				return
			}
			require.NotNil(t, no)
			require.Equal(t, c.code, no.Code)
		})
	}
	require.True(t, RetriesExhausted.RetryMends())
	require.False(t, OptedOut.RetryMends())
}
