package omniflow

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestCheckAudience(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		channels map[Channel]int
		wabas    []string
		kind     BroadcastKind
		want     Code
	}{
		{"BRD-03 the four channels", map[Channel]int{LINE: 1, Facebook: 1, Instagram: 1, WhatsApp: 2}, []string{"a", "b"}, BroadcastMessage, ""},
		{"BRD-02 nobody", nil, nil, BroadcastMessage, BroadcastEmpty},
		{"BRD-02 nobody on any channel", map[Channel]int{LINE: 0}, nil, BroadcastMessage, BroadcastEmpty},
		{"BRD-03 Webchat", map[Channel]int{LINE: 5, Webchat: 1}, nil, BroadcastMessage, BroadcastChannelUnsupported},
		{"BRD-03 WeChat", map[Channel]int{WeChat: 1}, nil, BroadcastTemplate, BroadcastChannelUnsupported},
		{"BRD-09 one WABA", map[Channel]int{WhatsApp: 3}, []string{"a", "a"}, BroadcastTemplate, ""},
		{"BRD-09 two WABAs", map[Channel]int{WhatsApp: 3}, []string{"a", "b"}, BroadcastTemplate, BroadcastWABAConflict},
		{"BRD-03 a template to LINE", map[Channel]int{WhatsApp: 3, LINE: 1}, []string{"a"}, BroadcastTemplate, TemplateInvalid},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, code(CheckAudience(test.channels, test.wabas, test.kind)))
		})
	}
}

func TestAudienceRefusalsSayWhich(t *testing.T) {
	t.Parallel()
	r := CheckAudience(map[Channel]int{WeChat: 1, Webchat: 1, LINE: 2}, nil, BroadcastMessage)
	require.Equal(t, []Channel{Webchat, WeChat}, r.Channels)
	r = CheckAudience(map[Channel]int{LINE: 1, Facebook: 1, WhatsApp: 1}, nil, BroadcastTemplate)
	require.Equal(t, []Channel{Facebook, LINE}, r.Channels)
	r = CheckAudience(map[Channel]int{WhatsApp: 2}, []string{"a", "b"}, BroadcastTemplate)
	require.Equal(t, "請重新選擇對話事件。訊息範本僅支援發送相同WhatsApp商業帳號的顧客", r.Text(), "MC-07")
}

func TestCheckBoundAudience(t *testing.T) {
	t.Parallel()
	r := CheckBoundAudience(map[Channel]int{WhatsApp: 1, LINE: 1}, nil, BroadcastMessage)
	require.Equal(t, BroadcastCrossChannel, code(r), "EX-118")
	require.Equal(t, []Channel{LINE, WhatsApp}, r.Channels)
	require.Nil(t, CheckBoundAudience(map[Channel]int{WhatsApp: 2, LINE: 0}, nil, BroadcastMessage))
	require.Equal(t, BroadcastChannelUnsupported, code(CheckBoundAudience(map[Channel]int{Facebook: 2}, nil, BroadcastMessage)))
	require.Equal(t, TemplateInvalid, code(CheckBoundAudience(map[Channel]int{LINE: 2}, nil, BroadcastTemplate)))
	require.Equal(t, BroadcastEmpty, code(CheckBoundAudience(nil, nil, BroadcastMessage)))
}

func TestRecipients(t *testing.T) {
	t.Parallel()
	me, other := uuid.New(), uuid.New()
	mine := Recipient{ConversationID: uuid.New(), Channel: Facebook, Type: OneToOne, State: Handling, FollowerID: me, LastMessageAt: ago(time.Hour)}
	with := func(change func(*Recipient)) Recipient {
		r := mine
		change(&r)
		return r
	}
	for _, test := range []struct {
		name    string
		r       Recipient
		permits Code
		skip    Code
	}{
		{"BRD-02 my handling", mine, "", ""},
		{"EX-119 a customer of the team list", with(func(r *Recipient) { r.FollowerID = other }), RecipientNotAllowed, NoLongerHandling},
		{"BRD-02 nobody follows", with(func(r *Recipient) { r.FollowerID = uuid.Nil }), RecipientNotAllowed, NoLongerHandling},
		{"BRD-02 closed", with(func(r *Recipient) { r.State = Closed }), RecipientNotAllowed, NoLongerHandling},
		{"BRD-02 pending", with(func(r *Recipient) { r.State = PendingHuman }), RecipientNotAllowed, NoLongerHandling},
		{"D-BRD-4 a group", with(func(r *Recipient) { r.Type = WhatsAppGroup }), RecipientNotAllowed, NoLongerHandling},
		{"a blocked customer", with(func(r *Recipient) { r.Blocked = true }), "", CustomerBlocked},
		{"EX-122 Facebook, 8 days", with(func(r *Recipient) { r.LastMessageAt = ago(8 * day) }), "", WindowClosed},
		{"WhatsApp, 25 h", with(func(r *Recipient) { r.Channel, r.LastMessageAt = WhatsApp, ago(25*time.Hour) }), "", WindowTemplateOnly},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.permits, code(PermitRecipients(me, []Recipient{mine, test.r})))
			require.Equal(t, test.skip, test.r.Skip(me, Text, now))
		})
	}
	require.Equal(t, RecipientNotAllowed, code(PermitRecipients(uuid.Nil, []Recipient{{State: Handling}})), "nobody is not everybody")
}

func TestEX122TwoOfThreeAreSentToAndOneIsSkipped(t *testing.T) {
	t.Parallel()
	me := uuid.New()
	var tally Tally
	for _, last := range []*time.Time{ago(time.Hour), ago(8 * day), ago(day)} {
		r := Recipient{Channel: Facebook, Type: OneToOne, State: Handling, FollowerID: me, LastMessageAt: last}
		tally.Planned++
		if r.Skip(me, Text, now) == "" {
			tally.Add(Sent, 1)
		} else {
			tally.Add(Skipped, 1)
		}
	}
	require.Equal(t, Tally{Planned: 3, Sent: 2, Skipped: 1}, tally)
	require.Equal(t, Completed, tally.Outcome(false))
}
