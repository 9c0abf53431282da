package postgres

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// What a person sends beyond the reserve does not stand behind the slots that
// bulk traffic has leased ahead: bulk pays for it afterwards.
func TestBulkLendsATwentiethOfItsSlots(t *testing.T) {
	t.Parallel()
	s := limited(t, 80, 0)
	s.bookAhead()
	var before, after time.Time
	s.Scan(&before, `SELECT bulk_tat FROM limiters WHERE channel_account_id = $1`, s.account(omniflow.WhatsApp))
	for i := range 4 {
		require.Zero(t, s.interactive().Delay, "slot %d of what is lent in a second", i)
	}
	s.Exec(`UPDATE limiters SET borrowed_tat = clock_timestamp() + interval '5 seconds'`) // all of it, and more than it
	require.InDelta(t, 100, s.interactive().Delay.Seconds(), 10, "more than that waits for its slot")
	s.Scan(&after, `SELECT bulk_tat FROM limiters WHERE channel_account_id = $1`, s.account(omniflow.WhatsApp))
	require.InDelta(t, 5.0/80, after.Sub(before).Seconds(), 1e-5, "bulk has paid for all five")
}

func TestASlotThatIsTooFarIsNotBooked(t *testing.T) {
	t.Parallel()
	s := limited(t, 10, 0) // nothing is lent under 20 a second
	s.bookAhead()
	var before, after time.Time
	s.Scan(&before, `SELECT bulk_tat FROM limiters WHERE channel_account_id = $1`, s.account(omniflow.WhatsApp))
	l, err := s.LeaseInteractive(t.Context(), s.account(omniflow.WhatsApp), omniflow.MessagesLimiter, 3*time.Second)
	require.NoError(t, err)
	require.Zero(t, l.Slots)
	require.InDelta(t, 100, l.Delay.Seconds(), 10)
	s.Scan(&after, `SELECT bulk_tat FROM limiters WHERE channel_account_id = $1`, s.account(omniflow.WhatsApp))
	require.Equal(t, before, after)
}

// What people have booked beyond the leases of bulk traffic is still theirs
// when the rate changes: as many slots, at the new rate.
func TestANewRateKeepsWhatIsBooked(t *testing.T) {
	t.Parallel()
	s := limited(t, 80, 0)
	s.Exec(`UPDATE limiters SET bulk_tat = clock_timestamp() + interval '100.9 seconds'`) // 8,000 slots beyond the leases
	require.True(t, s.setTo(40))
	require.InDelta(t, 200.9, s.lease(1).Delay.Seconds(), 10)
}
