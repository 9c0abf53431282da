package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"omniflow/activities"
	"omniflow/internal/omniflow"
)

// start is what a broadcast knows of its start. Orders change it before the
// lanes exist.
type start struct {
	control  omniflow.Control
	awaiting bool // an approval
	approved bool
}

// awaitStart waits for the time at which the broadcast starts, and while it is
// paused. A start that comes too late, since nobody worked at its time or it
// was paused over it, waits for an approval instead of sending. It returns
// true when the broadcast is not to start at all.
func (b *broadcast) awaitStart(ctx workflow.Context) (bool, error) {
	if b.in.StartAt.IsZero() {
		return false, nil
	}
	until := b.in.StartAt.UTC().Format("2006-01-02 15:04:05 MST")
	workflow.SetCurrentDetails(ctx, "Scheduled: starts at "+until+".")
	if err := b.note(ctx, omniflow.BroadcastScheduled); err != nil {
		return false, err
	}
	if wait := b.in.StartAt.Sub(workflow.Now(ctx)); wait > 0 {
		_, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
			Timeout: wait, TimerOptions: workflow.TimerOptions{Summary: "until the start at " + until},
		}, b.cancelled)
		if err != nil {
			return b.giveUpStart(ctx, err)
		}
	}
	if err := workflow.Await(ctx, func() bool { return b.start.control != omniflow.Paused }); err != nil {
		return b.giveUpStart(ctx, err)
	}
	if late := workflow.Now(ctx).Sub(b.in.StartAt); late > b.in.LateAfter && !b.cancelled() {
		if err := b.awaitApproval(ctx, late); err != nil {
			return b.giveUpStart(ctx, err)
		}
	}
	return b.cancelled(), nil
}

// awaitApproval waits for an operator: what was right at its time may be wrong
// hours later.
func (b *broadcast) awaitApproval(ctx workflow.Context, late time.Duration) error {
	workflow.SetCurrentDetails(ctx, late.Round(time.Second).String()+" too late for its start. Approve it with the update "+UpdateApprove+", or cancel it.")
	b.start.awaiting = true
	if err := b.note(ctx, omniflow.BroadcastApproval); err != nil {
		return err
	}
	return workflow.Await(ctx, func() bool { return b.cancelled() || b.start.approved && b.start.control != omniflow.Paused })
}

func (b *broadcast) cancelled() bool { return b.start.control == omniflow.ControlCancelled }

// note writes how far the broadcast is where the console looks for it.
func (b *broadcast) note(ctx workflow.Context, state omniflow.BroadcastState) error {
	var facts omniflow.StartFacts
	err := workflow.ExecuteActivity(controlStep(ctx, b.team, "note: "+string(state)), act.StartBroadcast,
		activities.StartBroadcastInput{BroadcastInput: b.input(), State: state}).Get(ctx, &facts)
	if err == nil && facts.Control == omniflow.ControlCancelled {
		b.start.control = facts.Control
	}
	return err
}

// giveUpStart makes a cancellation of the run an order to cancel.
func (b *broadcast) giveUpStart(ctx workflow.Context, err error) (bool, error) {
	if ctx.Err() == nil {
		return false, err
	}
	ctx, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	_, err = b.take(ctx, omniflow.OrderCancel, ControlInput{Reason: "the run was cancelled"})
	return true, err
}

// listenForApproval registers the update that lets a late start go.
func (b *broadcast) listenForApproval(ctx workflow.Context) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, UpdateApprove,
		func(ctx workflow.Context, in ControlInput) (ControlResult, error) {
			return b.take(ctx, omniflow.OrderApprove, in)
		},
		workflow.UpdateHandlerOptions{
			Description: "start a broadcast that is too late for its start",
			Validator: func(workflow.Context, ControlInput) error {
				if !b.start.awaiting || b.cancelled() {
					return omniflow.Refuse(omniflow.InvalidInput, "SYS-02", "the broadcast does not wait for an approval")
				}
				return nil
			},
		})
}

// obeyed notes an order that reached a broadcast without lanes.
func (b *broadcast) obeyed(o omniflow.Order) {
	switch o {
	case omniflow.OrderPause:
		b.start.control = omniflow.Paused
	case omniflow.OrderResume:
		b.start.control = omniflow.Running
	case omniflow.OrderCancel:
		b.start.control = omniflow.ControlCancelled
	case omniflow.OrderApprove:
		b.start.approved = true
	}
}
