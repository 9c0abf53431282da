package e2e_test

import (
	"encoding/json"
	"log/slog"
	"regexp"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/api/temporalproto"
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

// plain makes a history fit to be kept: payloads are decrypted, and what tells
// of the machine it was recorded on is gone.
func (w *world) plain(h *historypb.History) []byte {
	w.t.Helper()
	codec := temporalclient.NewCodec(w.keys())
	err := proxy.VisitPayloads(w.t.Context(), h, proxy.VisitPayloadsOptions{SkipSearchAttributes: true,
		Visitor: func(v *proxy.VisitPayloadsContext, p []*commonpb.Payload) ([]*commonpb.Payload, error) {
			clear, err := codec.Decode(p)
			if _, ok := v.Parent.(*failurepb.Failure); ok && err == nil {
				err = dropTraces(clear)
			}
			return clear, err
		}})
	require.NoError(w.t, err)
	text, err := temporalproto.CustomJSONMarshalOptions{Indent: " "}.Marshal(h)
	require.NoError(w.t, err)
	for _, machine := range []struct{ pattern, instead string }{
		{`("identity": ?)"[^"]*"`, `$1"worker"`}, {`("name": ?)"[^"]*:[0-9a-f-]{36}"`, `$1"sticky"`},
		{`("workerControlTaskQueue": ?)"[^"]*"`, `$1""`},
	} {
		text = regexp.MustCompile(machine.pattern).ReplaceAll(text, []byte(machine.instead))
	}
	return append(text, '\n')
}

// dropTraces empties the stack traces in the encoded attributes of failures.
func dropTraces(payloads []*commonpb.Payload) error {
	for _, p := range payloads {
		var attributes map[string]any
		if err := json.Unmarshal(p.GetData(), &attributes); err != nil {
			return err
		}
		attributes["stack_trace"] = ""
		data, err := json.Marshal(attributes)
		if err != nil {
			return err
		}
		p.Data = data
	}
	return nil
}
