package activities

import (
	"context"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
)

// BroadcastInput names one broadcast.
type BroadcastInput struct {
	TeamID      uuid.UUID `json:"team_id"`
	BroadcastID uuid.UUID `json:"broadcast_id"`
}

// PlanBroadcastResult is the lanes of a planned broadcast.
type PlanBroadcastResult struct {
	Lanes []omniflow.Lane `json:"lanes"`
}

// PlanBroadcast freezes the audience of a broadcast into ledger rows and
// returns its lanes. Running it again only reads the lanes.
func (a *Activities) PlanBroadcast(ctx context.Context, in BroadcastInput) (PlanBroadcastResult, error) {
	job, err := a.ledger.BroadcastJob(ctx, in.TeamID, in.BroadcastID)
	if err != nil {
		return PlanBroadcastResult{}, asTemporal(err)
	}
	if !job.Planned {
		defer beating(ctx)()
		if _, err := a.ledger.StartBroadcast(ctx, in.TeamID, in.BroadcastID, omniflow.BroadcastPlanning); err != nil {
			return PlanBroadcastResult{}, asTemporal(err)
		}
		if _, err := a.ledger.PlanBroadcast(ctx, job); err != nil {
			return PlanBroadcastResult{}, asTemporal(err)
		}
	}
	lanes, err := a.ledger.BroadcastLanes(ctx, in.TeamID, in.BroadcastID)
	return PlanBroadcastResult{Lanes: lanes}, asTemporal(err)
}

// StartBroadcastInput names a broadcast and how far it is.
type StartBroadcastInput struct {
	BroadcastInput
	State omniflow.BroadcastState `json:"state"`
}

// StartBroadcast notes how far a broadcast without lanes is, and returns what
// its operators want of it. Noting it again changes nothing.
func (a *Activities) StartBroadcast(ctx context.Context, in StartBroadcastInput) (omniflow.StartFacts, error) {
	facts, err := a.ledger.StartBroadcast(ctx, in.TeamID, in.BroadcastID, in.State)
	return facts, asTemporal(err)
}

// ControlBroadcastResult says whether an order changed anything.
type ControlBroadcastResult struct {
	Changed bool `json:"changed"`
}

// ControlBroadcast applies an operator's order; the claims obey it from their
// next statement on. Applying it again changes nothing.
func (a *Activities) ControlBroadcast(ctx context.Context, o omniflow.ControlOrder) (ControlBroadcastResult, error) {
	changed, err := a.ledger.ControlBroadcast(ctx, o)
	return ControlBroadcastResult{Changed: changed}, asTemporal(err)
}

// FinishBroadcastInput is the end of a run.
type FinishBroadcastInput struct {
	BroadcastInput
	Outcome omniflow.Outcome `json:"outcome"`
}

// FinishBroadcast writes the end of a run into its row, once.
func (a *Activities) FinishBroadcast(ctx context.Context, in FinishBroadcastInput) error {
	return asTemporal(a.ledger.FinishBroadcast(ctx, in.TeamID, in.BroadcastID, in.Outcome))
}

// LaneInput names a lane and the size of its slices.
type LaneInput struct {
	Lane      omniflow.Lane `json:"lane"`
	SliceSize int           `json:"slice_size"`
}

// LaneStatus reads where a lane stands.
func (a *Activities) LaneStatus(ctx context.Context, in LaneInput) (omniflow.LaneStatus, error) {
	st, err := a.ledger.LaneStatus(ctx, in.Lane, in.SliceSize)
	st.Tally.Planned = in.Lane.Planned
	return st, asTemporal(err)
}

// CancelLane cancels what a cancelled lane has not handed over.
func (a *Activities) CancelLane(ctx context.Context, in LaneInput) error {
	_, err := a.ledger.CancelLane(ctx, in.Lane)
	return asTemporal(err)
}

// ReconcileLane decides the unknown rows of a lane that are due, by the
// team's policy.
func (a *Activities) ReconcileLane(ctx context.Context, in LaneInput) (omniflow.Reconciled, error) {
	job, err := a.ledger.BroadcastJob(ctx, in.Lane.TeamID, in.Lane.BroadcastID)
	if err != nil {
		return omniflow.Reconciled{}, asTemporal(err)
	}
	r, err := a.ledger.ReconcileLane(ctx, in.Lane, job.OnUnknown, job.ReconcileAfter, job.GiveUpAfter)
	return r, asTemporal(err)
}

// BroadcastTallyResult counts every lane of a broadcast, by channel account.
type BroadcastTallyResult struct {
	Lanes map[uuid.UUID]omniflow.LaneCount `json:"lanes"`
}

// BroadcastTally counts the rows of a broadcast by lane and state.
func (a *Activities) BroadcastTally(ctx context.Context, in BroadcastInput) (BroadcastTallyResult, error) {
	lanes, err := a.ledger.BroadcastTally(ctx, in.TeamID, in.BroadcastID)
	return BroadcastTallyResult{Lanes: lanes}, asTemporal(err)
}
