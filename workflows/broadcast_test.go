package workflows_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"omniflow/activities"
	"omniflow/internal/omniflow"
	"omniflow/workflows"
)

var acts *activities.Activities

// stage is a test environment of one workflow over a made-up ledger.
type stage struct {
	*testsuite.TestWorkflowEnvironment
	in    workflows.SendBroadcastInput
	lanes []omniflow.Lane
}

func newStage(t *testing.T, channels ...omniflow.Channel) *stage {
	var suite testsuite.WorkflowTestSuite
	s := &stage{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(),
		in: workflows.SendBroadcastInput{TeamID: uuid.Must(uuid.NewV7()), BroadcastID: uuid.Must(uuid.NewV7())}}
	workflows.Register(s)
	for _, ch := range channels {
		s.lanes = append(s.lanes, omniflow.Lane{TeamID: s.in.TeamID, BroadcastID: s.in.BroadcastID,
			ChannelAccountID: uuid.Must(uuid.NewV7()), Channel: ch, Planned: 120})
	}
	t.Cleanup(func() { s.AssertExpectations(t) })
	return s
}

// status is a look at the ledger of a lane of 120 rows.
func status(control omniflow.Control, tally omniflow.Tally, slices ...int) omniflow.LaneStatus {
	tally.Planned = 120
	return omniflow.LaneStatus{Control: control, Tally: tally, Slices: slices}
}

func (s *stage) broadcastInput() activities.BroadcastInput {
	return activities.BroadcastInput{TeamID: s.in.TeamID, BroadcastID: s.in.BroadcastID}
}

func (s *stage) laneInput() activities.LaneInput {
	return activities.LaneInput{Lane: s.lanes[0], SliceSize: 60}
}

func (s *stage) slice(from int) omniflow.Slice {
	return omniflow.Slice{Lane: s.lanes[0], From: from, To: from + 60}
}

func (s *stage) runLane() {
	s.ExecuteWorkflow(workflows.SendLane, workflows.SendLaneInput{Lane: s.lanes[0]})
}

func TestSendBroadcastRunsOneLaneAnAccountAndReports(t *testing.T) {
	t.Parallel()
	s := newStage(t, omniflow.LINE, omniflow.WhatsApp)
	s.OnActivity(acts.PlanBroadcast, mock.Anything, s.broadcastInput()).Return(activities.PlanBroadcastResult{Lanes: s.lanes}, nil).Once()
	for i, tally := range []omniflow.Tally{{Planned: 120, Sent: 120}, {Planned: 120, Sent: 117, Failed: 1, Skipped: 2}} {
		s.OnWorkflow(workflows.SendLane, mock.Anything, workflows.SendLaneInput{Lane: s.lanes[i]}).Return(workflows.SendLaneResult{Tally: tally}, nil).Once()
	}
	s.OnActivity(acts.FinishBroadcast, mock.Anything, activities.FinishBroadcastInput{
		BroadcastInput: s.broadcastInput(), Outcome: omniflow.CompletedWithFailures}).Return(nil).Once()
	s.ExecuteWorkflow(workflows.SendBroadcast, s.in)
	require.NoError(t, s.GetWorkflowError())
	var result workflows.SendBroadcastResult
	require.NoError(t, s.GetWorkflowResult(&result))
	require.Equal(t, workflows.SendBroadcastResult{Outcome: omniflow.CompletedWithFailures,
		Tally: omniflow.Tally{Planned: 240, Sent: 237, Failed: 1, Skipped: 2}}, result)
}

