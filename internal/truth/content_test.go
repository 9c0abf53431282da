package truth_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/apiclient"
	"omniflow/internal/simulator"
	"omniflow/internal/truth"
)

// TestTextContents holds the hashes against the simulator's own.
func TestTextContents(t *testing.T) {
	t.Parallel()
	sim := simulator.New(simulator.Options{})
	t.Cleanup(sim.Close)
	bot := truth.NewTwin("line", 0)
	require.NoError(t, sim.AddAccounts(bot))
	body := `{"to":["U` + strings.Repeat("0", 32) + `"],"messages":[{"type":"text","text":"🎉 <a>&b\n"},{"type":"text","text":"二"}]}`
	req := httptest.NewRequest(http.MethodPost, "/line/v2/bot/message/multicast", strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+bot.Token)
	req.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	sim.ServeHTTP(answer, req)
	require.Equal(t, http.StatusOK, answer.Code, answer.Body)

	c := truth.TextContents("🎉 <a>&b\n", "二")
	require.Equal(t, []string{sim.Truth("line", "")[0].ContentSHA256}, c["line"])
	require.Equal(t, []string{simulator.TextSHA256("🎉 <a>&b\n"), simulator.TextSHA256("二")}, c["whatsapp"])
	require.Equal(t, []string{simulator.TextSHA256("二")}, truth.TextContents("二")["line"])
	require.True(t, c.Has(c["line"][0]) && c.Has(c["facebook"][1]))
	require.False(t, c.Has(simulator.TextSHA256("三")))
}

// two is a broadcast of two messages to one customer on WhatsApp and one on
// LINE, in which nothing went wrong.
func two() (people map[string]truth.Person, rows []apiclient.Recipient, deliveries []simulator.Delivery, contents truth.Contents) {
	contents = truth.TextContents("one", "two")
	people = map[string]truth.Person{"W": {Channel: "whatsapp", Recipient: "1"}, "L": {Channel: "line", Recipient: "U1"},
		"W again": {Channel: "whatsapp", Recipient: "1"}}
	for n, hash := range contents["whatsapp"] {
		rows = append(rows, apiclient.Recipient{CustomerID: "W", Channel: "whatsapp", Ordinal: n + 1, State: "sent"})
		deliveries = append(deliveries, simulator.Delivery{Channel: "whatsapp", Recipient: "1", ContentSHA256: hash,
			Delivered: true, At: time.Unix(int64(n), 0)})
	}
	rows = append(rows, apiclient.Recipient{CustomerID: "L", Channel: "line", Ordinal: 1, State: "sent"})
	deliveries = append(deliveries, simulator.Delivery{Channel: "line", Recipient: "U1", ContentSHA256: contents["line"][0], Delivered: true})
	return people, rows, deliveries, contents
}

func TestCompareContents(t *testing.T) {
	t.Parallel()
	good := truth.Comparison{Recipients: 3, Sent: 3, Delivered: 3}
	tests := []struct {
		name   string
		change func(r []apiclient.Recipient, d []simulator.Delivery) ([]apiclient.Recipient, []simulator.Delivery)
		want   func(c *truth.Comparison)
	}{
		{"clean", func(r []apiclient.Recipient, d []simulator.Delivery) ([]apiclient.Recipient, []simulator.Delivery) {
			return r, d
		}, func(*truth.Comparison) {}},
		{"second claimed, only the first delivered", func(r []apiclient.Recipient, d []simulator.Delivery) ([]apiclient.Recipient, []simulator.Delivery) {
			d[1].Delivered = false
			return r, d
		}, func(c *truth.Comparison) { c.Claimed, c.Delivered = 1, 2 }},
		{"second twice", func(r []apiclient.Recipient, d []simulator.Delivery) ([]apiclient.Recipient, []simulator.Delivery) {
			return r, append(d, d[1])
		}, func(c *truth.Comparison) { c.Duplicates = 1 }},
		{"no row for the second", func(r []apiclient.Recipient, d []simulator.Delivery) ([]apiclient.Recipient, []simulator.Delivery) {
			d[1].Delivered = false
			return append(r[:1], r[2]), d
		}, func(c *truth.Comparison) { c.Missing, c.Recipients, c.Sent, c.Delivered = 1, 2, 2, 2 }},
		{"second before the first", func(r []apiclient.Recipient, d []simulator.Delivery) ([]apiclient.Recipient, []simulator.Delivery) {
			d[0].At = d[1].At.Add(time.Second)
			return r, d
		}, func(c *truth.Comparison) { c.Disordered = 1 }},
		{"second without the first", func(r []apiclient.Recipient, d []simulator.Delivery) ([]apiclient.Recipient, []simulator.Delivery) {
			r[0].State, d[0].Delivered = "failed", false
			return r, d
		}, func(c *truth.Comparison) { c.Failed, c.Sent, c.Delivered, c.Disordered = 1, 2, 2, 1 }},
		{"second skipped after the first failed", func(r []apiclient.Recipient, d []simulator.Delivery) ([]apiclient.Recipient, []simulator.Delivery) {
			r[0].State, r[1].State = "failed", "skipped"
			return r, d[2:]
		}, func(c *truth.Comparison) { c.Failed, c.Skipped, c.Sent, c.Delivered = 1, 1, 1, 1 }},
		{"another content", func(r []apiclient.Recipient, d []simulator.Delivery) ([]apiclient.Recipient, []simulator.Delivery) {
			return r, append(d, simulator.Delivery{Channel: "whatsapp", Recipient: "1", ContentSHA256: "c", Delivered: true})
		}, func(c *truth.Comparison) { c.Strangers = 1 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			people, rows, deliveries, contents := two()
			rows, deliveries = tt.change(rows, deliveries)
			want := good
			tt.want(&want)
			got := truth.CompareContents(people, rows, deliveries, contents)
			require.Len(t, got.Examples, want.Lost()+want.Duplicates+want.Strangers+want.Disordered)
			got.Examples = nil
			require.Equal(t, want, got)
		})
	}
}
