package omniflow

import (
	"time"

	"github.com/google/uuid"
)

// ServeConversationRun is the workflow of one open conversation: its sends in
// order, its waiting badge and its ending (design section 7).
const ServeConversationRun = "ServeConversation"

// ConversationRef names a conversation to its run: ids only (SYS-12).
type ConversationRef struct {
	TeamID         uuid.UUID `json:"team_id"`
	ConversationID uuid.UUID `json:"conversation_id"`
}

// ServeConversationInput begins a run, and is all that survives from one run to
// the next when the history is long. Turn is what the run before saw last or, of
// the first, what the transaction that promised it has found to wait for
// (Talk.Opening); without it the run looks at once.
type ServeConversationInput struct {
	ConversationRef
	Channel Channel          `json:"channel,omitempty"`
	Turn    ConversationTurn `json:"turn,omitzero"`
	Looks   int              `json:"looks,omitzero"`
}

// ServeConversationID is the workflow id of a conversation:
// "conversation/{team}/{conversation}".
func ServeConversationID(teamID, conversationID uuid.UUID) string {
	return "conversation/" + teamID.String() + "/" + conversationID.String()
}

// Origin is why a message outside every broadcast is sent.
type Origin string

// The origins. Only an agent's message is a human reply (D-WTG-3, D-CLS-4).
const (
	OriginAgent     Origin = "agent"
	OriginAutoReply Origin = "auto_reply"
	OriginReminder  Origin = "reminder"
	OriginSurvey    Origin = "survey"
)

// ServeOutcome is how the run of a conversation ended.
type ServeOutcome string

// The outcomes: a member ended the conversation, it ended itself, or it is gone.
const (
	OutcomeClosed     ServeOutcome = "closed"
	OutcomeAutoClosed ServeOutcome = "auto_closed"
	OutcomeDeleted    ServeOutcome = "deleted"
)

// LookFor is what the next look at a conversation is for.
type LookFor string

// What looks are for. Without any the run looks once a day.
const (
	LookMessage  LookFor = "message"  // one is due, or what became of it is decided
	LookWaiting  LookFor = "waiting"  // the customer has waited for the next level
	LookWindow   LookFor = "window"   // less may be sent from then on
	LookReminder LookFor = "reminder" // of the automatic ending
	LookEnding   LookFor = "ending"
)

// ConversationTurn is where a conversation stands after a look, and what is
// next. It goes into the run's history: nothing in it is the customer's.
type ConversationTurn struct {
	State      ConversationState `json:"state,omitempty"`
	FollowerID uuid.UUID         `json:"follower_id,omitzero"`
	Waiting    WaitingLevel      `json:"waiting,omitempty"`
	Window     Bracket           `json:"window,omitempty"`   // what may be sent
	Queued     int               `json:"queued,omitempty"`   // messages not settled
	ClosesAt   time.Time         `json:"closes_at,omitzero"` // unless the customer writes
	Next       time.Time         `json:"next,omitzero"`      // when to look again, by the database's clock
	Wait       time.Duration     `json:"wait,omitempty"`     // how long that was from the look: no clock has a say in it
	For        LookFor           `json:"for,omitempty"`      // what that look is for
	Over       bool              `json:"over,omitempty"`     // closed and idle
	Outcome    ServeOutcome      `json:"outcome,omitempty"`  // when over
	Due        []uuid.UUID       `json:"-"`                  // messages to hand over or decide now, in order
}

// waitedWords are how long the customer will have waited at the level after the
// one that is shown (WTG-01).
var waitedWords = map[WaitingLevel]string{WaitingNone: "30 min", WaitingOver30m: "1 h", WaitingOver1h: "2 h"}

// Awaits is for people: what the next look at a conversation on ch is for, and
// when that is. It names nobody: it stays in the run's history (SYS-12).
func (t ConversationTurn) Awaits(ch Channel) string {
	at := t.Next.UTC().Format("2006-01-02 15:04") + " UTC"
	switch {
	case t.Next.IsZero() && t.Queued > 0:
		return "messages on their way"
	case t.Next.IsZero():
		return "a change"
	}
	switch t.For {
	case LookMessage:
		return "message due at " + at
	case LookWaiting:
		return "customer waits " + waitedWords[t.Waiting] + " at " + at
	case LookReminder:
		return "reminder at " + at
	case LookEnding:
		return "ends at " + at
	case LookWindow:
		if ch == Facebook && t.Window == Open {
			return "window closes for what is promotional at " + at // WIN-02
		}
		return "window closes at " + at
	}
	return "a change; looks anyhow at " + at
}

// ResendInput asks to send a failed message of a conversation again.
type ResendInput struct {
	ConversationRef
	MessageID uuid.UUID `json:"message_id"`
	ActorID   uuid.UUID `json:"actor_id,omitzero"` // zero: an operator of the engine, who asks for its sender
}

// CloseInput asks to end a conversation in the name of the system.
type CloseInput struct {
	ConversationRef
	ActionID uuid.UUID `json:"action_id"` // makes it once
	Reason   string    `json:"reason,omitempty"`
}