func TestSendBroadcastRefusedIsARejectedOutcome(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		plan activities.PlanBroadcastResult
		err  error
		code omniflow.Code
	}{
		{"nobody is left in the audience", activities.PlanBroadcastResult{}, nil, omniflow.BroadcastEmpty},
		{"SYS-08 a refusal is no failure", activities.PlanBroadcastResult{},
			temporal.NewNonRetryableApplicationError("no such broadcast", string(omniflow.NotFound), nil), omniflow.NotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.OnActivity(acts.PlanBroadcast, mock.Anything, s.broadcastInput()).Return(c.plan, c.err).Once()
			s.OnActivity(acts.FinishBroadcast, mock.Anything, activities.FinishBroadcastInput{
				BroadcastInput: s.broadcastInput(), Outcome: omniflow.OutcomeRejected}).Return(nil).Once()
			s.ExecuteWorkflow(workflows.SendBroadcast, s.in)
			require.NoError(t, s.GetWorkflowError())
			var result workflows.SendBroadcastResult
			require.NoError(t, s.GetWorkflowResult(&result))
			require.Equal(t, workflows.SendBroadcastResult{Outcome: omniflow.OutcomeRejected, Code: c.code}, result)
		})
	}
}

func TestSendBroadcastTakesOrders(t *testing.T) {
	t.Parallel()
	s := newStage(t, omniflow.WhatsApp)
	account, actor := s.lanes[0].ChannelAccountID, uuid.Must(uuid.NewV7())
	s.OnActivity(acts.PlanBroadcast, mock.Anything, mock.Anything).Return(activities.PlanBroadcastResult{Lanes: s.lanes}, nil)
	s.OnWorkflow(workflows.SendLane, mock.Anything, mock.Anything).Return(func(ctx workflow.Context, in workflows.SendLaneInput) (workflows.SendLaneResult, error) {
		workflow.GetSignalChannel(ctx, workflows.SignalOrdered).Receive(ctx, nil) // the lane is woken
		return workflows.SendLaneResult{Tally: omniflow.Tally{Planned: 120, Sent: 120}}, nil
	})
	order := omniflow.ControlOrder{TeamID: s.in.TeamID, BroadcastID: s.in.BroadcastID, ChannelAccountID: account, Channel: omniflow.WhatsApp,
		ActorID: actor, Order: omniflow.OrderSetRate, Reason: "night", RatePerSecond: 20}
	s.OnActivity(acts.ControlBroadcast, mock.Anything, order).Return(activities.ControlBroadcastResult{Changed: true}, nil).Once()
	s.OnActivity(acts.FinishBroadcast, mock.Anything, mock.Anything).Return(nil)
	answers := &answers{}
	s.RegisterDelayedCallback(func() {
		s.UpdateWorkflow(workflows.UpdateSetRate, "too fast", answers, workflows.ControlInput{ChannelAccountID: account, RatePerSecond: 5000})
		s.UpdateWorkflow(workflows.UpdateSetRate, "no account", answers, workflows.ControlInput{RatePerSecond: 20})
		s.UpdateWorkflow(workflows.UpdatePause, "not ours", answers, workflows.ControlInput{ChannelAccountID: uuid.Must(uuid.NewV7())})
		s.UpdateWorkflow(workflows.UpdateSetRate, "right", answers, workflows.ControlInput{ActorID: actor, ChannelAccountID: account, Reason: "night", RatePerSecond: 20})
	}, time.Second)
	s.ExecuteWorkflow(workflows.SendBroadcast, s.in)
	require.NoError(t, s.GetWorkflowError())
	require.Len(t, answers.refused, 3)
	require.Equal(t, []any{workflows.ControlResult{Changed: true}}, answers.done)
}

// answers collects what updates are answered.
type answers struct {
	refused []error
	done    []any
}

func (a *answers) Accept()          {}
func (a *answers) Reject(err error) { a.refused = append(a.refused, err) }
func (a *answers) Complete(success any, err error) {
	if err != nil {
		a.refused = append(a.refused, err)
		return
	}
	a.done = append(a.done, success)
}

