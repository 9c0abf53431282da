package omniflow

import (
	"math"
	"time"
)

// The limits.* of section 29.
const (
	MaxBulkTransfer                = 20                  // conversations an operation (BLK-03)
	MaxBulkDelete                  = 40                  // conversations an execution, delete and blacklist (BLK-04)
	MaxGroupMembers                = 8                   // of a WhatsApp group
	MaxCollaborators               = 5                   // of a conversation, without its follower
	MaxBroadcastMessages           = 5                   // of a broadcast (BRD-05, D-BRD-1)
	MaxProducts                    = 10                  // of a shopping link
	MaxRecentStickers              = 16                  // shown
	MaxTagExport                   = 30 * 24 * time.Hour // span of a tag export (EXP-05)
	PixelPageRows                  = 100                 // rows a page
	MaxOrderAge                    = 90 * 24 * time.Hour // of the orders shown
	MaxGroupNameBytes              = 128                 // WhatsApp, UTF-8
	MaxGroupDescriptionBytes       = 2048                // WhatsApp, UTF-8
	MaxLINEGroupMembers            = 500                 // including the official account
	MaxLINEGroupName               = 50                  // characters
	MaxLINENote                    = 1000                // characters
	LINEFileLife                   = 30 * 24 * time.Hour // from the next UTC midnight (FIL-07)
	MaxImportBytes           int64 = 64 << 20            // of a customer file
)

// Rates of a channel account in calls per second: channels/whatsapp.md 5.1,
// line.md 7, messenger.md 6, instagram.md 6. Facebook's and Instagram's default is the
// sustained rate over which Meta stops the page; their maximum is the ceiling
// of a single second. Web chat has no provider: its rate is ours.
const (
	LINEMulticastRate    = 200 // calls of up to 500 recipients each
	MaxLINEMulticastRate = 200
)

var defaultRates = map[Channel]float64{WhatsApp: 80, LINE: 2000, Facebook: 40, Instagram: 40, Webchat: 200}

var maxRates = map[Channel]float64{WhatsApp: 1000, LINE: 2000, Facebook: 300, Instagram: 300, Webchat: 2000}

// DefaultRate is the rate of a new account of ch, in messages per second; 0
// for a channel that the pipeline does not send to.
func DefaultRate(ch Channel) float64 { return defaultRates[ch] }

// MaxRate is the highest rate the provider documents for an account of ch, in
// messages per second; 0 for a channel that the pipeline does not send to.
func MaxRate(ch Channel) float64 { return maxRates[ch] }

// CheckRate refuses with rate_invalid what is not above 0 and at most MaxRate.
func CheckRate(ch Channel, perSecond float64) *Refusal {
	return checkRate(perSecond, MaxRate(ch), ch)
}

// CheckMulticastRate is CheckRate for LINE's multicast calls.
func CheckMulticastRate(perSecond float64) *Refusal {
	return checkRate(perSecond, MaxLINEMulticastRate, LINE)
}

func checkRate(perSecond, highest float64, ch Channel) *Refusal {
	if math.IsNaN(perSecond) || perSecond <= 0 || perSecond > highest {
		return Refuse(RateInvalid, "D-BRD-2", "the rate of a %s account must be above 0 and at most %g per second", ch, highest)
	}
	return nil
}

// LimiterOf is the limiter that a broadcast of messages runs under on ch:
// LINE's goes by multicast calls, unless a name makes every recipient's text
// another.
func LimiterOf(ch Channel, messages []Content) LimiterName {
	if ch == LINE && !PersonalContents(Expand(messages)) {
		return MulticastLimiter
	}
	return MessagesLimiter
}

// CheckBroadcastRate checks the rate at which a broadcast under a limiter of
// ch may run: of messages, or of multicast calls.
func CheckBroadcastRate(ch Channel, limiter LimiterName, perSecond float64) *Refusal {
	if limiter == MulticastLimiter {
		return CheckMulticastRate(perSecond)
	}
	return CheckRate(ch, perSecond)
}
