package simulator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Fault is one way in which a request goes wrong on purpose.
type Fault string

// The faults. Those called lost, and Truncated, take the message and spoil the
// answer; the others take nothing.
const (
	Throttle    Fault = "throttle"    // the provider's rate limit answer
	Unavailable Fault = "unavailable" // the provider's 5xx answer
	Refuse      Fault = "refuse"      // the connection is cut
	Permanent   Fault = "permanent"   // this recipient can never be reached
	Lost500     Fault = "lost_500"    // taken; answered exactly as Unavailable
	LostReset   Fault = "lost_reset"  // taken; the connection is cut, nothing written
	LostHang    Fault = "lost_hang"   // taken; answered after HangSeconds
	Truncated   Fault = "truncated"   // taken; answered with half of the JSON
)

// Faults says how often requests of an account go wrong. Shares are between 0
// and 1, sum to 1 at most, and are drawn once a request.
type Faults struct {
	Channel    Channel `json:"channel"`     // "" or "*" is every channel
	ExternalID string  `json:"external_id"` // "" or "*" is every account, those to come too
	Seed       uint64  `json:"seed,omitempty"`

	Throttle    float64 `json:"throttle,omitempty"`
	Unavailable float64 `json:"unavailable,omitempty"`
	Refuse      float64 `json:"refuse,omitempty"`
	Permanent   float64 `json:"permanent,omitempty"`
	Lost500     float64 `json:"lost_500,omitempty"`
	LostReset   float64 `json:"lost_reset,omitempty"`
	LostHang    float64 `json:"lost_hang,omitempty"`
	Truncated   float64 `json:"truncated,omitempty"`

	// HangSeconds is how long LostHang waits before it answers.
	HangSeconds float64 `json:"hang_seconds,omitempty"`
	// StopCode, if not 0, is the error that every send gets until it is
	// cleared: a Graph code, or for LINE 401, 403, or 429 for the quota.
	StopCode int `json:"stop_code,omitempty"`
	// LatencyMS delays every answer; the message is taken before the delay.
	LatencyMS int `json:"latency_ms,omitempty"`
	// Next hits single recipients, before any draw.
	Next []NextFault `json:"next,omitempty"`
	// NextUploads hits the next uploads of files, one each: unavailable,
	// permanent, or one of the lost ones; any other takes nothing away.
	NextUploads []Fault `json:"next_uploads,omitempty"`
}

// NextFault is the fate of the next requests to one recipient.
type NextFault struct {
	Recipient string `json:"recipient"` // "*" is whoever comes next
	Fault     Fault  `json:"fault"`
	Times     int    `json:"times,omitempty"` // 0 is once
}

// share is one fault with its probability, in the order of the draw.
type share struct {
	fault Fault
	p     float64
}

func (f Faults) shares() []share {
	return []share{
		{Throttle, f.Throttle}, {Unavailable, f.Unavailable}, {Refuse, f.Refuse},
		{Permanent, f.Permanent}, {Lost500, f.Lost500}, {LostReset, f.LostReset},
		{LostHang, f.LostHang}, {Truncated, f.Truncated},
	}
}

func (f Faults) check() error {
	if f.Channel != "" && f.Channel != "*" && !f.Channel.valid() {
		return fmt.Errorf("unknown channel %q", f.Channel)
	}
	sum := 0.0
	known := map[Fault]bool{}
	for _, s := range f.shares() {
		if s.p < 0 || s.p > 1 {
			return fmt.Errorf("share of %s is not between 0 and 1", s.fault)
		}
		sum += s.p
		known[s.fault] = true
	}
	if sum > 1.000001 {
		return fmt.Errorf("shares sum to %g, more than 1", sum)
	}
	for _, n := range f.Next {
		if !known[n.Fault] || n.Recipient == "" || n.Times < 0 {
			return fmt.Errorf("next fault %q for a recipient is not usable", n.Fault)
		}
	}
	return nil
}

// SetFaults replaces the faults of the accounts that f names.
func (s *Server) SetFaults(f Faults) error {
	if err := f.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if everyone(f.ExternalID) {
		s.faults = slices.DeleteFunc(s.faults, func(old Faults) bool { return old.Channel == f.Channel })
		s.faults = append(s.faults, f)
	}
	return s.apply(f.Channel, f.ExternalID, func(a *account) { a.setFaults(f) })
}

func (a *account) setFaults(f Faults) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = injector{cfg: f, shares: f.shares(), rng: rand.New(rand.NewPCG(f.Seed, f.Seed))}
	for _, n := range f.Next {
		n.Recipient, n.Times = a.personID(n.Recipient), max(1, n.Times)
		a.faults.next = append(a.faults.next, n)
	}
}

// injector draws the fate of each request.
type injector struct {
	cfg    Faults
	shares []share
	rng    *rand.Rand
	next   []NextFault
}

// pick returns the fault of a request to recipients, "" for none, and which of
// them it is aimed at.
func (i *injector) pick(recipients []string) (Fault, int) {
	for n := range i.next {
		for at, id := range recipients {
			if i.next[n].Recipient != id && i.next[n].Recipient != "*" {
				continue
			}
			fault := i.next[n].Fault
			if i.next[n].Times--; i.next[n].Times == 0 {
				i.next = append(i.next[:n], i.next[n+1:]...)
			}
			return fault, at
		}
	}
	if i.rng == nil {
		return "", 0
	}
	draw := i.rng.Float64()
	for _, s := range i.shares {
		if draw < s.p {
			return s.fault, 0
		}
		draw -= s.p
	}
	return "", 0
}

func (i *injector) latency() time.Duration {
	return time.Duration(i.cfg.LatencyMS) * time.Millisecond
}

func (i *injector) hang() time.Duration {
	return time.Duration(i.cfg.HangSeconds * float64(time.Second))
}
