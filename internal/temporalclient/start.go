package temporalclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"omniflow/internal/omniflow"
	"omniflow/workflows"
)

// OutboxStart is one promised start: a row of the outbox.
type OutboxStart struct {
	ID         uuid.UUID       // of the row
	TeamID     uuid.UUID       // becomes the search attribute TeamId
	Workflow   string          // registered name, such as SendBroadcast
	WorkflowID string          // made by one function of package workflows
	Input      json.RawMessage // the workflow's input, as JSON
	Summary    string          // one line for operators; no customer's data
	// ConversationID becomes the search attribute of that name; zero: the run is of none.
	ConversationID uuid.UUID
}

// Starter starts promised runs. Starting one twice is harmless: a run that is
// open or over with the same id counts as started.
type Starter struct {
	Client client.Client
}

// SendBroadcast is the registered name of the workflow that sends a broadcast.
const SendBroadcast = "SendBroadcast"

// route says where runs of one workflow go, and as what they are found.
type route struct{ queue, jobKind string }

// routeOf knows the workflows that the outbox may promise.
func routeOf(workflow string) (route, bool) {
	switch workflow {
	case SendBroadcast:
		return route{workflows.BroadcastQueue, "broadcast"}, true
	case omniflow.CreateGroupRun:
		return route{workflows.SystemQueue, "group"}, true
	case omniflow.ChangeGroupMemberRun:
		return route{workflows.SystemQueue, "group_member"}, true
	case omniflow.ChangeGroupRun:
		return route{workflows.SystemQueue, "group_change"}, true
	case omniflow.ServeConversationRun:
		return route{workflows.ConversationQueue, "conversation"}, true
	}
	return route{}, false
}

// Start makes sure that the run s promises exists. A run that was terminated or
// failed is begun anew: it goes on from the ledger. An error means that it is
// not known to exist: the promise stays in the outbox.
func (t Starter) Start(ctx context.Context, s OutboxStart) error {
	to, ok := routeOf(s.Workflow)
	if !ok {
		return fmt.Errorf("start %s: unknown workflow %q", s.WorkflowID, s.Workflow)
	}
	_, err := t.Client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                       s.WorkflowID,
		TaskQueue:                to.queue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
		StaticSummary:            s.Summary,
		TypedSearchAttributes:    temporal.NewSearchAttributes(s.attributes(to)...),
	}, s.Workflow, s.Input)
	var already *serviceerror.WorkflowExecutionAlreadyStarted
	if err != nil && !errors.As(err, &already) {
		return fmt.Errorf("start %s: %w", s.WorkflowID, err)
	}
	return nil
}

// attributes are what a run is found by.
func (s OutboxStart) attributes(to route) []temporal.SearchAttributeUpdate {
	out := []temporal.SearchAttributeUpdate{workflows.TeamIDKey.ValueSet(s.TeamID.String()), workflows.JobKindKey.ValueSet(to.jobKind)}
	if s.ConversationID != uuid.Nil {
		out = append(out, workflows.ConversationIDKey.ValueSet(s.ConversationID.String()))
	}
	return out
}
