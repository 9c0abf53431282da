package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"omniflow/internal/omniflow"
)

// beatEach is how often a slice shows in the ledger that it is worked on, and
// looks how much of its lane failed of late.
const beatEach = time.Second

// beating tells the engine every second that the activity lives, until stop.
func beating(ctx context.Context) (stop func()) {
	if !activity.IsActivity(ctx) {
		return func() {}
	}
	return every(ctx, heartbeatEach, func() { activity.RecordHeartbeat(ctx) })
}

// every runs do at once and then once a pause, until stop or the end of ctx.
// stop waits for it.
func every(ctx context.Context, pause time.Duration, do func()) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(pause)
		defer ticker.Stop()
		for {
			do()
			select {
			case <-ticker.C:
			case <-done:
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { close(done); <-ended }
}

// beat shows that the slice's lane is worked on, and stops the lane when more
// of its last outcomes failed than the broadcast allows.
func (r *sliceRun) beat(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendWithin)
	defer cancel()
	outcomes, err := r.ledger.Beat(ctx, r.slice.Lane)
	stopped := false
	if err == nil && outcomes.TooManyFailed(r.job.StopFailurePercent) {
		stopped, err = r.ledger.StopLane(ctx, r.slice.Lane, omniflow.FailureRate)
	}
	if stopped {
		r.meter.Stopped(r.slice.Channel, string(omniflow.FailureRate))
		r.log.Error("too much fails: the lane sends nothing more until an operator acts", "team_id", r.slice.TeamID, "channel", r.slice.Channel,
			"broadcast_id", r.slice.BroadcastID, "code", omniflow.FailureRate, "failed", outcomes.Failed, "taken", outcomes.Taken)
	}
	if err != nil {
		r.log.Warn("beat is not noted", "team_id", r.slice.TeamID, "broadcast_id", r.slice.BroadcastID, "error", err)
	}
}
