package customercsv

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// noon is when the tests read their files.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

const head = "customer_id,name,country,phone,email,channel,channel_user_id,last_message_at,store,Tags\n"

// messy is a file of n blocks. Each block has 7 good rows of the four
// channels, 9 bad ones and 2 duplicates.
func messy(n int) string {
	var b strings.Builder
	b.WriteString("\ufeff" + head)
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	for i := range n {
		id := func(k int) string { return fmt.Sprintf("C%05d-%d", i, k) }
		rows := [][]string{
			{id(1), "  Ken  ", "TW", fmt.Sprintf("0921-%03d-%03d", i/1000, i%1000), "a@example.com", "whatsapp", "", "2026-11-20T01:02:03Z", "A", `"九折",會員`},
			{id(2), "N/A", "TW", fmt.Sprintf("(0952) %06d", i), "", "WhatsApp", "", "2026-11-20T09:02:03+08:00", "", ""},
			{id(3), "O'Brien, \"Kate\"\nLin", "TW", fmt.Sprintf("886944%06d", i), "no at", "whatsapp", "", "", "", "x, y,,x"},
			{id(4), "", "", "", "", "line", fmt.Sprintf("U%032x", i), "", "", ""},
			{id(5), "", "TW", "12345", "", "line", fmt.Sprintf("U%032x", n+i), "", "", ""},
			{id(6), "", "ZZ", "", "", "facebook", fmt.Sprintf("%016d", i), "", "", ""},
			{id(7), "", "HK", "2345 6789", "", "instagram", fmt.Sprintf("%017d", i), "", "", ""},
			{id(8), "", "TW", "not given", "", "whatsapp", "", "", "", ""},
			{id(9), "", "TW", "02-2345-6789", "", "whatsapp", "", "", "", ""},
			{id(10), "", "", "0921050328", "", "whatsapp", "", "", "", ""},
			{id(11), "", "", "", "", "telegram", "1234567", "", "", ""},
			{id(12), "", "", "", "", "line", "U123", "", "", ""},
			{id(13), "", "", "", "", "facebook", "12a45", "", "", ""},
			{id(14), "", "", "", "", "line", fmt.Sprintf("U%032x", 2*n+i), "yesterday", "", ""},
			{"", "", "", "", "", "line", fmt.Sprintf("U%032x", 3*n+i), "", "", ""},
			{id(15), "too", "few"},
			{id(1), "", "", "", "", "line", fmt.Sprintf("U%032x", 4*n+i), "", "", ""},
			{id(16), "", "", fmt.Sprintf("+886 921 %03d %03d", i/1000, i%1000), "", "whatsapp", "", "", "", ""},
		}
		for _, r := range rows {
			_ = w.Write(r)
		}
	}
	w.Flush()
	return b.String()
}

func reasons(issues []Issue) map[string]int {
	count := map[string]int{}
	for _, i := range issues {
		count[i.Column+" "+string(i.Reason)]++
	}
	return count
}

func TestEachCountsAMessyFileExactly(t *testing.T) {
	t.Parallel()
	const n = 500
	channels := map[omniflow.Channel]int{}
	report, err := Each(strings.NewReader(messy(n)), Options{Now: noon}, func(r Row) error {
		channels[r.Channel]++
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, 18*n, report.Rows)
	require.Equal(t, 7*n, report.Good)
	require.Equal(t, map[omniflow.Channel]int{"whatsapp": 3 * n, "line": 2 * n, "facebook": n, "instagram": n}, channels)
	require.Equal(t, map[string]int{
		"phone phone_invalid": n, "phone phone_not_mobile": n, "phone country_required": n,
		"channel channel_unknown": n, "channel_user_id channel_user_id_invalid": 2 * n,
		"last_message_at time_invalid": n, "customer_id contact_key_missing": n, " field_count": n,
	}, reasons(report.Rejected))
	require.Equal(t, map[string]int{
		"email email_invalid": n, "phone phone_invalid": n, "country country_invalid": n, "phone phone_not_mobile": n,
	}, reasons(report.Warnings))
	require.Equal(t, map[string]int{"customer_id duplicate_customer": n, "phone duplicate_identity": n}, reasons(report.Duplicates))
	require.Equal(t, report.Rows, report.Good+len(report.Rejected)+len(report.Duplicates))
}

func TestEachNormalisesRowsAndNamesLines(t *testing.T) {
	t.Parallel()
	var rows []Row
	report, err := Each(strings.NewReader(messy(1)), Options{Now: noon}, func(r Row) error {
		rows = append(rows, r)
		return nil
	})
	require.NoError(t, err)
	at := time.Date(2026, 11, 20, 1, 2, 3, 0, time.UTC)
	require.Equal(t, Row{Line: 2, CustomerID: "C00000-1", Name: "Ken", Country: "TW", Phone: "+886921000000", Email: "a@example.com",
		Channel: omniflow.WhatsApp, ChannelUserID: "886921000000", LastMessageAt: &at, Store: "A", Tags: []string{"九折", "會員"}}, rows[0])
	require.Equal(t, "", rows[1].Name)
	require.Equal(t, at, *rows[1].LastMessageAt)
	require.Equal(t, Row{Line: 4, CustomerID: "C00000-3", Name: "O'Brien, \"Kate\"\nLin", Country: "TW", Phone: "+886944000000",
		Channel: omniflow.WhatsApp, ChannelUserID: "886944000000", Tags: []string{"x", "y"}}, rows[2])
	require.Equal(t, []Issue{ // the name of line 4 spans two lines
		{Line: 19, OfLine: 2, Column: "customer_id", Reason: omniflow.DuplicateCustomer, Weight: Duplicate},
		{Line: 20, OfLine: 2, Column: "phone", Reason: omniflow.DuplicateIdentity, Weight: Duplicate},
	}, report.Duplicates)
}
