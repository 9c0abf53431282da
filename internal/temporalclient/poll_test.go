package temporalclient

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// away is a server that is away for its first calls and then answers with last.
type away struct {
	calls, first int
	last         error
	called       func()
}

func (a *away) invoke(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error {
	a.calls++
	if a.called != nil {
		a.called()
	}
	if a.calls <= a.first {
		return status.Error(codes.Unavailable, "connection refused")
	}
	return a.last
}

func TestPollAgain(t *testing.T) {
	t.Parallel()
	const forever = 1 << 30
	exhausted := status.Error(codes.ResourceExhausted, "too many polls")
	for name, c := range map[string]struct {
		method string
		server away
		calls  int
		code   codes.Code
	}{
		"a poll waits for Temporal":                {workflowservice.WorkflowService_PollWorkflowTaskQueue_FullMethodName, away{first: 3}, 4, codes.OK},
		"so does one for activities":               {workflowservice.WorkflowService_PollActivityTaskQueue_FullMethodName, away{first: 3}, 4, codes.OK},
		"a server that is too busy gets the pause": {workflowservice.WorkflowService_PollWorkflowTaskQueue_FullMethodName, away{last: exhausted}, 1, codes.ResourceExhausted},
		"a wait for an update is no poll":          {workflowservice.WorkflowService_PollWorkflowExecutionUpdate_FullMethodName, away{first: forever}, 1, codes.Unavailable},
		"a start fails at once":                    {workflowservice.WorkflowService_StartWorkflowExecution_FullMethodName, away{first: forever}, 1, codes.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := pollAgain(make(chan struct{}), time.Millisecond)(t.Context(), c.method, nil, nil, nil, c.server.invoke)
			require.Equal(t, c.code, status.Code(err), "%v", err)
			require.Equal(t, c.calls, c.server.calls)
		})
	}
}

func TestPollAgainEndsWithItsProgram(t *testing.T) {
	t.Parallel()
	poll := workflowservice.WorkflowService_PollWorkflowTaskQueue_FullMethodName
	t.Run("when the worker stops", func(t *testing.T) {
		t.Parallel()
		stopping := make(chan struct{})
		server := away{first: 1, called: func() { close(stopping) }}
		err := pollAgain(stopping, time.Hour)(t.Context(), poll, nil, nil, nil, server.invoke)
		require.Equal(t, codes.Unavailable, status.Code(err))
		require.Equal(t, 1, server.calls)
	})
	t.Run("when the poll's time is over", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		server := away{first: 1, called: cancel}
		err := pollAgain(make(chan struct{}), time.Hour)(ctx, poll, nil, nil, nil, server.invoke)
		require.Equal(t, codes.Unavailable, status.Code(err))
		require.Equal(t, 1, server.calls)
	})
}
