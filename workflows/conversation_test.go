package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"omniflow/internal/omniflow"
	"omniflow/workflows"
)

// ten is 10:00 of day 1 of the worked examples.
var ten = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

// counter is a test environment of the run of one conversation. What the
// database would hold is in facts, and planned as the store does.
type counter struct {
	*testsuite.TestWorkflowEnvironment
	t     *testing.T
	ref   omniflow.ConversationRef
	facts omniflow.ConversationFacts
	looks int
	ahead time.Duration // the engine's clock of the database's
	seen  []string      // what changed at a look, with its time
	level omniflow.WaitingLevel
	ended omniflow.ServeOutcome
}

func newCounter(t *testing.T, state omniflow.ConversationState) *counter {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	c := &counter{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), t: t,
		ref: omniflow.ConversationRef{TeamID: uuid.New(), ConversationID: uuid.New()}}
	rule := omniflow.AutoCloseRule{Enabled: true, Duration: 24 * time.Hour, Grace: 2 * time.Minute}
	c.facts = omniflow.ConversationFacts{Channel: omniflow.LINE, Type: omniflow.OneToOne, State: state, ReconcileAfter: time.Minute,
		Silence: omniflow.Silence{Rule: &rule, Zone: time.UTC}}
	workflows.Register(c)
	c.SetStartTime(ten)
	c.SetTestTimeout(time.Minute)
	c.OnActivity(acts.ServeConversation, mock.Anything, c.ref).Return(func(context.Context, omniflow.ConversationRef) (omniflow.ConversationTurn, error) {
		c.looks++
		return c.look(), nil
	}).Maybe()
	t.Cleanup(func() { c.AssertExpectations(t) })
	return c
}

// look does what the store does with a plan; what is due is sent at once.
func (c *counter) look() omniflow.ConversationTurn {
	now := c.Now().UTC().Add(-c.ahead)
	for {
		p := c.facts.Plan(now)
		c.facts.WaitingSince, c.facts.Silence.RepliedAt = p.WaitingSince, p.RepliedAt
		if p.Level != c.level {
			c.level = p.Level
			c.see(p.Level.String())
		}
		c.settle(p, now)
		if p.Step == omniflow.ServeNothing && len(p.Due) == 0 {
			turn := p.Turn(c.facts, now)
			if p.Over {
				turn.Outcome = c.ended
			}
			return turn
		}
	}
}

func (c *counter) settle(p omniflow.ConversationPlan, now time.Time) {
	var left []omniflow.ServedMessage
	for _, m := range c.facts.Messages {
		done := false
		for _, id := range p.Done {
			done = done || id == m.ID
		}
		for _, id := range p.Due {
			if id == m.ID {
				m.State, m.SentAt = omniflow.Sent, now
				c.see(string(m.Origin) + " sent")
			}
		}
		if !done {
			left = append(left, m)
		}
	}
	c.facts.Messages = left
	switch p.Step {
	case omniflow.ServeReminder:
		c.facts.Silence.RemindedAt, c.facts.Silence.ReminderSettled, c.facts.Silence.ReminderSentAt = now, true, now
		c.see("reminder sent")
	case omniflow.ServeEnding:
		c.facts.State, c.facts.ClosedAt, c.ended = omniflow.Closed, now, omniflow.OutcomeAutoClosed
		c.see("closed")
	case omniflow.ServeSurvey, omniflow.ServeNoSurvey:
		c.facts.SurveyedAt = c.facts.ClosedAt
	}
}

func (c *counter) see(what string) {
	c.seen = append(c.seen, c.Now().UTC().Format("2 15:04 ")+what)
}

// at does something at a time of day 1, and tells the run if it must hear of it.
func (c *counter) at(after time.Duration, tell bool, do func(now time.Time)) {
	c.RegisterDelayedCallback(func() {
		do(c.Now().UTC())
		if tell {
			c.SignalWorkflow(omniflow.SignalChanged, nil)
		}
	}, after)
}

// writes is a customer's message: the run hears of it only if it opens a wait
// whose badge comes before its next look.
func (c *counter) writes(now time.Time) {
	if c.facts.WaitingSince.IsZero() {
		c.facts.WaitingSince = now
	}
}

func (c *counter) says(origin omniflow.Origin) func(time.Time) {
	return func(time.Time) {
		c.facts.Messages = append(c.facts.Messages, omniflow.ServedMessage{ID: uuid.New(), Origin: origin, State: omniflow.Queued})
	}
}

func (c *counter) ends(now time.Time) {
	c.facts.State, c.facts.ClosedAt, c.ended = omniflow.Closed, now, omniflow.OutcomeClosed
}