func TestCancellingTheRunCancelsTheRest(t *testing.T) {
	t.Parallel()
	s := newStage(t, omniflow.LINE)
	s.OnActivity(acts.PlanBroadcast, mock.Anything, mock.Anything).Return(activities.PlanBroadcastResult{Lanes: s.lanes}, nil)
	s.OnActivity(acts.BroadcastTally, mock.Anything, mock.Anything).Return(activities.BroadcastTallyResult{}, nil).Maybe()
	s.OnWorkflow(workflows.SendLane, mock.Anything, mock.Anything).Return(func(ctx workflow.Context, in workflows.SendLaneInput) (workflows.SendLaneResult, error) {
		workflow.GetSignalChannel(ctx, workflows.SignalOrdered).Receive(ctx, nil)
		return workflows.SendLaneResult{Tally: omniflow.Tally{Planned: 120, Sent: 20, Cancelled: 100}}, nil
	})
	s.OnActivity(acts.ControlBroadcast, mock.Anything, mock.MatchedBy(func(o omniflow.ControlOrder) bool { return o.Order == omniflow.OrderCancel })).
		Return(activities.ControlBroadcastResult{Changed: true}, nil).Once()
	s.OnActivity(acts.FinishBroadcast, mock.Anything, activities.FinishBroadcastInput{
		BroadcastInput: s.broadcastInput(), Outcome: omniflow.OutcomeCancelled}).Return(nil).Once()
	s.RegisterDelayedCallback(s.CancelWorkflow, time.Second)
	s.ExecuteWorkflow(workflows.SendBroadcast, s.in)
	require.NoError(t, s.GetWorkflowError())
}

func TestSendLaneEndsOnlyWhenTheLedgerSaysSo(t *testing.T) {
	t.Parallel()
	s := newStage(t, omniflow.WhatsApp)
	due := s.Now().Add(20 * time.Second)
	unknown := status(omniflow.Running, omniflow.Tally{Sent: 119, Unknown: 1})
	unknown.Reconcile = s.Now().Add(time.Minute)
	looks := []omniflow.LaneStatus{
		status(omniflow.Running, omniflow.Tally{Queued: 120}, 0, 60),
		status(omniflow.Running, omniflow.Tally{Sent: 60, Queued: 60}, 60), // a slice came back undone
		unknown, unknown, unknown, unknown, unknown, unknown, unknown,
		status(omniflow.Running, omniflow.Tally{Sent: 119, Queued: 1}, 60), // proven never taken
		status(omniflow.Running, omniflow.Tally{Sent: 120}),
	}
	at := 0
	s.OnActivity(acts.LaneStatus, mock.Anything, s.laneInput()).Return(func(context.Context, activities.LaneInput) (omniflow.LaneStatus, error) {
		at++
		return looks[at-1], nil
	})
	s.OnActivity(acts.SendSlice, mock.Anything, s.slice(0)).Return(activities.SendSliceResult{Done: true}, nil).Once()
	s.OnActivity(acts.SendSlice, mock.Anything, s.slice(60)).Return(activities.SendSliceResult{NextDue: due}, nil).Once()
	s.OnActivity(acts.SendSlice, mock.Anything, s.slice(60)).Return(activities.SendSliceResult{Done: true}, nil).Twice()
	s.OnActivity(acts.ReconcileLane, mock.Anything, s.laneInput()).Return(omniflow.Reconciled{Requeued: 1}, nil).Once()
	s.runLane()
	require.NoError(t, s.GetWorkflowError())
	var result workflows.SendLaneResult
	require.NoError(t, s.GetWorkflowResult(&result))
	require.Equal(t, 120, result.Tally.Sent)
	require.Equal(t, len(looks), at, "every look was used")
}

func TestAPausedLaneWaitsForAnOrderAndAsksNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t, omniflow.WhatsApp)
	looks := 0
	s.OnActivity(acts.LaneStatus, mock.Anything, s.laneInput()).Return(func(context.Context, activities.LaneInput) (omniflow.LaneStatus, error) {
		looks++
		if looks == 1 {
			return status(omniflow.Paused, omniflow.Tally{Queued: 120}, 0, 60), nil
		}
		return status(omniflow.Running, omniflow.Tally{Sent: 120}), nil
	})
	s.RegisterDelayedCallback(func() { require.Equal(t, 1, looks); s.SignalWorkflow(workflows.SignalOrdered, nil) }, 72*time.Hour)
	s.runLane()
	require.NoError(t, s.GetWorkflowError())
	require.Equal(t, 2, looks)
}

