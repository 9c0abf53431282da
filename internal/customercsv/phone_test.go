package customercsv

import (
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

func TestParseMobile(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		cell, country, phone string
		reason               omniflow.Code
	}{
		{"0921-050-328", "TW", "+886921050328", ""},
		{"(0952) 095764", "TW", "+886952095764", ""},
		{"886944726399", "TW", "+886944726399", ""},
		{"+886-929-756-717", "TW", "+886929756717", ""},
		{"0997980609", "TW", "+886997980609", ""},
		{"+852 6772 8714", "HK", "+85267728714", ""},
		{"+852 6772 8714", "TW", "+85267728714", ""},
		{"+852 6772 8714", "", "+85267728714", ""},
		{"9353 6706", "HK", "+85293536706", ""},
		{"０９２１０５０３２８", "TW", "+886921050328", ""},
		{"＋８８６９２１０５０３２８", "", "+886921050328", ""},
		{"00886921050328", "HK", "+886921050328", ""},
		{"60198063522", "MY", "+60198063522", ""},
		{"+62 856-051-7829", "ID", "+628560517829", ""},
		{"6591234567", "SG", "+6591234567", ""},
		{"0921050328", "", "", omniflow.CountryRequired},
		{"", "TW", "", omniflow.PhoneInvalid},
		{"12345", "TW", "", omniflow.PhoneInvalid},
		{"0912-345-67", "TW", "", omniflow.PhoneInvalid},
		{"+65 1234", "SG", "", omniflow.PhoneInvalid},
		{"not given", "HK", "", omniflow.PhoneInvalid},
		{"not given", "", "", omniflow.PhoneInvalid},
		{"+1 212 555 0100 ext 5", "TW", "", omniflow.PhoneInvalid},
		{"0921050328;ext=9", "TW", "", omniflow.PhoneInvalid},
		{"0921050328#9", "TW", "", omniflow.PhoneInvalid},
		{"9950 3679", "HK", "+85299503679", ""}, // a range that tables do not know yet
		{"02-2345-6789", "TW", "", omniflow.PhoneNotMobile},
		{"2345 6789", "HK", "", omniflow.PhoneNotMobile},
	} {
		t.Run(test.country+" "+test.cell, func(t *testing.T) {
			t.Parallel()
			phone, reason := ParseMobile(test.cell, test.country)
			require.Equal(t, test.phone, phone)
			require.Equal(t, test.reason, reason)
		})
	}
}

func TestWhatsAppIdentity(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		phone, id, want string
		reason          omniflow.Code
	}{
		"the phone alone":   {"0921-050-328", "", "886921050328", ""},
		"both agree":        {"0921-050-328", "886921050328", "886921050328", ""},
		"the id alone":      {"", "886921050328", "886921050328", ""},
		"they differ":       {"0921-050-328", "886921050329", "", omniflow.ChannelUserIDInvalid},
		"neither":           {"", "", "", omniflow.PhoneInvalid},
		"an id of letters":  {"", "me", "", omniflow.PhoneInvalid},
		"an id of landline": {"", "886223456789", "", omniflow.PhoneNotMobile},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, report, err := readAll(head + "C1,,TW," + test.phone + ",,whatsapp," + test.id + ",,,\n")
			require.NoError(t, err)
			if test.reason == "" {
				require.Len(t, rows, 1)
				require.Equal(t, test.want, rows[0].ChannelUserID)
				require.Equal(t, "+"+test.want, rows[0].Phone)
				return
			}
			require.Len(t, report.Rejected, 1)
			require.Equal(t, test.reason, report.Rejected[0].Reason)
		})
	}
}

func TestParseTags(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string][]string{
		"":                     nil,
		" , ,":                 nil,
		"VIP":                  {"VIP"},
		"新品,台北,信義店":            {"新品", "台北", "信義店"},
		`"九折",會員`:              {"九折", "會員"},
		`會員, "九折",會員`:          {"會員", "九折"},
		`"台北,信義店",VIP`:         {"台北,信義店", "VIP"},
		`5" screen,VIP`:        {`5" screen`, "VIP"},
		"two\nlines,two,lines": {"two", "lines"},
	} {
		t.Run(cell, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, want, parseTags(cell))
		})
	}
}
