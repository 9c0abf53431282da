package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestImportTwiceUpdates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.shop()
	var state, follower, external, phone string
	read := func(customer string) {
		require.NoError(t, w.pool.QueryRow(t.Context(), `
SELECT c.state, COALESCE(c.follower_id::text, ''), i.external_id, p.phone FROM contacts p JOIN channel_identities i ON i.contact_id = p.id
JOIN conversations c ON c.channel_identity_id = i.id WHERE p.team_id = $1 AND p.customer_id = $2`, c.id, customer).Scan(&state, &follower, &external, &phone))
	}
	read("C1")
	require.Equal(t, []string{"handling", c.ids["sales_staff"], "886921050328", "+886921050328"}, []string{state, follower, external, phone})
	before := w.counts()

	report := c.importFile("", fourChannels)
	require.Equal(t, 4, report.Rows)
	require.Equal(t, 0, report.Imported)
	require.Equal(t, 4, report.Updated)
	require.Equal(t, before, w.counts(), "nobody is there twice")
	read("C1")
	require.Equal(t, "handling", state, "an import without a follower takes nobody's conversation away")

	// The same identity under another customer id moves to that customer; a new name is taken over.
	report = c.importFile("", header+"C9,新名,TW,0921050328,,whatsapp,,,高雄店,\n")
	require.Equal(t, 1, report.Updated)
	read("C9")
	require.Equal(t, "886921050328", external)
	var store, name string
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT store, name FROM contacts WHERE customer_id = 'C9'`).Scan(&store, &name))
	require.Equal(t, "高雄店", store)

	// A customer who wrote before being imported is adopted, not doubled.
	w.exec(`UPDATE contacts SET customer_id = '' WHERE customer_id = 'C3'`)
	contacts := w.counts()["contacts"]
	c.importFile("", header+"C33,,,,,facebook,10000001,,,\n")
	require.Equal(t, contacts, w.counts()["contacts"])
}

func TestImportSaysWhatItLeftOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.company("omo")
	c.account("whatsapp", "W1", m{"waba_id": "waba1"})
	report := c.importFile("", header+
		"A1,,TW,0921050328,,whatsapp,,,,\n"+
		"A1,,TW,0921050329,,whatsapp,,,,\n"+ // the same customer on the same channel
		"A2,,TW,0921050328,,whatsapp,,,,\n"+ // the same number
		",,TW,0921050330,,whatsapp,,,,\n"+
		"A3,,TW,12,,whatsapp,,,,\n"+
		"A4,,,,,line,U00000000000000000000000000000001,,,\n"+ // no such account here
		"A5,,TW,0921050331,not-an-address,whatsapp,,,,\n")
	require.Equal(t, 7, report.Rows)
	require.Equal(t, 2, report.Imported, "%+v", report)
	require.Len(t, report.Duplicates, 2)
	require.Equal(t, 2, report.Duplicates[0].OfLine)
	require.Len(t, report.Rejected, 3)
	require.EqualValues(t, "channel_account_invalid", report.Rejected[2].Reason)
	require.Len(t, report.Warnings, 1)
	require.Len(t, w.ids(`SELECT id FROM conversations WHERE state = 'pending_human' AND follower_id IS NULL`), 2)
}

// TestImportOfTenThousandRows bounds the cost loosely; the log has the figures.
func TestImportOfTenThousandRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.company("omo", "sales_staff")
	c.account("line", "L1", nil)
	var b strings.Builder
	b.WriteString(header)
	for i := range 10_000 {
		fmt.Fprintf(&b, "N%d,,,,,line,U%032x,2026-11-16T00:31:07Z,信義店,\"新品,會員\"\n", i, i)
	}
	begin := time.Now()
	report := c.importFile("?follower_id="+c.ids["sales_staff"], b.String())
	took := time.Since(begin)
	require.Equal(t, 10_000, report.Imported)
	require.Less(t, took, 20*time.Second)
	t.Logf("10,000 rows in %v", took)
	begin = time.Now()
	require.Equal(t, 10_000, c.importFile("", b.String()).Updated)
	t.Logf("again in %v", time.Since(begin))
}
