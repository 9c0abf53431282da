package truth_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/apiclient"
	"omniflow/internal/simulator"
	"omniflow/internal/truth"
)

// audience is one customer a channel and a second one on WhatsApp, who is in
// the file twice.
func audience() map[string]truth.Person {
	return map[string]truth.Person{
		"D1": {Channel: "whatsapp", Recipient: "886912345678"},
		"D2": {Channel: "line", Recipient: "U1"},
		"D3": {Channel: "facebook", Recipient: "77"},
		"D4": {Channel: "instagram", Recipient: "77"}, // the same digits, another person
		"D5": {Channel: "whatsapp", Recipient: "85291234567"},
		"D6": {Channel: "whatsapp", Recipient: "85291234567"},
	}
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
	good := truth.Comparison{Recipients: 5, Sent: 3, Failed: 1, Skipped: 1, Delivered: 3}
	tests := []struct {
		name   string
		change func(rows []apiclient.Recipient, deliveries []simulator.Delivery) ([]apiclient.Recipient, []simulator.Delivery)
		want   func(c *truth.Comparison)
		lost   int
	}{
		{"clean", nil, func(*truth.Comparison) {}, 0},
		{"duplicate", func(r []apiclient.Recipient, d []simulator.Delivery) ([]apiclient.Recipient, []simulator.Delivery) {
			return r, append(d, delivery("whatsapp", "886912345678"))
		}, func(c *truth.Comparison) { c.Duplicates = 1 }, 0},
		{"second content is no duplicate", func(r []apiclient.Recipient, d []simulator.Delivery) ([]apiclient.Recipient, []simulator.Delivery) {
			d = append(d, delivery("line", "U1"))
			d[len(d)-1].ContentSHA256 = "b"
			return r, d
		}, func(*truth.Comparison) {}, 0},
		{"claimed but never delivered", func(r []apiclient.Recipient, d []simulator.Delivery) ([]apiclient.Recipient, []simulator.Delivery) {
			d[1].Delivered = false
			return r, d
		}, func(c *truth.Comparison) { c.Claimed, c.Delivered = 1, 2 }, 1},
		{"no final state", func(r []apiclient.Recipient, d []simulator.Delivery) ([]apiclient.Recipient, []simulator.Delivery) {
			r[3].State = "sending"
			return r, d
		}, func(c *truth.Comparison) { c.Unsettled, c.Failed = 1, 0 }, 1},
		{"not in the broadcast", func(r []apiclient.Recipient, d []simulator.Delivery) ([]apiclient.Recipient, []simulator.Delivery) {
			return r[:4], d
		}, func(c *truth.Comparison) { c.Missing, c.Recipients, c.Skipped = 1, 4, 0 }, 1},
		{"phantom: delivered though we say skipped", func(r []apiclient.Recipient, d []simulator.Delivery) ([]apiclient.Recipient, []simulator.Delivery) {
			return r, append(d, delivery("whatsapp", "85291234567"))
		}, func(c *truth.Comparison) { c.Unclaimed, c.Delivered = 1, 4 }, 0},
		{"stranger", func(r []apiclient.Recipient, d []simulator.Delivery) ([]apiclient.Recipient, []simulator.Delivery) {
			return r, append(d, delivery("whatsapp", "1"))
		}, func(c *truth.Comparison) { c.Strangers = 1 }, 0},
		{"unknown is accounted for", func(r []apiclient.Recipient, d []simulator.Delivery) ([]apiclient.Recipient, []simulator.Delivery) {
			r[3].State = "unknown"
			return r, d
		}, func(c *truth.Comparison) { c.Failed, c.Unknown = 0, 1 }, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rows, deliveries := clean()
			if tt.change != nil {
				rows, deliveries = tt.change(rows, deliveries)
			}
			want := good
			tt.want(&want)
			got := truth.Compare(audience(), rows, deliveries)
			require.Equal(t, tt.lost, got.Lost())
			examples := got.Examples
			got.Examples = nil
			require.Equal(t, want, got)
			if want.Lost()+want.Duplicates+want.Unclaimed+want.Strangers > 0 {
				require.Len(t, examples, 1)
			} else {
				require.Empty(t, examples)
			}
		})
	}
}
