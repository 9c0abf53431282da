package omniflow

import (
	"time"

	"github.com/google/uuid"
)

// Lane is the part of one broadcast that goes through one channel account.
type Lane struct {
	TeamID           uuid.UUID `json:"team_id"`
	BroadcastID      uuid.UUID `json:"broadcast_id"`
	ChannelAccountID uuid.UUID `json:"channel_account_id"`
	Channel          Channel   `json:"channel"`
	Planned          int       `json:"planned"` // ledger rows; their seq is 0 to Planned-1
}

// LaneBucket is how many rows of a lane are counted together, and the size of
// a large lane's slices. It is a multiple of 60, so that the 1 to 5 messages
// of one recipient stay together.
const LaneBucket = 1980

// Slice is a run of a lane's rows, From <= seq < To, that one activity sends.
type Slice struct {
	Lane
	From int `json:"from"`
	To   int `json:"to"`
}

// Control is what an operator, or a stop code, wants of a lane.
type Control string

// The controls of a lane. Stopped is like paused, set by the system.
const (
	Running          Control = "running"
	Paused           Control = "paused"
	ControlCancelled Control = "cancelled"
	Stopped          Control = "stopped"
)

// Claim asks for rows of a slice to send. Fence is the caller's right to the
// slice: a claim with an older fence gets nothing.
type Claim struct {
	Slice
	Fence    int
	Cursor   int       // the first seq to look at, From <= Cursor
	Max      int       // rows
	RetryKey uuid.UUID // LINE multicast: the key of this call if it takes fresh rows; zero elsewhere
	Push     bool      // LINE push: every row is a call of its own, under a key of its own
	Finish   bool      // outside the hours: only what is under way, no fresh rows

	// What is checked again at the claim (D-SYS-00).
	ActorID    uuid.UUID     // BRD-02: the conversation is still handling and followed by this member
	Bound      bool          // BRD-11: instead, the customer is still bound to the member
	Window     time.Duration // the customer's last message is at most this old; 0: no window
	WindowCode Code          // why a row outside the window is skipped
}

// ClaimedMessage is a row in sending: it must be recorded, whatever happens.
type ClaimedMessage struct {
	ID             uuid.UUID
	Seq            int
	ConversationID uuid.UUID
	ContentID      uuid.UUID
	Recipient      string
	Name           string    // for the name variable, as frozen; "" also where the content has none
	RetryKey       uuid.UUID // LINE
	Again          bool      // LINE: an earlier call under this key may have been taken
	Attempt        int
	Tries          int
	AttemptedAt    time.Time
}

// Claimed is what a claim took. No messages and Held "" means that nothing is
// due now.
type Claimed struct {
	Messages []ClaimedMessage
	Skipped  int  // rows that a check refused in the same statement
	Last     int  // seq of the last row taken or skipped
	Held     Code // why nothing may be claimed: a Control, AccountStopped, or FenceLost
}

// The reasons for which a claim is held.
const (
	HeldPaused    Code = "paused"
	HeldStopped   Code = "stopped"
	HeldCancelled Code = "cancelled"
	HeldAccount   Code = AccountStopped
	FenceLost     Code = "fence_lost" // another attempt has the slice
)

// Record is the outcome of one claimed row.
type Record struct {
	MessageID  uuid.UUID
	Attempt    int
	State      MessageState // sent, queued (again), failed, unknown
	Code       Code         // why not sent; "" when sent
	Tries      int          // the row's count after this attempt
	DueAt      time.Time    // queued: not before; unknown: reconcile then; zero: none
	KeepKey    bool         // LINE: perhaps accepted, the same key must go again
	ProviderID string
	At         time.Time     // when the outcome was learned
	HTTPStatus int           // of the trace; 0 = no answer
	Latency    time.Duration // of the call
	Trace      string        // provider's request id
	FaultCode  string        // provider's code, for the trace
}

// SliceStatus counts what a slice still holds.
type SliceStatus struct {
	Due     int       // queued and claimable now
	Waiting int       // queued for later: backing off, or behind an unsettled message of the same recipient
	Sending int       // claimed
	Unknown int       // ambiguous
	NextDue time.Time // earliest of the queued ones that back off; zero: none
}

// LaneStatus is where a lane stands, derived from its rows.
type LaneStatus struct {
	Control   Control
	Reason    string
	StopCode  Code // of the account, "" while it is active
	Tally     Tally
	Reconcile time.Time // when the next unknown row is due; zero: none
	Slices    []int     // From of every slice (of the size asked for) with rows to send
	Media     int       // files of the lane that are not at its provider yet
	Waiting   Waiting   // why it is not moving
}

// LaneCount is a lane at one moment.
type LaneCount struct {
	Tally
	Waiting Waiting `json:"waiting"`
}

// LimiterName tells the limiters of one channel account apart.
type LimiterName string

// The limiters. A multicast call of LINE counts once, whatever its size.
const (
	MessagesLimiter  LimiterName = "messages"
	MulticastLimiter LimiterName = "multicast"
)

// Lease is a run of send slots: slot i is due Delay + i × Interval after the
// lease was asked for.
type Lease struct {
	Slots    int
	Delay    time.Duration // to the first slot; with Slots 0, until it is worth asking again
	Interval time.Duration
	Rate     float64 // per second, now
	Limit    float64 // per second, as set
}

// BroadcastJob is what a run needs to know of its broadcast.
type BroadcastJob struct {
	TeamID, BroadcastID, ActorID uuid.UUID
	Request                      BroadcastRequest
	Planned                      bool
	State                        string
	OnUnknown                    UnknownPolicy
	ReconcileAfter               time.Duration // an ambiguous row is looked at first after this
	GiveUpAfter                  time.Duration // and given up after this
	StopFailurePercent           int           // of the last outcomes; more than this stops a lane
	RetryOf                      uuid.UUID     // zero: no retry
	Retry                        RetryRequest  // what of RetryOf
}

// Order is what an operator may ask of a running broadcast.
type Order string

// The orders.
const (
	OrderPause   Order = "pause"
	OrderResume  Order = "resume"
	OrderCancel  Order = "cancel"
	OrderSetRate Order = "set_rate"
)

// ControlOrder is an order with its actor and reason.
type ControlOrder struct {
	TeamID           uuid.UUID `json:"team_id"`
	BroadcastID      uuid.UUID `json:"broadcast_id"`
	ChannelAccountID uuid.UUID `json:"channel_account_id"` // zero: every lane
	Channel          Channel   `json:"channel,omitempty"`  // of the account; set_rate only
	ActorID          uuid.UUID `json:"actor_id"`           // zero: an operator in the Temporal UI
	Order            Order     `json:"order"`
	Reason           string    `json:"reason,omitempty"`
	RatePerSecond    float64   `json:"rate_per_second,omitempty"`
}

// Reconciled counts what became of the unknown rows of a lane that were due.
type Reconciled struct {
	Requeued  int `json:"requeued"`  // proven never taken, to be sent again
	GivenUp   int `json:"given_up"`  // failed with outcome_unknown
	Postponed int `json:"postponed"` // not proven yet
}
