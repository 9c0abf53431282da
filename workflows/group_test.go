package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"

	"omniflow/activities"
	"omniflow/internal/omniflow"
	"omniflow/workflows"
)

var groupStart = time.Date(2026, 1, 2, 14, 2, 0, 0, time.UTC)

// room is a test environment of the runs of one group.
type room struct {
	*testsuite.TestWorkflowEnvironment
	group  omniflow.GroupRef
	member omniflow.MemberRef
}

func newRoom(t *testing.T) *room {
	var suite testsuite.WorkflowTestSuite
	r := &room{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(),
		group: omniflow.GroupRef{TeamID: uuid.Must(uuid.NewV7()), GroupID: uuid.Must(uuid.NewV7())}}
	r.member = omniflow.MemberRef{GroupRef: r.group, MemberID: uuid.Must(uuid.NewV7())}
	workflows.Register(r)
	r.SetStartTime(groupStart)
	r.SetTestTimeout(time.Minute)
	t.Cleanup(func() { r.AssertExpectations(t) })
	return r
}

func TestEX001AGroupWaitsForItsReview(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	over := groupStart.Add(24 * time.Hour)
	waiting := activities.GroupStatus{State: omniflow.GroupReviewing, Call: omniflow.CallAccepted, Step: omniflow.GroupAwait, Since: groupStart, Until: over, Over: over}
	r.OnActivity(acts.AskForGroup, mock.Anything, r.group).Return(waiting, nil).Once()
	r.OnActivity(acts.LookAtGroup, mock.Anything, r.group).Return(waiting, nil).Once() // a signal about something else
	r.OnActivity(acts.LookAtGroup, mock.Anything, r.group).Return(activities.GroupStatus{State: omniflow.GroupCreated, Step: omniflow.GroupFinish}, nil).Once()
	r.RegisterDelayedCallback(func() { r.SignalWorkflow(omniflow.SignalChanged, nil) }, time.Hour)
	r.RegisterDelayedCallback(func() { r.SignalWorkflow(omniflow.SignalChanged, nil) }, 2*time.Hour)
	r.ExecuteWorkflow(workflows.CreateGroup, r.group)
	require.NoError(t, r.GetWorkflowError())
	var out workflows.CreateGroupResult
	require.NoError(t, r.GetWorkflowResult(&out))
	require.Equal(t, workflows.CreateGroupResult{Outcome: omniflow.GroupCreated}, out)
	require.Equal(t, groupStart.Add(2*time.Hour), r.Now().UTC(), "the webhook wakes it, not the clock")
}

func TestDGRP4AReviewTimesOutAfterOneLook(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	over := groupStart.Add(24 * time.Hour)
	r.OnActivity(acts.AskForGroup, mock.Anything, r.group).Return(activities.GroupStatus{State: omniflow.GroupReviewing, Call: omniflow.CallAccepted,
		Step: omniflow.GroupAwait, Since: groupStart, Until: over, Over: over}, nil).Once()
	r.OnActivity(acts.LookAtGroup, mock.Anything, r.group).Return(activities.GroupStatus{State: omniflow.GroupReviewing, Step: omniflow.GroupLook}, nil).Once()
	r.OnActivity(acts.LookForGroup, mock.Anything, r.group).Return(activities.GroupStatus{State: omniflow.GroupFailed, Code: omniflow.ReviewTimeout,
		Step: omniflow.GroupFinish}, nil).Once()
	r.ExecuteWorkflow(workflows.CreateGroup, r.group)
	require.NoError(t, r.GetWorkflowError(), "SYS-08 a refusal is no failure")
	var out workflows.CreateGroupResult
	require.NoError(t, r.GetWorkflowResult(&out))
	require.Equal(t, workflows.CreateGroupResult{Outcome: omniflow.GroupFailed, Code: omniflow.ReviewTimeout}, out)
	require.Equal(t, over, r.Now().UTC())
}

