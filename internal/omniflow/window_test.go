package omniflow

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// now is when the tests of windows look.
var now = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// ago is d before now.
func ago(d time.Duration) *time.Time {
	t := now.Add(-d)
	return &t
}

const day = 24 * time.Hour

func TestWindowState(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		ch   Channel
		typ  ConversationType
		last *time.Time
		want Bracket
	}{
		{"WIN-01 within 24 h", WhatsApp, OneToOne, ago(time.Hour), Open},
		{"D-WIN-1 WhatsApp, exactly 24 h", WhatsApp, OneToOne, ago(day), Open},
		{"D-WIN-1 WhatsApp, a nanosecond over 24 h", WhatsApp, OneToOne, ago(day + 1), TemplateOnly},
		{"D-WIN-1 WhatsApp, never wrote", WhatsApp, OneToOne, nil, TemplateOnly},
		{"WIN-01 WhatsApp has no 7 days", WhatsApp, OneToOne, ago(8 * day), TemplateOnly},
		{"EX-014 a group whose newest message is 2 h old", WhatsApp, WhatsAppGroup, ago(2 * time.Hour), Open},
		{"WIN-03 a group whose newest message is 25 h old", WhatsApp, WhatsAppGroup, ago(25 * time.Hour), TemplateOnly},
		{"D-WIN-1 Facebook, exactly 24 h", Facebook, OneToOne, ago(day), Open},
		{"D-WIN-1 Facebook, 1 s over 24 h", Facebook, OneToOne, ago(day + time.Second), NonPromotional},
		{"D-WIN-1 Facebook, exactly 7 d", Facebook, OneToOne, ago(7 * day), NonPromotional},
		{"D-WIN-1 Facebook, 1 s over 7 d", Facebook, OneToOne, ago(7*day + time.Second), Blocked},
		{"D-WIN-1 Facebook, never wrote", Facebook, OneToOne, nil, Blocked},
		{"a message from a clock ahead of ours", Facebook, OneToOne, ago(-time.Minute), Open},
		{"D-WIN-3 LINE", LINE, OneToOne, nil, Open},
		{"D-WIN-3 LINE group", LINE, LINEGroup, nil, Open},
		{"D-WIN-3 Instagram", Instagram, OneToOne, ago(30 * day), Open},
		{"D-WIN-3 Webchat", Webchat, OneToOne, nil, Open},
		{"D-WIN-3 WeChat", WeChat, OneToOne, nil, Open},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, WindowState(test.ch, test.typ, test.last, now))
		})
	}
}

// TestWindowUntil says for how long a bracket holds, and that it does not a
// moment longer.
func TestWindowUntil(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		ch   Channel
		typ  ConversationType
		last *time.Time
		want time.Duration // from now; 0: it does not change by itself
	}{
		{"WIN-01 WhatsApp", WhatsApp, OneToOne, ago(time.Hour), 23 * time.Hour},
		{"D-WIN-1 WhatsApp, 23 h 59 min 59 s", WhatsApp, OneToOne, ago(day - time.Second), time.Second},
		{"WIN-01 WhatsApp, over", WhatsApp, OneToOne, ago(day + 1), 0},
		{"WIN-03 a group", WhatsApp, WhatsAppGroup, ago(time.Hour), 23 * time.Hour},
		{"WIN-02 Facebook, within 24 h", Facebook, OneToOne, ago(time.Hour), 23 * time.Hour},
		{"WIN-02 Facebook, within 7 d", Facebook, OneToOne, ago(2 * day), 5 * day},
		{"WIN-02 Facebook, over", Facebook, OneToOne, ago(8 * day), 0},
		{"D-WIN-1 never wrote", WhatsApp, OneToOne, nil, 0},
		{"D-WIN-3 LINE", LINE, OneToOne, ago(time.Hour), 0},
		{"D-WIN-3 Instagram", Instagram, OneToOne, ago(time.Hour), 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			until := WindowUntil(test.ch, test.typ, test.last, now)
			if test.want == 0 {
				require.Zero(t, until)
				return
			}
			require.Equal(t, now.Add(test.want), until)
			is := WindowState(test.ch, test.typ, test.last, now)
			require.Equal(t, is, WindowState(test.ch, test.typ, test.last, until))
			require.NotEqual(t, is, WindowState(test.ch, test.typ, test.last, until.Add(1)))
		})
	}
}

