package e2e_test

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/apiclient"
	"omniflow/internal/omniflow"
	"omniflow/internal/simulator"
)

// export downloads what became of each recipient: rows by column, in order.
func (r *run) export() []map[string]string {
	r.t.Helper()
	var file bytes.Buffer
	require.NoError(r.t, r.member.Export(r.t.Context(), r.id, &file))
	text, ok := strings.CutPrefix(file.String(), "\ufeff")
	require.True(r.t, ok, "spreadsheets need the mark")
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	require.NoError(r.t, err)
	require.Equal(r.t, []string{"customer_id", "channel", "state", "code", "attempts", "sent_at", "received_at", "read_at", "provider_id", "conversation_id"}, lines[0])
	rows := make([]map[string]string, len(lines)-1)
	for i, line := range lines[1:] {
		rows[i] = map[string]string{}
		for n, name := range lines[0] {
			rows[i][name] = line[n]
		}
	}
	return rows
}

// exportIsTrue fails unless the export has a row for everybody, and each that
// says sent names the very message that the provider delivered to them. It
// gives how many those are.
func (r *run) exportIsTrue(rows []map[string]string) (sent int) {
	r.t.Helper()
	delivered := map[string]simulator.Delivery{}
	for _, d := range r.deliveries() { // read after the export: all that it knows is there
		delivered[d.ProviderID] = d
	}
	seen := map[string]bool{}
	for _, row := range rows {
		id := row["customer_id"]
		require.False(r.t, seen[id], "%s is there twice", id)
		seen[id] = true
		p, known := r.people[id]
		require.True(r.t, known, id)
		require.Equal(r.t, p.Channel, row["channel"], id)
		if !omniflow.MessageState(row["state"]).Delivered() {
			require.Empty(r.t, row["sent_at"], "%s: %s", id, row["state"])
			continue
		}
		sent++
		d, ok := delivered[row["provider_id"]]
		require.True(r.t, ok && d.Delivered, "%s: the provider knows no %s", id, row["provider_id"])
		require.Equal(r.t, p.Recipient, d.Recipient, id)
		at, err := time.Parse(time.RFC3339, row["sent_at"])
		require.NoError(r.t, err, id)
		require.WithinDuration(r.t, d.At, at, 10*time.Second, id)
	}
	require.Len(r.t, seen, len(r.people))
	return sent
}

// exportIsTheList fails unless the export says of every row what the list of
// recipients says, in its order. Webhooks that are under way get their time.
func (r *run) exportIsTheList() {
	r.t.Helper()
	var list []apiclient.Recipient
	var rows []map[string]string
	still := func() bool { // nothing changed while the two were read
		list, rows = r.recipients(), r.export()
		again := r.recipients()
		for i := range list {
			if i >= len(again) || list[i].State != again[i].State {
				return false
			}
		}
		return len(list) == len(again)
	}
	r.until(settleWithin, still, "the ledger stands still")
	require.Len(r.t, rows, len(list))
	for i, row := range rows {
		l := list[i]
		require.Equal(r.t, map[string]string{"customer_id": l.CustomerID, "channel": l.Channel, "state": l.State, "code": l.Code,
			"attempts": strconv.Itoa(l.Attempt), "sent_at": cell(l.SentAt), "received_at": cell(l.ReceivedAt), "read_at": cell(l.ReadAt),
			"provider_id": row["provider_id"], "conversation_id": l.ConversationID}, row)
	}
	require.Equal(r.t, len(r.people), r.exportIsTrue(rows))
}

// cell is a time as the export writes it.
func cell(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}
