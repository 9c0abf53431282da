package customercsv

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// FuzzEach feeds any bytes: every row is good, rejected or a duplicate, and
// what is good keeps the promises of Row.
func FuzzEach(f *testing.F) {
	f.Add(messy(1))
	f.Add(head + "C1,\"x\ny\",TW,0921-050-328,,whatsapp,,,,\"a,\"\"b\"\"\"\n")
	f.Add(head + "C1,a\"b,TW\n\"")
	f.Add("\xff\xfec\x00")
	f.Fuzz(func(t *testing.T, file string) {
		customers := map[string]bool{}
		report, err := Each(strings.NewReader(file), Options{Now: noon}, func(r Row) error {
			require.NotEmpty(t, r.CustomerID)
			require.False(t, customers[r.CustomerID])
			customers[r.CustomerID] = true
			require.Contains(t, omniflow.BroadcastChannels, r.Channel)
			require.NotEmpty(t, r.ChannelUserID)
			require.Equal(t, r.Channel == omniflow.WhatsApp, r.Phone == "+"+r.ChannelUserID)
			return nil
		})
		if err != nil {
			var refusal *omniflow.Refusal
			require.True(t, errors.As(err, &refusal), "%v", err)
			return
		}
		lines := map[int]bool{}
		for _, i := range append(report.Rejected, report.Duplicates...) {
			lines[i.Line] = true
		}
		require.Equal(t, report.Rows, report.Good+len(lines))
	})
}
