package workflows_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"

	"omniflow/workflows"
)

// TestReplayGroups replays the histories of groups, recorded by
// `go test ./worker -record-groups`.
func TestReplayGroups(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir("testdata/groups")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 16)
	for _, file := range files {
		t.Run(file.Name(), func(t *testing.T) {
			t.Parallel()
			r := worker.NewWorkflowReplayer()
			workflows.Register(r)
			require.NoError(t, replay(r, "../groups/"+file.Name()), "a change breaks open runs: put it behind workflow.GetVersion")
		})
	}
}
