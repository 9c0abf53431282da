package main

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/api/temporalproto"

	"omniflow/internal/temporalclient"
)

// go test ./worker -record-groups writes the histories that workflows replays anew.
var recordGroups = flag.Bool("record-groups", false, "record the histories of groups anew")

// machine is what tells of the machine a history was recorded on.
var machine = regexp.MustCompile(`("(?:identity|workerControlTaskQueue)": ?)"[^"]*"|("name": ?)"[^"]*:[0-9a-f-]{36}"`)

// record keeps the history of a run, its payloads in clear, if it is asked to.
func (h *hall) record(name, workflowID string) {
	h.t.Helper()
	if !*recordGroups {
		return
	}
	out := &historypb.History{}
	for events := h.engine.GetWorkflowHistory(h.t.Context(), workflowID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
		event, err := events.Next()
		require.NoError(h.t, err)
		out.Events = append(out.Events, event)
	}
	codec := temporalclient.NewCodec(h.keys)
	require.NoError(h.t, proxy.VisitPayloads(h.t.Context(), out, proxy.VisitPayloadsOptions{SkipSearchAttributes: true,
		Visitor: func(_ *proxy.VisitPayloadsContext, p []*commonpb.Payload) ([]*commonpb.Payload, error) {
			return codec.Decode(p)
		}}))
	text, err := temporalproto.CustomJSONMarshalOptions{Indent: " "}.Marshal(out)
	require.NoError(h.t, err)
	text = machine.ReplaceAll(text, []byte(`$1$2"worker"`))
	require.NoError(h.t, os.WriteFile(filepath.Join("..", "workflows", "testdata", "groups", name+".json"), append(text, '\n'), 0o644))
}
