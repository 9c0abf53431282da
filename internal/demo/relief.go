package main

import (
	"context"
	"sync"

	"omniflow/internal/apiclient"
)

// relief ends the bad day of a provider when most of its lane has been sent.
// What is in doubt by then is proven by the webhooks of what follows; a doubt
// about the very last message would have to wait until it is given up.
type relief struct {
	relieve func(ctx context.Context, accountID string) error
	note    func(format string, args ...any)

	mu   sync.Mutex
	over map[string]bool // accounts
}

func newRelief(relieve func(context.Context, string) error, note func(string, ...any)) *relief {
	return &relief{relieve: relieve, note: note, over: map[string]bool{}}
}

// look is called with every state of the broadcast.
func (r *relief) look(ctx context.Context, b apiclient.Broadcast) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range b.Lanes {
		if r.over[l.ChannelAccountID] || sentShare(l.Counts) < 0.7 {
			continue
		}
		r.over[l.ChannelAccountID] = true
		if err := r.relieve(ctx, l.ChannelAccountID); err != nil {
			r.note("  (the faults of %s could not be switched off: %v)", l.Channel, err)
			continue
		}
		r.note("  ** %s: 70 %% sent, the provider's bad day is over", l.Channel)
	}
}

// sentShare is how much of what can be sent at all has been sent, 0 to 1.
func sentShare(t apiclient.Tally) float64 {
	able := t.Planned - t.Skipped
	if able <= 0 {
		return 0
	}
	return float64(t.Delivered()+t.Failed+t.Unknown) / float64(able)
}