func (c *counter) run() workflows.ServeConversationResult {
	c.t.Helper()
	c.ExecuteWorkflow(workflows.ServeConversation, omniflow.ServeConversationInput{ConversationRef: c.ref, Channel: omniflow.LINE})
	require.NoError(c.t, c.GetWorkflowError())
	var out workflows.ServeConversationResult
	require.NoError(c.t, c.GetWorkflowResult(&out))
	return out
}

func TestEX040BadgesAppearOnTheirMinute(t *testing.T) {
	t.Parallel()
	c := newCounter(t, omniflow.PendingHuman)
	c.writes(ten)
	c.at(5*time.Minute, true, c.says(omniflow.OriginAutoReply))
	c.at(20*time.Minute, false, c.writes)
	c.at(5*time.Hour, true, c.ends)
	c.run()
	require.Equal(t, []string{"20 10:05 auto_reply sent", "20 10:30 over_30m", "20 11:00 over_1h", "20 12:00 over_2h", "20 15:00 none"}, c.seen)
	require.Equal(t, 6, c.looks, "the customer's second message cost none")
}

func TestEX041AReplyClearsTheBadge(t *testing.T) {
	t.Parallel()
	c := newCounter(t, omniflow.Handling)
	c.writes(ten)
	c.at(70*time.Minute, true, c.says(omniflow.OriginAgent))
	c.at(5*time.Hour, true, c.ends)
	c.run()
	require.Equal(t, []string{"20 10:30 over_30m", "20 11:00 over_1h", "20 11:10 agent sent", "20 11:10 none"}, c.seen)
}

func TestEX042InPendingBotNothingShows(t *testing.T) {
	t.Parallel()
	c := newCounter(t, omniflow.PendingBot)
	c.writes(ten)
	c.at(45*time.Minute, true, func(time.Time) { c.facts.State = omniflow.PendingHuman })
	c.at(50*time.Minute, true, c.ends)
	c.run()
	require.Equal(t, []string{"20 10:45 over_30m", "20 10:50 none"}, c.seen)
}

func TestEX126ClosesAfterTheLastReplyOfAnybody(t *testing.T) {
	t.Parallel()
	c := newCounter(t, omniflow.Handling)
	c.says(omniflow.OriginAgent)(ten)
	c.at(2*time.Hour, true, c.says(omniflow.OriginAgent))
	c.at(3*time.Hour, true, func(time.Time) { c.facts.FollowerID = uuid.New() }) // a transfer
	out := c.run()
	require.Equal(t, omniflow.OutcomeAutoClosed, out.Outcome)
	require.Equal(t, []string{"20 10:00 agent sent", "20 12:00 agent sent", "21 12:00 closed"}, c.seen)
}

func TestEX127ACustomerMessageAMinuteBefore(t *testing.T) {
	t.Parallel()
	c := newCounter(t, omniflow.Handling)
	c.at(2*time.Hour, true, c.says(omniflow.OriginAgent))
	c.at(26*time.Hour-time.Minute, false, c.writes)
	c.at(28*time.Hour, true, c.ends)
	out := c.run()
	require.Equal(t, omniflow.OutcomeClosed, out.Outcome, "not by itself")
	require.Equal(t, []string{"20 12:00 agent sent", "21 12:29 over_30m", "21 12:59 over_1h", "21 13:59 over_2h", "21 14:00 none"}, c.seen)
}

func TestReminderThenTwoMinutes(t *testing.T) {
	t.Parallel()
	c := newCounter(t, omniflow.Handling)
	c.facts.Silence.Rule.Reminder = "?"
	c.says(omniflow.OriginAgent)(ten)
	c.run()
	require.Equal(t, []string{"20 10:00 agent sent", "21 10:00 reminder sent", "21 10:02 closed"}, c.seen)
}

