package temporaltest_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"omniflow/internal/temporalserver"
	"omniflow/internal/temporaltest"
)

// add is a workflow that needs no activity.
func add(_ workflow.Context, n int) (int, error) { return n + 1, nil }

func TestStartRunsAWorkflow(t *testing.T) {
	t.Parallel()
	s := temporaltest.Start(t)
	w := worker.New(s.Client, "q", worker.Options{})
	w.RegisterWorkflow(add)
	require.NoError(t, w.Start())
	defer w.Stop()

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	team := temporal.NewSearchAttributeKeyKeyword("TeamId")
	run, err := s.Client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: "add", TaskQueue: "q", TypedSearchAttributes: temporal.NewSearchAttributes(team.ValueSet("t1")),
	}, add, 41)
	require.NoError(t, err)
	var got int
	require.NoError(t, run.Get(ctx, &got))
	require.Equal(t, 42, got)
}

func TestStartHasTheSearchAttributes(t *testing.T) {
	t.Parallel()
	s := temporaltest.Start(t, temporaltest.Namespace("console"))
	answer, err := s.Client.OperatorService().ListSearchAttributes(t.Context(),
		&operatorservice.ListSearchAttributesRequest{Namespace: "console"})
	require.NoError(t, err)
	for _, name := range temporalserver.SearchAttributes() {
		require.Equal(t, "Keyword", answer.GetCustomAttributes()[name].String(), name)
	}
}

func TestDBFileOutlivesTheServer(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "temporal.db")
	options := client.StartWorkflowOptions{ID: "kept", TaskQueue: "nobody"}
	first := temporaltest.Start(t, temporaltest.DBFile(file))
	_, err := first.Client.ExecuteWorkflow(t.Context(), options, add, 1)
	require.NoError(t, err)
	require.NoError(t, first.Stop())

	s := temporaltest.Start(t, temporaltest.DBFile(file), temporaltest.Flags("--log-level", "warn"))
	d, err := s.Client.DescribeWorkflowExecution(t.Context(), "kept", "")
	require.NoError(t, err)
	require.Equal(t, "nobody", d.GetExecutionConfig().GetTaskQueue().GetName())
}

func TestClientOptionsReachTheClient(t *testing.T) {
	t.Parallel()
	s := temporaltest.Start(t, temporaltest.Client(func(o *client.Options) { o.Identity = "me" }))
	_, err := s.Client.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "w", TaskQueue: "q"}, add, 1)
	require.NoError(t, err)
	history := s.Client.GetWorkflowHistory(t.Context(), "w", "", false, 0)
	first, err := history.Next()
	require.NoError(t, err)
	require.Equal(t, "me", first.GetWorkflowExecutionStartedEventAttributes().GetIdentity())
	require.NotEmpty(t, s.FrontendAddress)
	_, err = s.Client.WorkflowService().GetSystemInfo(t.Context(), &workflowservice.GetSystemInfoRequest{})
	require.NoError(t, err)
}
