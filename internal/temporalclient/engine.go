package temporalclient

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"omniflow/internal/omniflow"
	"omniflow/workflows"
)

var (
	// ErrUnavailable means that Temporal, or the worker that would answer, is
	// not there now.
	ErrUnavailable = errors.New("workflow engine unavailable")
	// ErrNoRun means that no run with the id is open.
	ErrNoRun = errors.New("no open run with this id")
)

// Engine is what the API asks of Temporal.
type Engine struct {
	Client  client.Client
	Signals Signaler
}

// Start is Starter.Start; every error is ErrUnavailable.
func (e Engine) Start(ctx context.Context, s OutboxStart) error {
	if err := (Starter{Client: e.Client}).Start(ctx, s); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

// Signal is Signaler.Signal; every error is ErrUnavailable.
func (e Engine) Signal(ctx context.Context, s OutboxSignal) error {
	if err := e.Signals.Signal(ctx, s); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

// Update asks an open run for a control and waits until it is done. The same
// updateID again gives the first result.
//
// Errors: *omniflow.Refusal when the run refuses, ErrNoRun, ErrUnavailable.
func (e Engine) Update(ctx context.Context, workflowID, updateID, name string, in workflows.ControlInput) (workflows.ControlResult, error) {
	var out workflows.ControlResult
	handle, err := e.Client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: workflowID, UpdateID: updateID, UpdateName: name, Args: []any{in},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = handle.Get(ctx, &out)
	}
	return out, updateError(err)
}

// updateError sorts the errors of an update. A refusal travels as an
// application error whose type is the code.
func updateError(err error) error {
	var missing *serviceerror.NotFound
	var refused *temporal.ApplicationError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &missing):
		return fmt.Errorf("%w: %w", ErrNoRun, err)
	case errors.As(err, &refused):
		return refusalOf(refused)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// refusalOf reads a refusal back: of an activity its type is the code; of a
// validator its type is the name of Refusal and its text begins with the code.
func refusalOf(e *temporal.ApplicationError) error {
	code, detail := e.Type(), e.Message()
	if code == refusalType {
		code, detail, _ = strings.Cut(detail, ": ")
	}
	return omniflow.Refuse(omniflow.Code(code), "SYS-02", "%s", detail)
}

// refusalType is what the SDK makes the type of a *omniflow.Refusal.
const refusalType = "Refusal"

// Healthy says whether Temporal answers within a second.
func (e Engine) Healthy(ctx context.Context) error { return Healthy(ctx, e.Client) }
