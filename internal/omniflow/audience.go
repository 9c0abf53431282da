package omniflow

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// Recipient is what rules need to know about one conversation of an audience.
type Recipient struct {
	ConversationID uuid.UUID
	Channel        Channel
	Type           ConversationType
	State          ConversationState
	FollowerID     uuid.UUID // zero: nobody
	WABAID         string    // WhatsApp only
	Blocked        bool      // the customer is blocked by us
	LastMessageAt  *time.Time
}

// PermitRecipients refuses with recipient_not_allowed unless every recipient
// is a one-to-one conversation in the actor's own "my handling" (BRD-02,
// BRD-12, D-BRD-4): a team list does not do, nor does collaborating.
func PermitRecipients(actorID uuid.UUID, rs []Recipient) *Refusal {
	bad := 0
	for _, r := range rs {
		if !r.handledBy(actorID) {
			bad++
		}
	}
	if bad > 0 {
		return Refuse(RecipientNotAllowed, "BRD-02", "%d of %d conversations are not in my handling", bad, len(rs))
	}
	return nil
}

func (r Recipient) handledBy(actorID uuid.UUID) bool {
	return r.State == Handling && r.FollowerID == actorID && r.FollowerID != uuid.Nil && (r.Type == OneToOne || r.Type == "")
}

// Skip says why a broadcast of the actor with content of kind must not go to r
// now, or "" if it may: no_longer_handling, customer_blocked, or a code of
// CheckBroadcastWindow. It is asked when the audience is frozen and again at
// the send (D-SYS-00).
func (r Recipient) Skip(actorID uuid.UUID, kind MessageKind, now time.Time) Code {
	if !r.handledBy(actorID) {
		return NoLongerHandling
	}
	if r.Blocked {
		return CustomerBlocked
	}
	if refusal := CheckBroadcastWindow(r.Channel, kind, r.LastMessageAt, now); refusal != nil {
		return refusal.Code
	}
	return ""
}

// CheckAudience checks the recipients a selection found: how many there are on
// each channel, and the WABA ids of those on WhatsApp, repeated or not.
// Refusals: broadcast_empty, broadcast_channel_unsupported, template_invalid
// (a template to another channel), broadcast_waba_conflict (BRD-09).
func CheckAudience(channels map[Channel]int, wabas []string, kind BroadcastKind) *Refusal {
	var unsupported, notWhatsApp []Channel
	total := 0
	for ch, n := range channels {
		if n <= 0 {
			continue
		}
		total += n
		if !slices.Contains(BroadcastChannels[:], ch) {
			unsupported = append(unsupported, ch)
		}
		if ch != WhatsApp {
			notWhatsApp = append(notWhatsApp, ch)
		}
	}
	slices.Sort(unsupported) // the order of a map must not show
	slices.Sort(notWhatsApp)
	switch {
	case total == 0:
		return Refuse(BroadcastEmpty, "BRD-02", "the audience is empty")
	case len(unsupported) > 0:
		return unsupportedChannels(unsupported...)
	case kind != BroadcastTemplate:
		return nil
	case len(notWhatsApp) > 0:
		return templateElsewhere(notWhatsApp...)
	}
	return checkWABAs(wabas)
}

func checkWABAs(wabas []string) *Refusal {
	for _, w := range wabas {
		if w != wabas[0] {
			return Refuse(BroadcastWABAConflict, "BRD-09", "the recipients belong to different WhatsApp business accounts")
		}
	}
	return nil
}

// CheckBoundAudience checks a broadcast to bound customers, which goes to one
// channel only, LINE or WhatsApp (BRD-11): broadcast_cross_channel, then what
// CheckAudience refuses.
func CheckBoundAudience(channels map[Channel]int, wabas []string, kind BroadcastKind) *Refusal {
	var used []Channel
	for _, ch := range BroadcastChannels {
		if channels[ch] > 0 {
			used = append(used, ch)
		}
	}
	if len(used) > 1 {
		return crossChannel(used)
	}
	if len(used) == 1 && used[0] != LINE && used[0] != WhatsApp {
		return unsupportedChannels(used...)
	}
	return CheckAudience(channels, wabas, kind)
}