// The input hint changes a second after 24 h and 7 days, and not on them; a
// customer who writes in between costs no look of its own (WIN-02, D-WIN-1).
func TestWIN02TheHintChangesOnItsSecond(t *testing.T) {
	t.Parallel()
	c := newCounter(t, omniflow.Handling)
	c.facts.Channel, c.facts.Silence.Rule = omniflow.Facebook, nil
	wrote := ten
	c.facts.LastCustomerAt = &wrote
	got := map[string]omniflow.Bracket{}
	ask := func(name string, after time.Duration) {
		c.at(after, false, func(time.Time) {
			value, err := c.QueryWorkflow(workflows.QueryProgress)
			require.NoError(t, err)
			var turn omniflow.ConversationTurn
			require.NoError(t, value.Get(&turn))
			got[name] = turn.Window
		})
	}
	const day = 24 * time.Hour
	ask("24 h 0 s", day)
	ask("24 h 1 s", day+time.Second+time.Millisecond) // the look of that day came first: the next is a second later
	again := 2*day + time.Hour                        // the customer writes: both are counted anew
	c.at(again, false, func(now time.Time) { wrote = now })
	ask("again, 24 h 0 s", again+day)
	ask("again, 7 d 0 s", again+7*day)
	ask("again, 7 d 1 s", again+7*day+time.Second)
	c.at(20*day, true, c.ends)
	c.run()
	require.Equal(t, map[string]omniflow.Bracket{"24 h 0 s": omniflow.Open, "24 h 1 s": omniflow.NonPromotional, "again, 24 h 0 s": omniflow.Open,
		"again, 7 d 0 s": omniflow.NonPromotional, "again, 7 d 1 s": omniflow.Blocked}, got)
}

// The engine's clock is an hour ahead of the database's: what is over here has
// not come there, and a look is made for each deadline, not one after another.
func TestClocksThatDisagreeMakeNoLoop(t *testing.T) {
	t.Parallel()
	c := newCounter(t, omniflow.PendingHuman)
	c.ahead = time.Hour
	c.writes(ten.Add(-time.Hour))
	c.at(3*time.Hour, true, c.ends)
	c.run()
	require.Equal(t, []string{"20 10:30 over_30m", "20 11:00 over_1h", "20 12:00 over_2h", "20 13:00 none"}, c.seen)
	require.Equal(t, 5, c.looks)
}

// A look whose result is taken up ten minutes late says how long to sleep from
// then: the database counts on a run that looks at the time it named.
func TestALookThatIsTakenUpLateIsNotSleptFor(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	workflows.Register(env)
	env.SetStartTime(ten)
	ref := omniflow.ConversationRef{TeamID: uuid.New(), ConversationID: uuid.New()}
	half := omniflow.ConversationTurn{State: omniflow.PendingHuman, Next: ten.Add(30 * time.Minute), Wait: 30 * time.Minute}
	env.OnActivity(acts.ServeConversation, mock.Anything, ref).Return(half, nil).After(10 * time.Minute).Once()
	env.OnActivity(acts.ServeConversation, mock.Anything, ref).Return(func(context.Context, omniflow.ConversationRef) (omniflow.ConversationTurn, error) {
		require.Equal(t, ten.Add(30*time.Minute), env.Now().UTC())
		return omniflow.ConversationTurn{State: omniflow.Closed, Over: true, Outcome: omniflow.OutcomeClosed}, nil
	}).Once()
	env.ExecuteWorkflow(workflows.ServeConversation, omniflow.ServeConversationInput{ConversationRef: ref})
	require.NoError(t, env.GetWorkflowError())
	env.AssertExpectations(t)
}

func TestAnOpenConversationLooksOnceADay(t *testing.T) {
	t.Parallel()
	c := newCounter(t, omniflow.Handling)
	c.facts.Silence.Rule = nil
	c.at(10*24*time.Hour+time.Hour, true, c.ends)
	c.run()
	require.Equal(t, 12, c.looks, "at the start, ten times, and at the end")
}

// A run that begins with what there is to wait for sleeps without a look, and
// hears of whatever comes before.
func TestARunThatKnowsSleepsAtOnce(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		signals, looks int
	}{"the signal that started it": {1, 2}, "another one beside it": {2, 3}, "no signal": {0, 3}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCounter(t, omniflow.PendingHuman)
			c.writes(ten)
			talk := omniflow.Talk{Type: omniflow.OneToOne, State: omniflow.PendingHuman, LastCustomerAt: ten, WaitingSince: ten}
			for range row.signals {
				c.at(0, true, func(time.Time) {})
			}
			c.at(40*time.Minute, true, c.ends)
			c.ExecuteWorkflow(workflows.ServeConversation, omniflow.ServeConversationInput{ConversationRef: c.ref, Channel: omniflow.LINE, Turn: talk.Opening(omniflow.LINE, ten)})
			require.NoError(t, c.GetWorkflowError())
			require.Equal(t, []string{"20 10:30 over_30m", "20 10:40 none"}, c.seen)
			require.Equal(t, row.looks, c.looks)
		})
	}
}

