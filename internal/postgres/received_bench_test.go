package postgres

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres/postgrestest"
)

// BenchmarkCustomerMessages stores messages of known and of new customers in
// batches of 200: go test ./internal/postgres -run '^$' -bench CustomerMessages -benchtime 10000x
func BenchmarkCustomerMessages(b *testing.B) {
	for name, known := range map[string]int{"known": 1000, "new": 1 << 30} {
		b.Run(name, func(b *testing.B) {
			dsn := postgrestest.New(b, migrateUp)
			store, err := Open(b.Context(), dsn, 4)
			require.NoError(b, err)
			b.Cleanup(store.Close)
			team := postgrestest.NewTeam(b, dsn)
			n := 0
			tell := func(count int) {
				team.Exec(`INSERT INTO inbox (team_id, channel, channel_account_id, event_key, body) VALUES ($1, 'line', $2, $3, '{}')`, team.ID, team.Account["line"], newID().String())
				_, err := store.DrainInbox(b.Context(), 10, func([]omniflow.InboxItem) omniflow.Intake {
					var in omniflow.Intake
					for range count {
						in.Messages = append(in.Messages, omniflow.CustomerMessage{TeamID: team.ID, Channel: omniflow.LINE, ChannelAccountID: team.Account["line"],
							Sender: fmt.Sprintf("U%d", n%known), ProviderID: fmt.Sprint(n), Kind: "text", Text: "hello", At: time.Now()})
						n++
					}
					return in
				})
				require.NoError(b, err)
			}
			for range 5 {
				tell(200)
			}
			b.ResetTimer()
			for left := b.N; left > 0; left -= 200 {
				tell(min(left, 200))
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}
