package e2e_test

import (
	"log/slog"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"

	"omniflow/internal/keyring"
	"omniflow/internal/temporalclient"
)

// keys are those of the stack: made for this test and lost with it.
func (w *world) keys() *keyring.Ring {
	w.t.Helper()
	keys, err := keyring.Parse(w.setting("OMNIFLOW_ENCRYPTION_KEYS"))
	require.NoError(w.t, err)
	return keys
}

// engine is a client of the stack's Temporal server.
func (w *world) engine() client.Client {
	w.t.Helper()
	c, err := temporalclient.Dial(temporalclient.Input{
		Options: client.Options{HostPort: w.stack.TemporalAddress(), Namespace: w.setting("TEMPORAL_NAMESPACE")},
		Keys:    w.keys(), Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(w.t, err)
	w.t.Cleanup(c.Close)
	return c
}

// history is everything that happened to a run so far.
func (w *world) history(c client.Client, workflowID string) *historypb.History {
	w.t.Helper()
	events := c.GetWorkflowHistory(w.t.Context(), workflowID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	out := &historypb.History{}
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(w.t, err)
		out.Events = append(out.Events, event)
	}
	return out
}
