package workflows_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"

	"omniflow/activities"
	"omniflow/internal/omniflow"
	"omniflow/workflows"
)

// due is a lane with files that its provider does not have yet.
func due(st omniflow.LaneStatus, files int) omniflow.LaneStatus {
	st.Media = files
	return st
}

// looksAt answers one look at the ledger after another, the last one for ever.
func (s *stage) looksAt(looks ...omniflow.LaneStatus) {
	s.OnActivity(acts.LaneStatus, mock.Anything, s.laneInput()).Return(func(context.Context, activities.LaneInput) (omniflow.LaneStatus, error) {
		st := looks[0]
		if len(looks) > 1 {
			looks = looks[1:]
		}
		return st, nil
	})
}

func TestFilesGoToTheProviderBeforeTheFirstSlice(t *testing.T) {
	t.Parallel()
	s := newStage(t, omniflow.WhatsApp)
	waiting, sent := omniflow.Tally{Queued: 120}, omniflow.Tally{Sent: 120}
	s.looksAt(due(status(omniflow.Running, waiting, 0, 60), 2), status(omniflow.Running, waiting, 0, 60), status(omniflow.Running, sent))
	prepared := false
	s.OnActivity(acts.PrepareLane, mock.Anything, s.laneInput()).Return(func(context.Context, activities.LaneInput) (activities.PrepareLaneResult, error) {
		prepared = true
		return activities.PrepareLaneResult{Prepared: 2}, nil
	}).Once()
	for _, from := range []int{0, 60} {
		s.OnActivity(acts.SendSlice, mock.Anything, s.slice(from)).Return(func(context.Context, omniflow.Slice) (activities.SendSliceResult, error) {
			require.True(t, prepared, "the files come first")
			return activities.SendSliceResult{Done: true}, nil
		}).Once()
	}
	s.runLane()
	require.NoError(t, s.GetWorkflowError())
	var result workflows.SendLaneResult
	require.NoError(t, s.GetWorkflowResult(&result))
	require.Equal(t, 120, result.Tally.Sent)
}

// A lane that an operator paused or cancelled hands nothing over.
func TestFilesOfALaneThatDoesNotRunStayHere(t *testing.T) {
	t.Parallel()
	s := newStage(t, omniflow.Facebook)
	s.looksAt(due(status(omniflow.ControlCancelled, omniflow.Tally{Queued: 120}, 0, 60), 1), due(status(omniflow.ControlCancelled, omniflow.Tally{Cancelled: 120}), 1))
	s.OnActivity(acts.CancelLane, mock.Anything, s.laneInput()).Return(nil).Once()
	s.runLane()
	require.NoError(t, s.GetWorkflowError())
	s.AssertActivityNotCalled(t, "PrepareLane", mock.Anything, mock.Anything)
}
