package workflows

import (
	"fmt"

	"github.com/google/uuid"
	"go.temporal.io/sdk/workflow"

	"omniflow/internal/omniflow"
)

// orders maps the updates to what they order.
var orders = []struct {
	update      string
	order       omniflow.Order
	description string
}{
	{UpdatePause, omniflow.OrderPause, "stop handing over messages within a second; what is under way is finished"},
	{UpdateResume, omniflow.OrderResume, "go on, also after a stop code: nobody is messaged twice"},
	{UpdateCancel, omniflow.OrderCancel, "cancel every message not handed over yet, for good"},
	{UpdateSetRate, omniflow.OrderSetRate, "set the account's messages (LINE: multicast calls) per second, until the lane has ended"},
}

// orderTaker is a run that takes orders: a broadcast, or one of its lanes.
type orderTaker interface {
	// check refuses an order that can never be right. It must not block.
	check(o omniflow.Order, in ControlInput) error
	// take applies an order and wakes whoever waits for it.
	take(ctx workflow.Context, o omniflow.Order, in ControlInput) (ControlResult, error)
}

// takeOrders registers the updates of t.
func takeOrders(ctx workflow.Context, t orderTaker) error {
	for _, o := range orders {
		err := workflow.SetUpdateHandlerWithOptions(ctx, o.update,
			func(ctx workflow.Context, in ControlInput) (ControlResult, error) { return t.take(ctx, o.order, in) },
			workflow.UpdateHandlerOptions{
				Description: o.description,
				Validator:   func(_ workflow.Context, in ControlInput) error { return t.check(o.order, in) },
			})
		if err != nil {
			return fmt.Errorf("register update %s: %w", o.update, err)
		}
	}
	return nil
}

// laneAmong finds the lane that an order is for.
func laneAmong(lanes []omniflow.Lane, account uuid.UUID) (omniflow.Lane, bool) {
	for _, l := range lanes {
		if l.ChannelAccountID == account {
			return l, true
		}
	}
	return omniflow.Lane{}, false
}

// checkRate refuses a rate that no broadcast on the channel may have. Whether
// this one may depends on its limiter, which the order itself looks up.
func checkRate(o omniflow.Order, lane omniflow.Lane, in ControlInput) error {
	if o != omniflow.OrderSetRate {
		return nil
	}
	if r := omniflow.CheckRate(lane.Channel, in.RatePerSecond); r != nil {
		return r
	}
	return nil
}