func TestCheckWindow(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		ch          Channel
		kind        MessageKind
		promotional bool
		last        *time.Time
		want        Code
	}{
		{"EX-061 a shopping link exactly 24 h later", Facebook, LinkMessage, false, ago(day), ""},
		{"WIN-02 a shopping link 1 s later still", Facebook, LinkMessage, false, ago(day + time.Second), WindowNonPromotional},
		{"D-WIN-2 a coupon", Facebook, Coupon, false, ago(2 * day), WindowNonPromotional},
		{"D-WIN-2 a cart card", Facebook, CartCard, false, ago(2 * day), WindowNonPromotional},
		{"D-WIN-2 a saved reply that holds a coupon", Facebook, SavedReply, true, ago(2 * day), WindowNonPromotional},
		{"D-WIN-2 a saved reply", Facebook, SavedReply, false, ago(2 * day), ""},
		{"D-WIN-2 free text is not read", Facebook, Text, false, ago(2 * day), ""},
		{"EX-063 text 7 d and 1 s later", Facebook, Text, false, ago(7*day + time.Second), WindowClosed},
		{"EX-063 text once the customer has written again", Facebook, Text, false, ago(0), ""},
		{"WIN-01 text", WhatsApp, Text, false, ago(day + time.Second), WindowTemplateOnly},
		{"WIN-01 an image", WhatsApp, Image, false, nil, WindowTemplateOnly},
		{"WIN-01 a template", WhatsApp, TemplateKind, true, nil, ""},
		{"WIN-01 a shopping link in time", WhatsApp, LinkMessage, true, ago(day), ""},
		{"D-WIN-3 LINE", LINE, Coupon, true, nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			refusal := CheckWindow(test.ch, OneToOne, test.kind, test.promotional, test.last, now)
			require.Equal(t, test.want, code(refusal))
		})
	}
}

func TestWindowRefusalsCarryTheirTexts(t *testing.T) {
	t.Parallel()
	require.Equal(t, "無法傳送訊息,你已經超過Facebook的對話限制(客人最後一個訊息後7天內可傳送非推廣興致的訊息)",
		CheckWindow(Facebook, OneToOne, Text, false, nil, now).Text(), "EX-063, MC-06")
	require.Equal(t, "無法傳送訊息，此用戶的訊息已超過 24 小時", CheckWindow(WhatsApp, WhatsAppGroup, Text, false, nil, now).Text(), "MC-04")
	require.Equal(t, "此用戶的訊息已超過24小時,只能傳送 「非推廣性質」 的訊息", CheckWindow(Facebook, OneToOne, Coupon, false, ago(2*day), now).Text(), "MC-05")
}

func TestCheckBroadcastWindow(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		ch   Channel
		kind MessageKind
		last *time.Time
		want Code
	}{
		{"EX-122 Facebook, 8 days", Facebook, Text, ago(8 * day), WindowClosed},
		{"EX-122 Facebook, an hour", Facebook, Text, ago(time.Hour), ""},
		{"Facebook, 2 days are for people only", Facebook, Text, ago(2 * day), WindowClosed},
		{"D-WIN-1 Facebook, exactly 24 h", Facebook, Text, ago(day), ""},
		{"Facebook, never", Facebook, Text, nil, WindowClosed},
		{"Instagram, exactly 24 h", Instagram, Text, ago(day), ""},
		{"Instagram, 1 s over", Instagram, Text, ago(day + time.Second), WindowClosed},
		{"Instagram, never", Instagram, Text, nil, WindowClosed},
		{"WhatsApp text, exactly 24 h", WhatsApp, Text, ago(day), ""},
		{"WhatsApp text, 1 s over", WhatsApp, Text, ago(day + time.Second), WindowTemplateOnly},
		{"WhatsApp text, never", WhatsApp, Text, nil, WindowTemplateOnly},
		{"WhatsApp template, never", WhatsApp, TemplateKind, nil, ""},
		{"LINE, never", LINE, Text, nil, ""},
		{"Webchat", Webchat, Text, ago(0), BroadcastChannelUnsupported},
		{"WeChat", WeChat, Text, ago(0), BroadcastChannelUnsupported},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, code(CheckBroadcastWindow(test.ch, test.kind, test.last, now)))
		})
	}
}