func TestDMEM3ASilentMemberExpiresAfterSevenDays(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	over := groupStart.Add(7 * 24 * time.Hour)
	calls := 0
	r.SetOnActivityStartedListener(func(*activity.Info, context.Context, converter.EncodedValues) { calls++ })
	r.OnActivity(acts.InviteMember, mock.Anything, r.member).Return(activities.MemberStatus{State: omniflow.MemberInviting, Message: omniflow.Sent,
		Step: omniflow.StepWait, Since: groupStart, Until: over, Over: over}, nil).Once()
	r.OnActivity(acts.LookAtMember, mock.Anything, r.member).Return(activities.MemberStatus{State: omniflow.MemberInviting, Step: omniflow.StepExpire}, nil).Once()
	r.OnActivity(acts.ExpireMember, mock.Anything, r.member).Return(activities.MemberStatus{State: omniflow.MemberAddFailed, Code: omniflow.InviteExpired,
		Step: omniflow.StepEnd}, nil).Once()
	r.ExecuteWorkflow(workflows.ChangeGroupMember, r.member)
	require.NoError(t, r.GetWorkflowError())
	var out workflows.ChangeGroupMemberResult
	require.NoError(t, r.GetWorkflowResult(&out))
	require.Equal(t, workflows.ChangeGroupMemberResult{Outcome: omniflow.MemberAddFailed, Code: omniflow.InviteExpired}, out)
	require.Equal(t, over, r.Now().UTC())
	require.Equal(t, 3, calls, "each costs six events, the timer five and the version two: 27 in all, under 40")
}

func TestEX029ARemovalInterruptsAnInvitation(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	over := groupStart.Add(7 * 24 * time.Hour)
	r.OnActivity(acts.InviteMember, mock.Anything, r.member).Return(activities.MemberStatus{State: omniflow.MemberInviting, Message: omniflow.Sent,
		Step: omniflow.StepWait, Until: over, Over: over}, nil).Once()
	r.OnActivity(acts.LookAtMember, mock.Anything, r.member).Return(activities.MemberStatus{State: omniflow.MemberRemovePending, Step: omniflow.StepRemove}, nil).Once()
	r.OnActivity(acts.RemoveMember, mock.Anything, r.member).Return(activities.MemberStatus{State: omniflow.MemberRemoved, Code: omniflow.Withdrawn,
		Step: omniflow.StepEnd}, nil).Once()
	r.RegisterDelayedCallback(func() { r.SignalWorkflow(omniflow.SignalChanged, nil) }, 3*24*time.Hour)
	r.ExecuteWorkflow(workflows.ChangeGroupMember, r.member)
	require.NoError(t, r.GetWorkflowError())
	require.Equal(t, groupStart.Add(3*24*time.Hour), r.Now().UTC())
}

func TestWhatIsHeardAtTheEndIsNotLost(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.OnActivity(acts.InviteMember, mock.Anything, r.member).Return(func(context.Context, omniflow.MemberRef) (activities.MemberStatus, error) {
		r.SignalWorkflow(omniflow.SignalChanged, nil) // a removal is ordered while the run looks
		return activities.MemberStatus{State: omniflow.MemberJoined, Step: omniflow.StepEnd}, nil
	}).Once()
	r.OnActivity(acts.LookAtMember, mock.Anything, r.member).Return(activities.MemberStatus{State: omniflow.MemberRemovePending, Step: omniflow.StepRemove}, nil).Once()
	r.OnActivity(acts.RemoveMember, mock.Anything, r.member).Return(activities.MemberStatus{State: omniflow.MemberRemoved, Step: omniflow.StepEnd}, nil).Once()
	r.ExecuteWorkflow(workflows.ChangeGroupMember, r.member)
	require.NoError(t, r.GetWorkflowError())
}

func TestAMemberThatBacksOffIsRetriedOnOrder(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	later := groupStart.Add(time.Hour)
	r.OnActivity(acts.InviteMember, mock.Anything, r.member).Return(activities.MemberStatus{State: omniflow.MemberInviting, Message: omniflow.Queued,
		Step: omniflow.StepWait, Until: later, Over: later}, nil).Once()
	r.OnActivity(acts.HastenMember, mock.Anything, r.member).Return(activities.MemberStatus{}, nil).Once()
	r.OnActivity(acts.LookAtMember, mock.Anything, r.member).Return(activities.MemberStatus{State: omniflow.MemberJoined, Step: omniflow.StepEnd}, nil).Once()
	r.RegisterDelayedCallback(func() { r.UpdateWorkflowNoRejection(workflows.UpdateRetry, "u", t) }, time.Minute)
	r.ExecuteWorkflow(workflows.ChangeGroupMember, r.member)
	require.NoError(t, r.GetWorkflowError())
	require.Equal(t, groupStart.Add(time.Minute), r.Now().UTC())
}