// A lane outside its hours sleeps until they begin, but hears an order.
func TestALaneOutsideItsHoursSleepsUntilTheyBegin(t *testing.T) {
	t.Parallel()
	s := newStage(t, omniflow.WhatsApp)
	looks, began := 0, s.Now()
	s.OnActivity(acts.LaneStatus, mock.Anything, s.laneInput()).Return(func(context.Context, activities.LaneInput) (omniflow.LaneStatus, error) {
		looks++
		if looks == 3 {
			require.WithinDuration(t, began.Add(10*time.Hour), s.Now(), time.Minute)
			return status(omniflow.Running, omniflow.Tally{Sent: 120}), nil
		}
		opens := began.Add(10 * time.Hour)
		st := status(omniflow.Running, omniflow.Tally{Queued: 120}, 0, 60)
		st.Waiting = omniflow.Waiting{Kind: omniflow.WaitHours, Until: &opens}
		return st, nil
	})
	s.RegisterDelayedCallback(func() { require.Equal(t, 1, looks); s.SignalWorkflow(workflows.SignalOrdered, nil) }, 3*time.Hour)
	s.runLane()
	require.NoError(t, s.GetWorkflowError())
	require.Equal(t, 3, looks)
}

func TestAnOrderDuringTheLookIsNotMissed(t *testing.T) {
	t.Parallel()
	s := newStage(t, omniflow.WhatsApp)
	looks := 0
	s.OnActivity(acts.LaneStatus, mock.Anything, s.laneInput()).Return(func(context.Context, activities.LaneInput) (omniflow.LaneStatus, error) {
		looks++
		if looks == 1 { // reads paused; the order to resume lands before the answer does
			s.SignalWorkflow(workflows.SignalOrdered, nil)
			return status(omniflow.Paused, omniflow.Tally{Queued: 120}, 0, 60), nil
		}
		return status(omniflow.Running, omniflow.Tally{Sent: 120}), nil
	})
	s.runLane()
	require.NoError(t, s.GetWorkflowError())
	require.Equal(t, 2, looks)
}

func TestACancelledLaneFinishesWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	s := newStage(t, omniflow.LINE)
	looks := []omniflow.LaneStatus{
		status(omniflow.ControlCancelled, omniflow.Tally{Sent: 60, Queued: 60}, 60),
		status(omniflow.ControlCancelled, omniflow.Tally{Sent: 60, Cancelled: 50, Queued: 10}, 60), // a chunk perhaps accepted goes again under its key
		status(omniflow.ControlCancelled, omniflow.Tally{Sent: 70, Cancelled: 50}),
	}
	at := 0
	s.OnActivity(acts.LaneStatus, mock.Anything, s.laneInput()).Return(func(context.Context, activities.LaneInput) (omniflow.LaneStatus, error) {
		at++
		return looks[at-1], nil
	})
	s.OnActivity(acts.CancelLane, mock.Anything, s.laneInput()).Return(nil).Once()
	s.OnActivity(acts.SendSlice, mock.Anything, s.slice(60)).Return(activities.SendSliceResult{Done: true}, nil).Once()
	s.runLane()
	require.NoError(t, s.GetWorkflowError())
}

func TestAStoppedAccountIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t, omniflow.Facebook)
	stopped := status(omniflow.Running, omniflow.Tally{Queued: 120}, 0, 60)
	stopped.StopCode = "190"
	at := 0
	s.OnActivity(acts.LaneStatus, mock.Anything, s.laneInput()).Return(func(context.Context, activities.LaneInput) (omniflow.LaneStatus, error) {
		if at++; at < 4 {
			return stopped, nil
		}
		return status(omniflow.Running, omniflow.Tally{Sent: 120}), nil
	})
	began := s.Now()
	s.runLane()
	require.NoError(t, s.GetWorkflowError())
	require.Greater(t, s.Now().Sub(began), 30*time.Second, "the account is not pestered")
}

