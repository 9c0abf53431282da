package omniflow

import (
	"time"

	"github.com/google/uuid"
)

// longestWait is the oldest that a wait is taken to be: no provider delivers a
// message later, and a clock that says 1970 must not lead every list for ever.
const longestWait = 7 * 24 * time.Hour

// clockStep is how coarse a provider's clock is: WhatsApp's webhooks know
// seconds, so what was written "at 12:00:00" may follow a reply of 12:00:00.4.
const clockStep = time.Second

// Talk is what a customer's messages change in a conversation.
type Talk struct {
	Type             ConversationType
	State            ConversationState
	FollowerID       uuid.UUID // zero: nobody
	Collaborators    bool
	ClosedAt         time.Time // zero: not closed
	LastHumanReplyAt time.Time
	LastCustomerAt   time.Time
	LastMessageAt    time.Time
	WaitingSince     time.Time // zero: nobody waits
}

// Written is when a customer wrote, as far as a provider's clock can be
// believed: never in the future, which would hold windows open (WIN-06).
func Written(at, now time.Time) time.Time {
	if at.After(now) {
		return now
	}
	return at
}

// Hear gives the conversation after a message of the customer, written at at
// (see Written), of the given kind; assignee is whom keyword assignment names,
// zero for nobody (CNV-13 to CNV-18, COL-07, COL-45, D-CNV-6). The wait starts
// at the first message that no person answered (D-WTG-1), in whatever order
// they come: what is heard after we learned of a reply was not answered by it,
// whatever the provider's clock says.
func (t Talk) Hear(kind ReceivedKind, assignee uuid.UUID, at, now time.Time) Talk {
	next := t
	next.LastCustomerAt, next.LastMessageAt = later(t.LastCustomerAt, at), later(t.LastMessageAt, at)
	next.State = t.next(kind, assignee != uuid.Nil, at)
	switch {
	case next.State == t.State, t.Collaborators:
	case next.State == Handling && t.Type == OneToOne:
		next.FollowerID = assignee
	case next.State != Handling:
		next.FollowerID = uuid.Nil // D-CNV-6
	}
	if next.State == Closed {
		return next
	}
	next.ClosedAt = time.Time{}
	from := later(at, now.Add(-longestWait))
	if t.WaitingSince.IsZero() || from.Before(t.WaitingSince) {
		next.WaitingSince = from
	}
	return next
}

// Opening is the turn with which the run of a conversation on ch begins when its
// customer has written and nothing else is to be done: it waits for the first
// badge. Nothing ends by itself while a customer waits, whatever the team's
// rules are; so the plan needs no more than the talk.
func (t Talk) Opening(ch Channel, now time.Time) ConversationTurn {
	f := ConversationFacts{Channel: ch, Type: t.Type, State: t.State, FollowerID: t.FollowerID, LastCustomerAt: &t.LastCustomerAt, WaitingSince: t.WaitingSince}
	return f.Plan(now).Turn(f, now)
}

// next is the state after the message. A closed conversation stays closed when
// the message comes late: written before the ending, and a person has answered
// since. CNV-06 is about a customer who writes again; one whom nobody answered
// is not forgotten, whenever the message comes.
func (t Talk) next(kind ReceivedKind, assigned bool, at time.Time) ConversationState {
	switch {
	case t.State == Closed && at.Before(t.ClosedAt) && t.answered(at):
		return Closed
	case t.Type != OneToOne:
		return ReceiveInGroup(t.State, t.Collaborators)
	case t.Collaborators && t.State == Closed:
		return Handling // COL-07, COL-29
	case t.Collaborators:
		return t.State // never in pending; COL-45
	}
	return ReceiveMessage(t.State, kind, assigned)
}

// answered says whether a person has surely answered since at.
func (t Talk) answered(at time.Time) bool {
	return !t.LastHumanReplyAt.IsZero() && !at.Add(clockStep).After(t.LastHumanReplyAt)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
