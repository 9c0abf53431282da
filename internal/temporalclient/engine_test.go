package temporalclient_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"omniflow/internal/keyring"
	"omniflow/internal/omniflow"
	"omniflow/internal/temporalclient"
	"omniflow/internal/temporaltest"
	"omniflow/workflows"
)

// sendBroadcast stands in for the real workflow: it ends when cancelled, and
// refuses a rate of 0 in its validator and one of 7 in its handler.
func sendBroadcast(ctx workflow.Context, in workflows.SendBroadcastInput) (workflows.SendBroadcastInput, error) {
	ended := false
	err := workflow.SetUpdateHandlerWithOptions(ctx, workflows.UpdateSetRate,
		func(_ workflow.Context, in workflows.ControlInput) (workflows.ControlResult, error) {
			if in.RatePerSecond == 7 {
				return workflows.ControlResult{}, temporal.NewNonRetryableApplicationError("ended", string(omniflow.BroadcastFinished), nil)
			}
			return workflows.ControlResult{Changed: true}, nil
		},
		workflow.UpdateHandlerOptions{Validator: func(_ workflow.Context, in workflows.ControlInput) error {
			if in.RatePerSecond == 0 {
				return omniflow.Refuse(omniflow.RateInvalid, "D-BRD-2", "must be above 0")
			}
			return nil
		}})
	if err != nil {
		return in, err
	}
	err = workflow.SetUpdateHandler(ctx, workflows.UpdateCancel, func(_ workflow.Context, _ workflows.ControlInput) (workflows.ControlResult, error) {
		ended = true
		return workflows.ControlResult{Changed: true}, nil
	})
	if err != nil {
		return in, err
	}
	return in, workflow.Await(ctx, func() bool { return ended })
}

func TestEngineStartsOnceAndTellsErrorsApart(t *testing.T) {
	t.Parallel()
	server := temporaltest.Start(t)
	registry := prometheus.NewRegistry()
	keys := ring(t, keyring.NewKey("k1"))
	c, err := temporalclient.Dial(temporalclient.Input{Options: client.Options{HostPort: server.FrontendAddress}, Keys: keys,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Registry: registry})
	require.NoError(t, err)
	defer c.Close()
	w := worker.New(c, workflows.BroadcastQueue, worker.Options{})
	w.RegisterWorkflowWithOptions(sendBroadcast, workflow.RegisterOptions{Name: temporalclient.SendBroadcast})
	require.NoError(t, w.Start())
	defer w.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	engine := temporalclient.Engine{Client: c}
	require.NoError(t, engine.Healthy(ctx))

	in := workflows.SendBroadcastInput{TeamID: uuid.New(), BroadcastID: uuid.New()}
	body, err := json.Marshal(in)
	require.NoError(t, err)
	start := temporalclient.OutboxStart{TeamID: in.TeamID, Workflow: temporalclient.SendBroadcast,
		WorkflowID: workflows.SendBroadcastID(in.TeamID, in.BroadcastID), Input: body, Summary: "broadcast_message to 2 customers on 1 channel"}
	require.NoError(t, engine.Start(ctx, start))
	first, err := c.DescribeWorkflow(ctx, start.WorkflowID, "")
	require.NoError(t, err)
	require.NoError(t, engine.Start(ctx, start), "an open run counts as started")
	require.Equal(t, workflows.BroadcastQueue, first.TaskQueueName)
	teamID, ok := first.TypedSearchAttributes.GetKeyword(workflows.TeamIDKey)
	require.True(t, ok)
	require.Equal(t, in.TeamID.String(), teamID)
	kind, _ := first.TypedSearchAttributes.GetKeyword(workflows.JobKindKey)
	require.Equal(t, "broadcast", kind)
	summary, err := first.GetStaticSummary()
	require.NoError(t, err)
	require.Equal(t, start.Summary, summary)

	result, err := engine.Update(ctx, start.WorkflowID, "u1", workflows.UpdateSetRate, workflows.ControlInput{RatePerSecond: 5})
	require.NoError(t, err)
	require.True(t, result.Changed)
	var refusal *omniflow.Refusal
	_, err = engine.Update(ctx, start.WorkflowID, "u2", workflows.UpdateSetRate, workflows.ControlInput{})
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, omniflow.RateInvalid, refusal.Code)
	_, err = engine.Update(ctx, start.WorkflowID, "u3", workflows.UpdateSetRate, workflows.ControlInput{RatePerSecond: 7})
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, omniflow.BroadcastFinished, refusal.Code)
	_, err = engine.Update(ctx, "broadcast/none", "u4", workflows.UpdatePause, workflows.ControlInput{})
	require.ErrorIs(t, err, temporalclient.ErrNoRun)

	_, err = engine.Update(ctx, start.WorkflowID, "u5", workflows.UpdateCancel, workflows.ControlInput{})
	require.NoError(t, err)
	var out workflows.SendBroadcastInput
	require.NoError(t, c.GetWorkflow(ctx, start.WorkflowID, "").Get(ctx, &out))
	require.Equal(t, in, out, "the raw JSON of the outbox is the workflow's input")
	require.NoError(t, engine.Start(ctx, start), "a run that is over counts as started")
	last, err := c.DescribeWorkflow(ctx, start.WorkflowID, "")
	require.NoError(t, err)
	require.Equal(t, first.WorkflowExecution.RunID, last.WorkflowExecution.RunID, "nothing was started a second time")
	_, err = engine.Update(ctx, start.WorkflowID, "u6", workflows.UpdateSetRate, workflows.ControlInput{RatePerSecond: 5})
	require.ErrorIs(t, err, temporalclient.ErrNoRun)

	history := c.GetWorkflowHistory(ctx, start.WorkflowID, "", false, 0)
	event, err := history.Next()
	require.NoError(t, err)
	require.NotContains(t, event.String(), in.BroadcastID.String()+`\"`, "the input is encrypted")

	families, err := registry.Gather()
	require.NoError(t, err)
	names := map[string]bool{}
	for _, f := range families {
		names[f.GetName()] = true
		for _, m := range f.GetMetric() {
			if h := m.GetHistogram(); h != nil {
				require.LessOrEqual(t, h.GetBucket()[0].GetUpperBound(), 0.001, "%s has buckets for seconds", f.GetName())
			}
		}
	}
	require.True(t, names["temporal_request_total"], "%v", names)
	require.True(t, names["temporal_request_latency_seconds"], "%v", names)
}

func TestEngineThatIsNotThere(t *testing.T) {
	t.Parallel()
	c, err := temporalclient.Dial(temporalclient.Input{Options: client.Options{HostPort: "127.0.0.1:1"}, Keys: ring(t, keyring.NewKey("k1")),
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	require.NoError(t, err, "a program starts without it")
	defer c.Close()
	engine := temporalclient.Engine{Client: c}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	require.Error(t, engine.Healthy(ctx))
	require.ErrorIs(t, engine.Start(ctx, temporalclient.OutboxStart{Workflow: temporalclient.SendBroadcast, WorkflowID: "x", Input: json.RawMessage("{}")}), temporalclient.ErrUnavailable)
	_, err = engine.Update(ctx, "x", "u", workflows.UpdatePause, workflows.ControlInput{})
	require.ErrorIs(t, err, temporalclient.ErrUnavailable)
	require.ErrorContains(t, temporalclient.Starter{Client: c}.Start(ctx, temporalclient.OutboxStart{Workflow: "Nonsense"}), "unknown workflow")
}
