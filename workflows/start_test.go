package workflows_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"omniflow/activities"
	"omniflow/internal/omniflow"
	"omniflow/workflows"
)

// scheduled is a stage whose broadcast starts in so long; it may be 15 minutes late.
func scheduled(t *testing.T, in time.Duration) *stage {
	s := newStage(t, omniflow.LINE)
	s.in.StartAt, s.in.LateAfter = s.Now().Add(in), 15*time.Minute
	s.OnActivity(acts.ControlBroadcast, mock.Anything, mock.Anything).Return(activities.ControlBroadcastResult{Changed: true}, nil).Maybe()
	return s
}

// notes expects the broadcast to be noted in a state, once.
func (s *stage) notes(state omniflow.BroadcastState) {
	s.OnActivity(acts.StartBroadcast, mock.Anything, activities.StartBroadcastInput{BroadcastInput: s.broadcastInput(), State: state}).
		Return(omniflow.StartFacts{State: state, Control: omniflow.Running}, nil).Once()
}

// sends expects the broadcast to be planned and sent, and gives when it was planned.
func (s *stage) sends() *time.Time {
	at := new(time.Time)
	s.OnActivity(acts.PlanBroadcast, mock.Anything, s.broadcastInput()).Return(activities.PlanBroadcastResult{Lanes: s.lanes}, nil).
		Run(func(mock.Arguments) { *at = s.Now() }).Once()
	s.OnWorkflow(workflows.SendLane, mock.Anything, mock.Anything).Return(func(workflow.Context, workflows.SendLaneInput) (workflows.SendLaneResult, error) {
		return workflows.SendLaneResult{Tally: omniflow.Tally{Planned: 120, Sent: 120}}, nil
	}).Once()
	s.ends(omniflow.Completed)
	return at
}

func (s *stage) ends(outcome omniflow.Outcome) {
	s.OnActivity(acts.FinishBroadcast, mock.Anything, activities.FinishBroadcastInput{BroadcastInput: s.broadcastInput(), Outcome: outcome}).Return(nil).Once()
}

// orders sends an update after so long.
func (s *stage) orders(after time.Duration, name string) *answers {
	a := &answers{}
	s.RegisterDelayedCallback(func() {
		s.UpdateWorkflow(name, name+after.String(), a, workflows.ControlInput{ActorID: uuid.Max})
	}, after)
	return a
}

func (s *stage) run(t *testing.T) {
	t.Helper()
	s.ExecuteWorkflow(workflows.SendBroadcast, s.in)
	require.NoError(t, s.GetWorkflowError())
}

func TestAScheduledBroadcastStartsAtItsTime(t *testing.T) {
	t.Parallel()
	s := scheduled(t, 72*time.Hour)
	s.notes(omniflow.BroadcastScheduled)
	at := s.sends()
	s.run(t)
	require.WithinDuration(t, s.in.StartAt, *at, time.Second)
}

func TestALateStartWaitsForAnApproval(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		in    time.Duration
		order string
		sent  bool
	}{
		{"nobody worked for a day: approved", -24 * time.Hour, workflows.UpdateApprove, true},
		{"nobody worked for a day: cancelled", -24 * time.Hour, workflows.UpdateCancel, false},
		{"a minute over the limit", -16 * time.Minute, workflows.UpdateApprove, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := scheduled(t, c.in)
			s.notes(omniflow.BroadcastScheduled)
			s.notes(omniflow.BroadcastApproval)
			began, at := s.Now(), new(time.Time)
			if c.sent {
				at = s.sends()
			} else {
				s.ends(omniflow.OutcomeCancelled)
			}
			answer := s.orders(48*time.Hour, c.order)
			s.run(t)
			require.Equal(t, []any{workflows.ControlResult{Changed: true}}, answer.done)
			if c.sent {
				require.GreaterOrEqual(t, at.Sub(began), 48*time.Hour, "nothing is sent before the approval")
			}
		})
	}
}

func TestAStartThatIsALittleLateNeedsNoApproval(t *testing.T) {
	t.Parallel()
	s := scheduled(t, -14*time.Minute)
	s.notes(omniflow.BroadcastScheduled)
	at := s.sends()
	began := s.Now()
	s.run(t)
	require.WithinDuration(t, began, *at, time.Second)
}

func TestAStartIsCancelledWhileItWaits(t *testing.T) {
	t.Parallel()
	s := scheduled(t, 72*time.Hour)
	s.notes(omniflow.BroadcastScheduled)
	s.ends(omniflow.OutcomeCancelled)
	early := s.orders(time.Minute, workflows.UpdateApprove)
	answer := s.orders(time.Hour, workflows.UpdateCancel)
	began := s.Now()
	s.run(t)
	require.Len(t, early.refused, 1, "there is nothing to approve yet")
	require.Len(t, answer.done, 1)
	require.WithinDuration(t, began.Add(time.Hour), s.Now(), time.Minute)
	var result workflows.SendBroadcastResult
	require.NoError(t, s.GetWorkflowResult(&result))
	require.Equal(t, omniflow.OutcomeCancelled, result.Outcome)
}

func TestCancellingTheRunCancelsItsStart(t *testing.T) {
	t.Parallel()
	s := scheduled(t, 72*time.Hour)
	s.notes(omniflow.BroadcastScheduled)
	s.ends(omniflow.OutcomeCancelled)
	s.RegisterDelayedCallback(s.CancelWorkflow, time.Hour)
	s.run(t)
}

func TestAPausedStartWaitsForItsResume(t *testing.T) {
	t.Parallel()
	s := scheduled(t, time.Hour)
	s.notes(omniflow.BroadcastScheduled)
	at := s.sends()
	s.orders(time.Minute, workflows.UpdatePause)
	s.orders(70*time.Minute, workflows.UpdateResume)
	s.run(t)
	require.WithinDuration(t, s.in.StartAt.Add(10*time.Minute), *at, time.Minute, "within what it may be late")
}
