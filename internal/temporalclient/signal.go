package temporalclient

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	sdkpb "go.temporal.io/api/sdk/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
)

// OutboxSignal is one promised signal: a row of outbox_signals.
type OutboxSignal struct {
	ID         uuid.UUID // of the row: the engine takes one signal under it, however often it is delivered
	TeamID     uuid.UUID
	Workflow   string
	WorkflowID string
	Input      json.RawMessage // of the run, if none is open
	Signal     string
	Summary    string
	// ConversationID becomes the search attribute of a run that is started; zero: it is of none.
	ConversationID uuid.UUID
}

// Signaler delivers promised signals, and starts the run where none is open.
// The SDK chooses a request id of its own for each call, so it asks the service
// directly: delivering twice to one run is one signal.
type Signaler struct {
	Client    client.Client
	Namespace string // "" is "default"
	Converter converter.DataConverter
}

// Signal delivers s. An error means that it is not known to be delivered.
func (t Signaler) Signal(ctx context.Context, s OutboxSignal) error {
	to, ok := routeOf(s.Workflow)
	if !ok {
		return fmt.Errorf("signal %s: unknown workflow %q", s.WorkflowID, s.Workflow)
	}
	input, err := t.Converter.ToPayloads(s.Input)
	if err != nil {
		return fmt.Errorf("encode input of %s: %w", s.WorkflowID, err)
	}
	summary, err := t.Converter.ToPayload(s.Summary)
	if err != nil {
		return fmt.Errorf("encode summary of %s: %w", s.WorkflowID, err)
	}
	found := map[string]string{"TeamId": s.TeamID.String(), "JobKind": to.jobKind}
	if s.ConversationID != uuid.Nil {
		found["ConversationId"] = s.ConversationID.String()
	}
	if ch := channelOf(s.Input); ch != "" {
		found["ChannelKind"] = ch
	}
	attributes, err := keywords(found)
	if err != nil {
		return fmt.Errorf("encode search attributes of %s: %w", s.WorkflowID, err)
	}
	namespace := t.Namespace
	if namespace == "" {
		namespace = client.DefaultNamespace
	}
	_, err = t.Client.WorkflowService().SignalWithStartWorkflowExecution(ctx, &workflowservice.SignalWithStartWorkflowExecutionRequest{
		Namespace: namespace, WorkflowId: s.WorkflowID, WorkflowType: &commonpb.WorkflowType{Name: s.Workflow},
		TaskQueue: &taskqueuepb.TaskQueue{Name: to.queue, Kind: enumspb.TASK_QUEUE_KIND_NORMAL}, Input: input,
		Identity: "relay", RequestId: s.ID.String(), SignalName: s.Signal,
		WorkflowIdReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIdConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		SearchAttributes:         attributes, UserMetadata: &sdkpb.UserMetadata{Summary: summary},
	})
	if err != nil {
		return fmt.Errorf("signal %s: %w", s.WorkflowID, err)
	}
	return nil
}

// channelOf is the kind of channel that the input of a run names, or "".
func channelOf(input json.RawMessage) string {
	var in struct {
		Channel string `json:"channel"`
	}
	if json.Unmarshal(input, &in) != nil {
		return ""
	}
	return in.Channel
}

// keywords encodes search attributes of type Keyword, which the server reads:
// they are not encrypted.
func keywords(values map[string]string) (*commonpb.SearchAttributes, error) {
	out := &commonpb.SearchAttributes{IndexedFields: map[string]*commonpb.Payload{}}
	for name, value := range values {
		payload, err := converter.GetDefaultDataConverter().ToPayload(value)
		if err != nil {
			return nil, err
		}
		payload.Metadata["type"] = []byte("Keyword")
		out.IndexedFields[name] = payload
	}
	return out, nil
}
