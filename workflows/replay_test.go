package workflows_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"omniflow/workflows"
)

// histories are those of real runs, recorded by `make histories`.
const histories = "testdata/histories"

func replay(r worker.WorkflowReplayer, file string) error {
	return r.ReplayWorkflowHistoryFromJSONFile(log.NewStructuredLogger(slog.New(slog.DiscardHandler)), filepath.Join(histories, file))
}

// TestReplay: every run that is open when a new worker is rolled out goes on.
func TestReplay(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir(histories)
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(file.Name(), func(t *testing.T) {
			t.Parallel()
			r := worker.NewWorkflowReplayer()
			workflows.Register(r)
			require.NoError(t, replay(r, file.Name()),
				"a change breaks open runs: put it behind workflow.GetVersion")
		})
	}
}

// changedLane ends at once: it misses every activity of SendLane.
func changedLane(workflow.Context, workflows.SendLaneInput) (workflows.SendLaneResult, error) {
	return workflows.SendLaneResult{}, nil
}

// reorderedBroadcast runs one activity where SendBroadcast runs another.
func reorderedBroadcast(ctx workflow.Context, in workflows.SendBroadcastInput) (workflows.SendBroadcastResult, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Second})
	return workflows.SendBroadcastResult{}, workflow.ExecuteActivity(ctx, "FinishBroadcast", in).Get(ctx, nil)
}

func TestReplayFindsAChangedWorkflow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, file string
		changed    any
	}{
		{"SendLane", "SendLane-happy-line.json", changedLane},
		{"SendLane", "SendLane-unknown-instagram.json", changedLane},
		{"SendBroadcast", "SendBroadcast-happy.json", reorderedBroadcast},
	} {
		t.Run(c.file, func(t *testing.T) {
			t.Parallel()
			r := worker.NewWorkflowReplayer()
			r.RegisterWorkflowWithOptions(c.changed, workflow.RegisterOptions{Name: c.name})
			require.ErrorContains(t, replay(r, c.file), "TMPRL1100") // the code of every nondeterminism
		})
	}
}
