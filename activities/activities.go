// Package activities touches the world for the workflows: the ledger in
// PostgreSQL and the channels' providers. Every activity may run more than
// once, and each says what then happens.
package activities

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/worker"

	"omniflow/internal/channel"
	"omniflow/internal/channel/pace"
	"omniflow/internal/omniflow"
)

// Ledger is the outbound ledger and what a broadcast keeps beside it. Every
// method is one transaction.
type Ledger interface {
	// BroadcastJob loads a broadcast; Refusal not_found if the team has none such.
	BroadcastJob(ctx context.Context, teamID, broadcastID uuid.UUID) (omniflow.BroadcastJob, error)
	// PlanBroadcast freezes the audience into rows, once; false: it was frozen before.
	PlanBroadcast(ctx context.Context, j omniflow.BroadcastJob) (bool, error)
	// BroadcastLanes lists the lanes of a planned broadcast.
	BroadcastLanes(ctx context.Context, teamID, broadcastID uuid.UUID) ([]omniflow.Lane, error)
	// Contents loads what a lane sends, by content id.
	Contents(ctx context.Context, sl omniflow.Slice) (map[uuid.UUID][]omniflow.Content, error)
	// LaneMedia lists the files of a lane, those at its provider and those due.
	LaneMedia(ctx context.Context, lane omniflow.Lane) (ready, due []omniflow.Media, err error)
	// MediaReady and MediaRejected note what became of a file of a lane.
	MediaReady(ctx context.Context, lane omniflow.Lane, m omniflow.Media, handle string) error
	MediaRejected(ctx context.Context, lane omniflow.Lane, m omniflow.Media, code string) error
	// LaneStatus reads where a lane stands, and which slices of size rows are not done.
	LaneStatus(ctx context.Context, lane omniflow.Lane, size int) (omniflow.LaneStatus, error)
	// BroadcastTally counts rows by lane and state, and says why a lane is not moving.
	BroadcastTally(ctx context.Context, teamID, broadcastID uuid.UUID) (map[uuid.UUID]omniflow.LaneCount, error)
	// StartBroadcast notes that a start is waited for, or that it waits for an approval.
	StartBroadcast(ctx context.Context, teamID, broadcastID uuid.UUID, state omniflow.BroadcastState) (omniflow.StartFacts, error)
	// Beat notes that somebody works on a lane, and counts its last outcomes.
	Beat(ctx context.Context, lane omniflow.Lane) (omniflow.Outcomes, error)
	// DueQuotas takes up to n accounts of a channel whose quota is to be read; SaveQuota keeps what was read.
	DueQuotas(ctx context.Context, ch omniflow.Channel, n int) ([]omniflow.AccountRef, error)
	SaveQuota(ctx context.Context, a omniflow.AccountRef, q omniflow.Quota) error
	// ControlBroadcast applies an order; false: it was so already. Refusals:
	// broadcast_finished, rate_invalid.
	ControlBroadcast(ctx context.Context, o omniflow.ControlOrder) (bool, error)
	// StopLane and StopAccount stop what the provider refuses; false: it was stopped before.
	StopLane(ctx context.Context, lane omniflow.Lane, reason omniflow.Code) (bool, error)
	StopAccount(ctx context.Context, teamID, accountID uuid.UUID, code string) (bool, error)
	// CancelLane cancels the rows of a cancelled lane that wait to be sent.
	CancelLane(ctx context.Context, lane omniflow.Lane) (int, error)
	// ReconcileLane decides the unknown rows that are due.
	ReconcileLane(ctx context.Context, lane omniflow.Lane, p omniflow.UnknownPolicy, reconcileAfter, giveUpAfter time.Duration) (omniflow.Reconciled, error)
	// FinishBroadcast writes the end of a run, once.
	FinishBroadcast(ctx context.Context, teamID, broadcastID uuid.UUID, outcome omniflow.Outcome) error

	// TakeSlice gives the caller a fence newer than all before it.
	TakeSlice(ctx context.Context, sl omniflow.Slice, reconcileAfter time.Duration) (fence, ambiguous int, err error)
	// ClaimMessages moves due rows to sending and commits before it returns.
	ClaimMessages(ctx context.Context, c omniflow.Claim) (omniflow.Claimed, error)
	// RecordMessages writes outcomes; rows of another attempt are left alone.
	RecordMessages(ctx context.Context, teamID uuid.UUID, records []omniflow.Record) (int, error)
	// SliceStatus counts what a slice still holds.
	SliceStatus(ctx context.Context, sl omniflow.Slice) (omniflow.SliceStatus, error)

	// Throttled slows an account's limiter after a provider's refusal.
	Throttled(ctx context.Context, accountID uuid.UUID, name omniflow.LimiterName, code string, retryAfter time.Duration) error
	pace.Leaser
}

// Accounts gives channel accounts with their secrets in clear.
type Accounts interface {
	// Account loads one account of a team.
	Account(ctx context.Context, teamID, accountID uuid.UUID) (channel.Account, error)
}

// Meter counts what leaves.
type Meter interface {
	// Attempt counts one provider call, or n rows of one multicast call.
	Attempt(ch omniflow.Channel, result string, latency time.Duration, n int)
	// Slowed tells that an account's provider asked for less.
	Slowed(ch omniflow.Channel, code string)
	// Stopped tells that an account or a lane takes nothing until somebody acts.
	Stopped(ch omniflow.Channel, code string)
}

// Activities is everything the workflows may do. Make it with New.
type Activities struct {
	ledger   Ledger
	accounts Accounts
	senders  map[omniflow.Channel]channel.Sender
	files    Files
	pacer    *pace.Pacer
	meter    Meter
	log      *slog.Logger
	stopping <-chan struct{}

	groups    GroupLedger // see AddGroups
	providers map[omniflow.Channel]channel.Groups

	conversations ConversationLedger // see AddConversations
	inbound       *inboundFiles      // nil: customers' files are not fetched
}

// New makes the activities. stopping closes when the worker begins to stop:
// what is under way is finished then, and nothing new begun.
func New(ledger Ledger, accounts Accounts, senders map[omniflow.Channel]channel.Sender, meter Meter, log *slog.Logger, stopping <-chan struct{}, options ...Option) *Activities {
	a := &Activities{ledger: ledger, accounts: accounts, senders: senders, files: noFiles{}, pacer: pace.New(ledger), meter: meter, log: log, stopping: stopping}
	for _, set := range options {
		set(a)
	}
	return a
}

// Register adds every activity of a to r.
func Register(r worker.ActivityRegistry, a *Activities) { r.RegisterActivity(a) }
