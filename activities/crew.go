package activities

import (
	"context"
	"sync/atomic"
	"time"

	"omniflow/internal/omniflow"
)

// handover is one claimed row on its way to who sends it.
type handover struct {
	message omniflow.ClaimedMessage
	group   *group
}

// group is rows that were claimed together: they share one deadline.
type group struct {
	ctx    context.Context
	cancel context.CancelFunc
	at     time.Time // of the claim
	left   atomic.Int64
}

// newGroup makes the group of n rows claimed at the given time.
func newGroup(ctx context.Context, at time.Time, n int) *group {
	g := &group{at: at}
	g.ctx, g.cancel = callContext(ctx, at)
	g.left.Store(int64(n))
	if n == 0 {
		g.cancel()
	}
	return g
}

// done says that one row of the group is through.
func (g *group) done() {
	if g.left.Add(-1) == 0 {
		g.cancel()
	}
}

// hand gives a row to a member of the crew who is idle, or to a new one. They
// stay until the slice is over, because a goroutine keeps the stack that its
// first call has grown: growing one for each message cost a tenth of a send.
func (r *sliceRun) hand(h handover) {
	select {
	case r.crew <- h:
	default:
		go func() {
			for open := true; open; h, open = <-r.crew {
				r.sendOne(h.group.ctx, h.message, h.group.at)
				h.group.done()
				r.room.leave(1)
			}
		}()
	}
}
