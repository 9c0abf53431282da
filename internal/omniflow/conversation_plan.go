package omniflow

import (
	"time"

	"github.com/google/uuid"
)

// LookAtLeast is how long a run sleeps at most before it looks at its
// conversation again, whatever it waits for.
const LookAtLeast = 24 * time.Hour

// ServedMessage is a message of a conversation with which its run has still
// something to do.
type ServedMessage struct {
	ID          uuid.UUID
	SenderID    uuid.UUID // Nil: the system
	Origin      Origin
	State       MessageState
	DueAt       time.Time // queued: not before; unknown: decide then
	AttemptedAt time.Time
	SentAt      time.Time
	Replied     bool // what a human reply does was done
}

// ConversationFacts is all that decides what is next for a conversation, as it
// is while its row is held.
type ConversationFacts struct {
	Channel        Channel
	Type           ConversationType
	State          ConversationState // NoConversation: it is gone
	FollowerID     uuid.UUID
	LastCustomerAt *time.Time
	WaitingSince   time.Time // zero: nobody waits
	ClosedAt       time.Time // of the last ending
	SurveyedAt     time.Time // of the ending whose survey is decided
	Survey         Survey
	ReconcileAfter time.Duration
	Silence        Silence         // but for State, Waiting, Busy and Remindable
	Messages       []ServedMessage // in the order in which they were accepted
	// WroteAfter is when the customer wrote the first message that came in
	// after the last of the replies that were sent; zero: none did.
	WroteAfter time.Time
	// Unheard says that webhooks wait to be read which came before StepDue of
	// the plan made without it: one of them may be the customer's message.
	Unheard bool
}

// unheardPause is when to look again for an ending that webhooks hold up.
const unheardPause = 2 * time.Second

// ServeStep is what a plan wants to be done in the transaction that made it,
// before another plan is made.
type ServeStep string

// The steps. A survey that is decided against is decided too.
const (
	ServeNothing  ServeStep = ""
	ServeReminder ServeStep = "reminder"
	ServeEnding   ServeStep = "ending"
	ServeSurvey   ServeStep = "survey"
	ServeNoSurvey ServeStep = "no_survey"
)

// ConversationPlan is what is next for a conversation at one moment.
type ConversationPlan struct {
	WaitingSince time.Time // as it is now, zero: nobody waits
	Level        WaitingLevel
	RepliedAt    time.Time   // last human reply; zero: none
	Replied      []uuid.UUID // human replies whose effect this plan holds
	Done         []uuid.UUID // messages with which nothing is left to do
	Step         ServeStep
	StepDue      time.Time   // of a reminder or an ending: since when it is due
	Due          []uuid.UUID // messages to hand over or to decide now, in order
	Queued       int         // messages not settled
	Next         time.Time   // when to look again, if there is nothing else
	For          LookFor     // what for
	Over         bool        // closed and idle: the run ends
	ClosesAt     time.Time   // if nothing happens; zero: it does not by itself
}

// Plan says what is next for the conversation at now. It is the only place
// where that is decided, and it only reads: whoever makes it under the row's
// lock and writes its effects before the lock is gone loses nothing, however
// often it is made.
func (f ConversationFacts) Plan(now time.Time) ConversationPlan {
	p := ConversationPlan{WaitingSince: f.WaitingSince, RepliedAt: f.Silence.RepliedAt, Next: now.Add(LookAtLeast)}
	f.settle(&p)
	f.queue(&p, now)
	if f.State == Closed || f.State == NoConversation {
		p.WaitingSince = time.Time{}
		f.afterwards(&p, now)
		return p
	}
	level, at := WaitingLevelOf(f.State, p.WaitingSince, now)
	p.Level = level
	p.sooner(at, LookWaiting)
	if until := WindowUntil(f.Channel, f.Type, f.LastCustomerAt, now); !until.IsZero() {
		p.sooner(until.Add(time.Millisecond), LookWindow) // the bracket still holds at until (D-WIN-1)
	}
	f.silence(&p, now)
	return p
}

