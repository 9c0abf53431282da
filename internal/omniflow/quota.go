package omniflow

import (
	"time"

	"github.com/google/uuid"
)

// AccountRef names a channel account.
type AccountRef struct {
	TeamID           uuid.UUID
	ChannelAccountID uuid.UUID
}

// Quota is how many recipients a provider lets an account send to this month,
// as it said at ReadAt. The provider's count is approximate (LINE).
type Quota struct {
	Limited bool
	Limit   int // of a limited one
	Used    int
	ReadAt  time.Time
}

// QuotaState says what a quota means for a number of recipients.
type QuotaState string

// The states of a quota.
const (
	QuotaUnknown   QuotaState = "unknown" // never read
	QuotaUnlimited QuotaState = "unlimited"
	QuotaEnough    QuotaState = "enough"
	QuotaShort     QuotaState = "short" // the provider will refuse a part
)

// QuotaFor says whether q, nil when it was never read, is enough for so many
// recipients.
func QuotaFor(q *Quota, recipients int) QuotaState {
	switch {
	case q == nil:
		return QuotaUnknown
	case !q.Limited:
		return QuotaUnlimited
	case q.Used+recipients <= q.Limit:
		return QuotaEnough
	}
	return QuotaShort
}
