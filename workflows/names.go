// Package workflows says what happens and in what order. Workflow code is
// deterministic: it reaches the world only through the activities it names.
package workflows

import (
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/temporal"
)

// The task queues (design section 7). Interactive work never waits behind bulk.
const (
	InteractiveQueue = "interactive"
	BroadcastQueue   = "broadcast"
	BulkQueue        = "bulk"
	SystemQueue      = "system"
	// ConversationQueue is for the runs of conversations: as many as there are
	// open ones, and in a hurry.
	ConversationQueue = "conversation"
)

// The search attributes every run carries where they apply (SYS-07).
var (
	TeamIDKey         = temporal.NewSearchAttributeKeyKeyword("TeamId")
	ConversationIDKey = temporal.NewSearchAttributeKeyKeyword("ConversationId")
	ChannelKindKey    = temporal.NewSearchAttributeKeyKeyword("ChannelKind")
	JobKindKey        = temporal.NewSearchAttributeKeyKeyword("JobKind")
	OutcomeKey        = temporal.NewSearchAttributeKeyKeyword("Outcome")
	FailureCodeKey    = temporal.NewSearchAttributeKeyKeyword("FailureCode")
)

// The updates and queries of SendBroadcast and of its lanes.
const (
	UpdatePause   = "pause"
	UpdateResume  = "resume"
	UpdateCancel  = "cancel"
	UpdateSetRate = "set_rate"
	UpdateApprove = "approve_start"
	QueryProgress = "progress"
)

// The updates and queries of the other workflows; their ids are made by
// omniflow, because the transaction that needs a run promises it.
const (
	UpdateRetry  = "retry"
	UpdateResend = "resend" // of ServeConversation
	UpdateClose  = "close"  // of ServeConversation
	QueryState   = "state"
)

// SendBroadcastID is the workflow id of a broadcast: "broadcast/{team}/{broadcast}".
func SendBroadcastID(teamID, broadcastID uuid.UUID) string {
	return "broadcast/" + teamID.String() + "/" + broadcastID.String()
}

// SendLaneID is the workflow id of one lane: the broadcast's and the account.
func SendLaneID(teamID, broadcastID, channelAccountID uuid.UUID) string {
	return SendBroadcastID(teamID, broadcastID) + "/" + channelAccountID.String()
}

// SendBroadcastInput carries no customer's data (SYS-12).
type SendBroadcastInput struct {
	TeamID      uuid.UUID     `json:"team_id"`
	BroadcastID uuid.UUID     `json:"broadcast_id"`
	StartAt     time.Time     `json:"start_at,omitzero"`   // zero: at once
	LateAfter   time.Duration `json:"late_after,omitzero"` // a start later than this needs an approval
}

// ControlInput is what an operator asks of a running broadcast, by update.
type ControlInput struct {
	ActorID          uuid.UUID `json:"actor_id"`
	ChannelAccountID uuid.UUID `json:"channel_account_id"` // zero: every lane
	Reason           string    `json:"reason,omitempty"`   // the operator's words, kept in the audit log
	RatePerSecond    float64   `json:"rate_per_second,omitempty"`
}

// ControlResult says whether anything changed: a second click is a no-op.
type ControlResult struct {
	Changed bool `json:"changed"`
}