// Turn is where the conversation stands after the plan that was made of f at
// now.
func (p ConversationPlan) Turn(f ConversationFacts, now time.Time) ConversationTurn {
	return ConversationTurn{State: f.State, FollowerID: f.FollowerID, Waiting: p.Level, Window: WindowState(f.Channel, f.Type, f.LastCustomerAt, now),
		Queued: p.Queued, ClosesAt: p.ClosesAt, Next: p.Next, Wait: p.Next.Sub(now), For: p.For, Over: p.Over, Due: p.Due}
}

// settle does what human replies do once the channel has taken them, and marks
// what is over (WTG-02, CLS-01, D-WTG-3, D-WTG-4).
func (f ConversationFacts) settle(p *ConversationPlan) {
	for _, m := range f.Messages {
		if !m.State.Settled() {
			continue
		}
		p.Done = append(p.Done, m.ID)
		if !m.State.Delivered() || m.Origin != OriginAgent || m.Replied {
			continue
		}
		p.Replied = append(p.Replied, m.ID)
		if f.State == Handling {
			p.RepliedAt = later(p.RepliedAt, m.SentAt)
		}
		if !p.WaitingSince.IsZero() && !p.WaitingSince.After(m.SentAt) {
			p.WaitingSince = f.WroteAfter
		}
	}
}

// queue says which messages are due. One waits for those before it of the same
// sender (D-MSG-1); what the system says of the conversation as a whole waits
// for all. A message whose outcome is unknown is waited for as long as its
// webhook may come; after that it is never sent again behind the others' backs.
func (f ConversationFacts) queue(p *ConversationPlan, now time.Time) {
	blocked, held := map[uuid.UUID]bool{}, false
	for _, m := range f.Messages {
		if m.State.Settled() {
			continue
		}
		waits := blocked[m.SenderID] || held && (m.Origin == OriginReminder || m.Origin == OriginSurvey)
		p.Queued++
		holds := true
		if m.State == Unknown {
			free := m.AttemptedAt.Add(f.ReconcileAfter)
			waits, holds = false, now.Before(free)
			if holds {
				p.sooner(free, LookMessage)
			}
		}
		blocked[m.SenderID], held = blocked[m.SenderID] || holds, held || holds
		switch {
		case waits:
		case m.DueAt.After(now):
			p.sooner(m.DueAt, LookMessage)
		default:
			p.Due = append(p.Due, m.ID)
		}
	}
}

// silence is automatic ending.
func (f ConversationFacts) silence(p *ConversationPlan, now time.Time) {
	s := f.Silence
	s.State, s.Waiting, s.RepliedAt = f.State, !p.WaitingSince.IsZero(), p.RepliedAt
	s.Remindable = BotMayWrite(f.Channel, f.LastCustomerAt, now)
	for _, m := range f.Messages {
		s.Busy = s.Busy || m.Origin == OriginAgent && !m.State.Settled()
	}
	p.ClosesAt = s.ClosesAt()
	step, at := s.Next(now)
	if f.Unheard && (step == CloseWarn || step == CloseNow) {
		step, at = CloseWait, now.Add(unheardPause)
	}
	switch step {
	case CloseWait:
		why := LookReminder
		if !at.Before(p.ClosesAt) {
			why = LookEnding
		}
		p.sooner(at, why)
	case CloseWarn:
		p.Step, p.StepDue = ServeReminder, at
	case CloseNow:
		p.Step, p.StepDue = ServeEnding, at
	}
}

// afterwards is what follows an ending: its survey, once, and the end of the
// run when nothing is on its way any more.
func (f ConversationFacts) afterwards(p *ConversationPlan, now time.Time) {
	if f.State == Closed && !f.ClosedAt.IsZero() && !f.ClosedAt.Equal(f.SurveyedAt) {
		p.Step = ServeNoSurvey
		if f.Survey.Applies(f.Channel, f.Type, f.LastCustomerAt, now) {
			p.Step = ServeSurvey
		}
		return
	}
	p.Over = p.Queued == 0
}

// sooner looks again at the given time, if that is before; zero is never.
func (p *ConversationPlan) sooner(at time.Time, why LookFor) {
	if !at.IsZero() && at.Before(p.Next) {
		p.Next, p.For = at, why
	}
}
