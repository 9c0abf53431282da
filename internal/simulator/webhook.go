package simulator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Webhooks says how an account's webhooks travel. Shares are between 0 and 1.
// DefaultWebhooks is what an account has that was told nothing.
type Webhooks struct {
	Channel    Channel `json:"channel"`     // "" or "*" is every channel
	ExternalID string  `json:"external_id"` // "" or "*" is every account, those to come too
	Seed       uint64  `json:"seed,omitempty"`

	// Every event comes DelayMS to DelayMS+JitterMS after what it follows:
	// acceptance, or the event before it.
	DelayMS  int `json:"delay_ms"`
	JitterMS int `json:"jitter_ms"`

	Duplicate float64 `json:"duplicate"` // sent again, up to 2 s later
	Reorder   float64 `json:"reorder"`   // sent 0.3 to 1.5 s late, after what follows it
	Drop      float64 `json:"drop"`      // never sent
	// BeforeResponse is the share of messages whose first event is delivered
	// before the HTTP response is written, which waits 2 s at most.
	BeforeResponse float64 `json:"before_response"`

	Delivered       float64 `json:"delivered"`         // of the messages taken
	Read            float64 `json:"read"`              // of those delivered
	FailedAfterSent float64 `json:"failed_after_sent"` // WhatsApp: sent, then failed

	// BatchMax events at most travel in one POST; those of the same BatchMS
	// are gathered.
	BatchMax int `json:"batch_max"`
	BatchMS  int `json:"batch_ms"`

	// Disabled keeps events in the queue; they all come when it is false again.
	Disabled bool `json:"disabled,omitempty"`
	// Retry sends again what was not answered with 200, after 0.2, 1, 2, 4, 8,
	// 16, 30, 30 s and so on, for an hour.
	Retry bool `json:"retry"`
	// TimeoutMS is how long an answer may take; 0 is 2 s for LINE, 5 s for
	// facebook and instagram, 20 s for WhatsApp.
	TimeoutMS int `json:"timeout_ms,omitempty"`
}

// DefaultWebhooks are prompt, with a few repeated and out of order.
func DefaultWebhooks() Webhooks {
	return Webhooks{
		DelayMS: 50, JitterMS: 250, Duplicate: 0.01, Reorder: 0.03, BeforeResponse: 0.01,
		Delivered: 0.98, Read: 0.6, BatchMax: 100, BatchMS: 50, Retry: true,
	}
}

func (h Webhooks) check() error {
	if h.Channel != "" && h.Channel != "*" && !h.Channel.valid() {
		return fmt.Errorf("unknown channel %q", h.Channel)
	}
	for name, p := range map[string]float64{"duplicate": h.Duplicate, "reorder": h.Reorder, "drop": h.Drop,
		"before_response": h.BeforeResponse, "delivered": h.Delivered, "read": h.Read, "failed_after_sent": h.FailedAfterSent} {
		if p < 0 || p > 1 {
			return fmt.Errorf("%s is not between 0 and 1", name)
		}
	}
	if h.DelayMS < 0 || h.JitterMS < 0 || h.BatchMS < 0 || h.TimeoutMS < 0 {
		return fmt.Errorf("times cannot be negative")
	}
	if h.BatchMax < 1 || h.BatchMax > 1000 {
		return fmt.Errorf("batch_max is not between 1 and 1000")
	}
	return nil
}

// SetWebhooks replaces the webhook settings of the accounts that h names.
func (s *Server) SetWebhooks(h Webhooks) error {
	if err := h.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if everyone(h.ExternalID) {
		s.hooks = slices.DeleteFunc(s.hooks, func(old Webhooks) bool { return old.Channel == h.Channel })
		s.hooks = append(s.hooks, h)
	}
	return s.apply(h.Channel, h.ExternalID, func(a *account) { a.setWebhooks(h) })
}

func (a *account) setWebhooks(h Webhooks) {
	a.mu.Lock()
	defer a.mu.Unlock()
	seed := h.Seed
	if seed == 0 {
		seed = rand.Uint64()
	}
	a.hooks = hookDice{cfg: h, rng: rand.New(rand.NewPCG(seed, seed))}
	a.queue.tune(h)
}

// hookDice draws what happens to an account's events.
type hookDice struct {
	cfg Webhooks
	rng *rand.Rand
}

func (d *hookDice) draw(p float64) bool { return p > 0 && d.rng.Float64() < p }

// pause is the time from one event to the next.
func (d *hookDice) pause() time.Duration {
	return time.Duration(d.cfg.DelayMS)*time.Millisecond + d.upTo(time.Duration(d.cfg.JitterMS)*time.Millisecond)
}

func (d *hookDice) upTo(limit time.Duration) time.Duration {
	if limit <= 0 {
		return 0
	}
	return time.Duration(d.rng.Int64N(int64(limit)))
}

// The bounds of the delay of an event that is sent out of order, and of a
// repetition.
const (
	reorderLeast = 300 * time.Millisecond
	reorderMost  = 1500 * time.Millisecond
	repeatMost   = 2 * time.Second
)

// emit sends an event later, perhaps late, twice or never. It runs under a.mu.
func (a *account) emit(e event, after time.Duration) {
	if a.cfg.WebhookURL == "" {
		return
	}
	if a.hooks.draw(a.hooks.cfg.Drop) {
		a.queue.drop()
		return
	}
	if a.hooks.draw(a.hooks.cfg.Reorder) {
		after += reorderLeast + a.hooks.upTo(reorderMost-reorderLeast)
	}
	a.queue.add(e, after, false)
	if a.hooks.draw(a.hooks.cfg.Duplicate) {
		a.queue.add(e, after+a.hooks.upTo(repeatMost), true)
	}
}

// emitFirst is emit for the first event of a message. When the event is to
// come before the HTTP response it returns what the response waits for.
func (a *account) emitFirst(e event, after time.Duration) <-chan struct{} {
	if a.cfg.WebhookURL == "" || a.hooks.cfg.Disabled || !a.hooks.draw(a.hooks.cfg.BeforeResponse) {
		a.emit(e, after)
		return nil
	}
	return a.queue.now(e)
}
