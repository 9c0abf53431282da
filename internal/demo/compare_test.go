package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/apiclient"
	"omniflow/internal/simulator"
)

// audience is one customer a channel and a second one on WhatsApp, who is in
// the file twice.
func audience() book {
	return book{good: 5, duplicates: 1, people: map[string]person{
		"D1": {channel: "whatsapp", recipient: "886912345678"},
		"D2": {channel: "line", recipient: "U1"},
		"D3": {channel: "facebook", recipient: "77"},
		"D4": {channel: "instagram", recipient: "77"}, // the same digits, another person
		"D5": {channel: "whatsapp", recipient: "85291234567"},
		"D6": {channel: "whatsapp", recipient: "85291234567"},
	}}
}

func row(id, channel, state string) apiclient.Recipient {
	return apiclient.Recipient{CustomerID: id, Channel: channel, State: state}
}

func delivery(channel simulator.Channel, recipient string) simulator.Delivery {
	return simulator.Delivery{Channel: channel, Recipient: recipient, ContentSHA256: "a", Delivered: true}
}

// clean is a run in which nothing went wrong.
func clean() ([]apiclient.Recipient, []simulator.Delivery) {
	return []apiclient.Recipient{
			row("D1", "whatsapp", "read"), row("D2", "line", "sent"), row("D3", "facebook", "received"),
			row("D4", "instagram", "failed"), row("D5", "whatsapp", "skipped"),
		}, []simulator.Delivery{
			delivery("whatsapp", "886912345678"), delivery("line", "U1"), delivery("facebook", "77"),
			{Channel: "instagram", Recipient: "77", ContentSHA256: "a"}, // taken, never delivered
		}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	good := comparison{recipients: 5, sent: 3, failed: 1, skipped: 1, delivered: 3}
	tests := []struct {
		name   string
		change func(rows []apiclient.Recipient, truth []simulator.Delivery) ([]apiclient.Recipient, []simulator.Delivery)
		want   func(c *comparison)
		lost   int
		fault  string
	}{
		{"clean", nil, func(*comparison) {}, 0, ""},
		{"duplicate", func(r []apiclient.Recipient, d []simulator.Delivery) ([]apiclient.Recipient, []simulator.Delivery) {
			return r, append(d, delivery("whatsapp", "886912345678"))
		}, func(c *comparison) { c.duplicates = 1 }, 0, "1 messages were delivered twice"},
		{"second content is no duplicate", func(r []apiclient.Recipient, d []simulator.Delivery) ([]apiclient.Recipient, []simulator.Delivery) {
			d = append(d, delivery("line", "U1"))
			d[len(d)-1].ContentSHA256 = "b"
			return r, d
		}, func(*comparison) {}, 0, ""},
		{"claimed but never delivered", func(r []apiclient.Recipient, d []simulator.Delivery) ([]apiclient.Recipient, []simulator.Delivery) {
			d[1].Delivered = false
			return r, d
		}, func(c *comparison) { c.claimed, c.delivered = 1, 2 }, 1, "1 recipients were lost (0 without a final state, 0 not in the broadcast, 1 claimed"},
		{"no final state", func(r []apiclient.Recipient, d []simulator.Delivery) ([]apiclient.Recipient, []simulator.Delivery) {
			r[3].State = "sending"
			return r, d
		}, func(c *comparison) { c.unsettled, c.failed = 1, 0 }, 1, "1 recipients were lost"},
		{"not in the broadcast", func(r []apiclient.Recipient, d []simulator.Delivery) ([]apiclient.Recipient, []simulator.Delivery) {
			return r[:4], d
		}, func(c *comparison) { c.missing, c.recipients, c.skipped = 1, 4, 0 }, 1, "1 recipients were lost"},
		{"phantom: delivered though we say skipped", func(r []apiclient.Recipient, d []simulator.Delivery) ([]apiclient.Recipient, []simulator.Delivery) {
			return r, append(d, delivery("whatsapp", "85291234567"))
		}, func(c *comparison) { c.unclaimed, c.delivered = 1, 4 }, 0, ""},
		{"stranger", func(r []apiclient.Recipient, d []simulator.Delivery) ([]apiclient.Recipient, []simulator.Delivery) {
			return r, append(d, delivery("whatsapp", "1"))
		}, func(c *comparison) { c.strangers = 1 }, 0, "1 people outside the audience"},
		{"unknown is accounted for", func(r []apiclient.Recipient, d []simulator.Delivery) ([]apiclient.Recipient, []simulator.Delivery) {
			r[3].State = "unknown"
			return r, d
		}, func(c *comparison) { c.failed, c.unknown = 0, 1 }, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rows, truth := clean()
			if tt.change != nil {
				rows, truth = tt.change(rows, truth)
			}
			want := good
			tt.want(&want)
			got := compare(audience(), rows, truth)
			require.Equal(t, tt.lost, got.lost())
			fault := verdict{comparison: got}.fault()
			if tt.fault == "" {
				require.Empty(t, fault)
			} else {
				require.Contains(t, fault, tt.fault)
			}
			examples := got.examples
			got.examples = nil
			require.Equal(t, want, got)
			if want.lost()+want.duplicates+want.unclaimed+want.strangers > 0 {
				require.Len(t, examples, 1)
			} else {
				require.Empty(t, examples)
			}
		})
	}
}