func TestAChangeAtTheVeryEndIsNotLost(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	workflows.Register(env)
	ref := omniflow.ConversationRef{TeamID: uuid.New(), ConversationID: uuid.New()}
	over := omniflow.ConversationTurn{State: omniflow.Closed, Over: true, Outcome: omniflow.OutcomeClosed}
	env.OnActivity(acts.ServeConversation, mock.Anything, ref).Return(over, nil).After(time.Second).Once()
	env.OnActivity(acts.ServeConversation, mock.Anything, ref).Return(over, nil).Once()
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(omniflow.SignalChanged, nil) }, 500*time.Millisecond)
	env.ExecuteWorkflow(workflows.ServeConversation, omniflow.ServeConversationInput{ConversationRef: ref})
	require.NoError(t, env.GetWorkflowError())
	env.AssertExpectations(t)
}

func TestAConversationGoesOnInANewRun(t *testing.T) {
	t.Parallel()
	c := newCounter(t, omniflow.Handling)
	c.facts.FollowerID = uuid.New()
	c.says(omniflow.OriginAgent)(ten)
	c.SetContinueAsNewSuggested(true)
	c.ExecuteWorkflow(workflows.ServeConversation, omniflow.ServeConversationInput{ConversationRef: c.ref, Channel: omniflow.LINE})
	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, c.GetWorkflowError(), &again)
	var in omniflow.ServeConversationInput
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(again.Input, &in))
	require.Equal(t, c.ref, in.ConversationRef)
	require.Equal(t, omniflow.LINE, in.Channel)
	require.Equal(t, ten.Add(24*time.Hour), in.Turn.ClosesAt.UTC())
	require.Equal(t, 1, in.Looks)

	next := newCounter(t, omniflow.Handling)
	next.ref = in.ConversationRef
	next.OnActivity(acts.ServeConversation, mock.Anything, next.ref).Return(omniflow.ConversationTurn{Over: true, Outcome: omniflow.OutcomeAutoClosed}, nil).Once()
	next.ExecuteWorkflow(workflows.ServeConversation, in)
	require.NoError(t, next.GetWorkflowError())
}

// answer keeps what became of an update.
type answer struct{ rejected, done error }

func (a *answer) callbacks() *testsuite.TestUpdateCallback {
	return &testsuite.TestUpdateCallback{OnAccept: func() {}, OnReject: func(err error) { a.rejected = err }, OnComplete: func(_ any, err error) { a.done = err }}
}

func TestOperatorsResendAndClose(t *testing.T) {
	t.Parallel()
	c := newCounter(t, omniflow.Handling)
	c.facts.FollowerID = uuid.New()
	message := uuid.New()
	c.OnActivity(acts.ResendMessage, mock.Anything, omniflow.ResendInput{ConversationRef: c.ref, MessageID: message}).Return(nil).Once()
	c.OnActivity(acts.CloseConversation, mock.Anything, mock.MatchedBy(func(in omniflow.CloseInput) bool {
		return in.ConversationRef == c.ref && in.ActionID != uuid.Nil && in.Reason == "spam"
	})).Return(func(context.Context, omniflow.CloseInput) error { c.ends(c.Now().UTC()); return nil }).Once()
	var empty, good, silent, closing answer
	c.RegisterDelayedCallback(func() { c.UpdateWorkflow(workflows.UpdateResend, "1", empty.callbacks(), workflows.ResendRequest{}) }, time.Minute)
	c.RegisterDelayedCallback(func() {
		c.UpdateWorkflow(workflows.UpdateResend, "2", good.callbacks(), workflows.ResendRequest{MessageID: message})
	}, 2*time.Minute)
	c.RegisterDelayedCallback(func() {
		value, err := c.QueryWorkflow(workflows.QueryProgress)
		require.NoError(t, err)
		var turn omniflow.ConversationTurn
		require.NoError(t, value.Get(&turn))
		require.Equal(t, c.facts.FollowerID, turn.FollowerID)
		c.UpdateWorkflow(workflows.UpdateClose, "3", silent.callbacks(), workflows.CloseRequest{})
	}, 3*time.Minute)
	c.RegisterDelayedCallback(func() {
		c.UpdateWorkflow(workflows.UpdateClose, "4", closing.callbacks(), workflows.CloseRequest{Reason: "spam"})
	}, 4*time.Minute)
	out := c.run()
	require.Equal(t, omniflow.OutcomeClosed, out.Outcome)
	require.ErrorContains(t, empty.rejected, string(omniflow.InvalidInput))
	require.ErrorContains(t, silent.rejected, string(omniflow.InvalidInput))
	require.NoError(t, good.rejected)
	require.NoError(t, good.done)
	require.NoError(t, closing.done)
	require.Equal(t, ten.Add(4*time.Minute), c.Now().UTC())
}