func TestSendLaneContinuesAsNewWithNothingButItsLane(t *testing.T) {
	t.Parallel()
	s := newStage(t, omniflow.WhatsApp)
	s.SetContinueAsNewSuggested(true)
	s.OnActivity(acts.LaneStatus, mock.Anything, s.laneInput()).Return(status(omniflow.Running, omniflow.Tally{Queued: 120}, 0, 60), nil).Once()
	s.runLane()
	var next *workflow.ContinueAsNewError
	require.True(t, errors.As(s.GetWorkflowError(), &next), "%v", s.GetWorkflowError())
	require.Equal(t, "SendLane", next.WorkflowType.Name)

	again := newStage(t, omniflow.WhatsApp)
	again.OnActivity(acts.LaneStatus, mock.Anything, mock.Anything).Return(status(omniflow.Running, omniflow.Tally{Sent: 120}), nil).Once()
	again.ExecuteWorkflow(workflows.SendLane, workflows.SendLaneInput{Lane: again.lanes[0]})
	require.NoError(t, again.GetWorkflowError())
}

func TestNextMessagesWaitForTheOutcomeOfTheFirst(t *testing.T) {
	t.Parallel()
	s := newStage(t, omniflow.WhatsApp)
	waiting := status(omniflow.Running, omniflow.Tally{Sent: 118, Unknown: 1, Queued: 1}, 60) // a second message waits behind an unknown first one
	waiting.Reconcile = s.Now().Add(10 * time.Minute)
	looks, reconciled := 0, false
	s.OnActivity(acts.LaneStatus, mock.Anything, s.laneInput()).Return(func(context.Context, activities.LaneInput) (omniflow.LaneStatus, error) {
		looks++
		if reconciled {
			return status(omniflow.Running, omniflow.Tally{Sent: 119, Failed: 1}), nil
		}
		return waiting, nil
	})
	s.OnActivity(acts.SendSlice, mock.Anything, s.slice(60)).Return(activities.SendSliceResult{}, nil)
	s.OnActivity(acts.ReconcileLane, mock.Anything, s.laneInput()).Return(func(context.Context, activities.LaneInput) (omniflow.Reconciled, error) {
		reconciled = true
		return omniflow.Reconciled{GivenUp: 1}, nil
	}).Once()
	s.runLane()
	require.NoError(t, s.GetWorkflowError())
	require.Less(t, looks, 20, "no hot loop while it waits")
}

func TestCancellingALaneCancelsItsRows(t *testing.T) {
	t.Parallel()
	s := newStage(t, omniflow.WhatsApp)
	cancelled := false
	s.OnActivity(acts.LaneStatus, mock.Anything, s.laneInput()).Return(func(context.Context, activities.LaneInput) (omniflow.LaneStatus, error) {
		if cancelled {
			return status(omniflow.ControlCancelled, omniflow.Tally{Sent: 20, Cancelled: 100}), nil
		}
		return status(omniflow.Paused, omniflow.Tally{Sent: 20, Queued: 100}, 0, 60), nil
	})
	s.OnActivity(acts.ControlBroadcast, mock.Anything, mock.MatchedBy(func(o omniflow.ControlOrder) bool { return o.Order == omniflow.OrderCancel })).
		Return(func(context.Context, omniflow.ControlOrder) (activities.ControlBroadcastResult, error) {
			cancelled = true
			return activities.ControlBroadcastResult{Changed: true}, nil
		}).Once()
	s.RegisterDelayedCallback(s.CancelWorkflow, time.Minute)
	s.runLane()
	require.NoError(t, s.GetWorkflowError())
	var result workflows.SendLaneResult
	require.NoError(t, s.GetWorkflowResult(&result))
	require.Equal(t, 100, result.Tally.Cancelled)
}
