package omniflow

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestGroupTextsAreMeasuredInBytes(t *testing.T) {
	t.Parallel()
	zh, wide := func(n int) string { return strings.Repeat("中", n) }, strings.Repeat("𠮷", 32)
	for _, c := range []struct {
		name, text  string
		want        Code
		description Code
	}{
		{"EX-001 Jess的群組 has 13 bytes", "Jess的群組", "", ""},
		{"Omnichat HK", "Omnichat HK", "", ""},
		{"VIP 2025", "VIP 2025", "", ""},
		{"品牌 A 群", "品牌 A 群", "", ""},
		{"EX-005 exactly 128", zh(42) + "ab", "", ""},
		{"129 of 42 characters and abc", zh(42) + "abc", GroupNameTooLong, ""},
		{"EX-006 43 characters are 129", zh(43), GroupNameTooLong, ""},
		{"128 of four-byte characters", wide, "", ""},
		{"132 of four-byte characters", wide + "𠮷", GroupNameTooLong, ""},
		{"EX-008 a description of 2,048", zh(682) + "ab", GroupNameTooLong, ""},
		{"EX-008 a description of 2,049", zh(683), GroupNameTooLong, GroupDescriptionTooLong},
		{"EX-009 VIP 😀", "VIP 😀", GroupTextEmoji, GroupTextEmoji},
		{"only spaces", GroupText(" \t　"), GroupNameRequired, ""},
		{"a name is trimmed before it is measured", GroupText("  " + zh(42) + "ab \n"), "", ""},
		{"no normalisation: a decomposed é counts 3", strings.Repeat("e\u0301", 43), GroupNameTooLong, ""},
		{"full-width letters count 3", strings.Repeat("Ａ", 43), GroupNameTooLong, ""},
		{"half a character at the end", zh(42) + "\xe4\xb8", InvalidInput, InvalidInput},
		{"NUL", "a\x00b", InvalidInput, InvalidInput},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, code(CheckGroupName(c.text)))
			require.Equal(t, c.description, code(CheckGroupDescription(c.text)))
		})
	}
}

func TestHasEmoji(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"": false, "123 #1 *2": false, "★ ✓ © ™ ☎ ♥": false, "中文字 ｆｕｌｌ 한글": false, "𠮷 a\u200db": false, "①②": false,
		"😀": true, "❤\uFE0F": true, "1\uFE0F\u20E3": true, "1\u20E3": true, "🇹🇼": true, "\U0001F1F9": true, "👍🏽": true, "\U0001F3FD": true,
		"👩\u200d💻": true, "a\u200d😀": true, "🏴\U000E0067\U000E007F": true, "⌚": true, "⚡": true, "✨": true, "🀄": true, "©\uFE0F": true, "🈚": true, "㊙\uFE0F": true, "㊙": false, "⭐": true,
	} {
		require.Equal(t, want, HasEmoji(text), "%q", text)
	}
}

func TestMembersOfANewGroup(t *testing.T) {
	t.Parallel()
	nine := []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"}
	require.Equal(t, GroupMembersRequired, code(CheckGroupMembers(nil)))
	require.Nil(t, CheckGroupMembers(nine[:1]))
	require.Nil(t, CheckGroupMembers(nine[:8]))
	require.Equal(t, GroupMembersLimit, code(CheckGroupMembers(nine)))
	require.Equal(t, PhoneDuplicate, code(CheckGroupMembers([]string{"1", "2", "1"})))
}

func TestGroupStates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		from   GroupState
		code   Code
		result GroupResult
		to     GroupState
		change bool
	}{
		{"EX-002 success", GroupReviewing, "", GroupSucceeded, GroupCreated, true},
		{"EX-003 failure", GroupReviewing, "", GroupRefused, GroupFailed, true},
		{"D-GRP-4 timeout", GroupReviewing, "", GroupTimedOut, GroupFailed, true},
		{"D-GRP-4 late success", GroupFailed, ReviewTimeout, GroupSucceeded, GroupCreated, true},
		{"a late failure changes nothing", GroupFailed, ReviewTimeout, GroupRefused, GroupFailed, false},
		{"a success after a refusal changes nothing", GroupFailed, ReviewRefused, GroupSucceeded, GroupFailed, false},
		{"EX-013 the same webhook again", GroupCreated, "", GroupSucceeded, GroupCreated, false},
		{"a failure after the success", GroupCreated, "", GroupRefused, GroupCreated, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			to, change := NextGroupState(c.from, c.code, c.result)
			require.Equal(t, []any{c.to, c.change}, []any{to, change})
		})
	}
}

func TestAMarkerIsFoundAgain(t *testing.T) {
	t.Parallel()
	id := uuid.MustParse("0190b6a4-0000-7000-8000-0000000000ab")
	marker := GroupMarker(id)
	require.Equal(t, "ref:80000000000000ab", marker)
	for _, description := range []string{"", "兩行\n文字", strings.Repeat("a", MaxGroupDescriptionBytes-len(marker)-1)} {
		marked := MarkedDescription(description, marker)
		require.LessOrEqual(t, len(marked), MaxGroupDescriptionBytes)
		require.Equal(t, marker, MarkerOf(marked))
	}
	full := strings.Repeat("中", 682) + "ab"
	require.Equal(t, full, MarkedDescription(full, marker), "no room: the text stays as it is")
	require.Empty(t, MarkerOf(full))
	require.Empty(t, MarkerOf("ref:1\nno marker"))
}

func TestStepsOfACreation(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 14, 2, 0, 0, time.UTC)
	later, soon := now.Add(24*time.Hour), now.Add(time.Minute)
	for _, c := range []struct {
		name  string
		g     Group
		step  GroupStep
		until time.Time
	}{
		{"the call is due", Group{State: GroupReviewing, Call: CallDue}, GroupAsk, time.Time{}},
		{"the call backs off", Group{State: GroupReviewing, Call: CallDue, NextAt: soon}, GroupAwait, soon},
		{"a claim that somebody left", Group{State: GroupReviewing, Call: CallUnderWay}, GroupAsk, time.Time{}},
		{"under review", Group{State: GroupReviewing, Call: CallAccepted, ReviewUntil: later}, GroupAwait, later},
		{"the review is over", Group{State: GroupReviewing, Call: CallAccepted, ReviewUntil: now}, GroupLook, time.Time{}},
		{"the answer was lost", Group{State: GroupReviewing, Call: CallUnknown, NextAt: now, ReviewUntil: later}, GroupLook, time.Time{}},
		{"looked for before", Group{State: GroupReviewing, Call: CallUnknown, NextAt: soon, ReviewUntil: later}, GroupAwait, soon},
		{"created", Group{State: GroupCreated, Call: CallAccepted}, GroupFinish, time.Time{}},
		{"failed", Group{State: GroupFailed, Call: CallUnknown}, GroupFinish, time.Time{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			step, until := c.g.Next(now)
			require.Equal(t, []any{c.step, c.until}, []any{step, until})
		})
	}
}
