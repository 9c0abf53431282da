package workflows

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"omniflow/internal/omniflow"
)

// ServeConversationResult is how the run of a conversation ended.
type ServeConversationResult struct {
	Outcome omniflow.ServeOutcome `json:"outcome"`
}

// ResendRequest is the update resend: a failed message goes again.
type ResendRequest struct {
	MessageID uuid.UUID `json:"message_id"`
	ActorID   uuid.UUID `json:"actor_id,omitzero"` // in whose name; zero: its sender's
}

// CloseRequest is the update close: the conversation ends now.
type CloseRequest struct {
	Reason string `json:"reason"` // the operator's words, kept in the audit log
}

// ServeConversation serves one open conversation: it hands its messages over in
// order, shows how long the customer waits, and ends it when the customer stays
// silent. What is true is in the database; a look does what is due and says
// when to look again, and a change that cannot wait so long wakes the run: so
// what a customer writes costs no event. It ends when the conversation is
// closed and nothing is on its way. Signal: changed; updates: resend, close;
// query: progress.
func ServeConversation(ctx workflow.Context, in omniflow.ServeConversationInput) (ServeConversationResult, error) {
	c := &conversationRun{in: in, ear: newEar(ctx)}
	if err := c.listen(ctx); err != nil {
		return ServeConversationResult{}, err
	}
	for known := c.knows(ctx); ; known = false {
		if !known {
			if err := c.look(ctx); err != nil {
				return ServeConversationResult{}, err
			}
		}
		switch {
		case c.in.Turn.Over && !c.ear.news():
			if err := conclude(ctx, string(c.in.Turn.Outcome), ""); err != nil || !c.ear.news() {
				return ServeConversationResult{Outcome: c.in.Turn.Outcome}, err
			}
		case c.ear.full(ctx):
			return ServeConversationResult{}, workflow.NewContinueAsNewError(ctx, ServeConversation, c.in)
		case !c.in.Turn.Over:
			if next := c.next(ctx, known); next.After(workflow.Now(ctx)) {
				if err := c.ear.wait(ctx, c.in.Turn.Awaits(c.in.Channel), next); err != nil {
					return ServeConversationResult{}, err
				}
			}
		}
	}
}

// conversationRun is one run.
type conversationRun struct {
	in    omniflow.ServeConversationInput
	ear   *ear
	asked time.Time // when the last look was asked for
}

// next is when to look again. After a look it is so long from now as the
// database said: were the engine's clock ahead, a time would be over here that
// has not come there, and look would follow look until it has. A turn that was
// known from the start is as old as its signal, so its time counts: who comes
// too early looks once.
func (c *conversationRun) next(ctx workflow.Context, known bool) time.Time {
	if known || c.in.Turn.Wait <= 0 {
		return c.in.Turn.Next
	}
	from := workflow.Now(ctx)
	if from.Sub(c.asked) > oldLook {
		from = c.asked
	}
	return from.Add(c.in.Turn.Wait)
}

// oldLook is how old a look is whose result was taken up late, after a backlog
// or an outage: since then the database counts on a run that sleeps already, so
// it must not sleep longer for it.
const oldLook = 10 * time.Second

// knows says whether the run begins with a turn that needs no look: the one
// signal that started it says no more than that turn, any other does. Most
// conversations begin so, with a customer who waits.
func (c *conversationRun) knows(ctx workflow.Context) bool {
	if c.in.Looks > 0 || c.in.Turn.State == omniflow.NoConversation {
		return false
	}
	workflow.SetCurrentDetails(ctx, c.details())
	return c.ear.changed.ReceiveAsync(nil) && !c.ear.news()
}

// serveStep is databaseStep on the queue of conversations. An attempt is found
// dead after 10 s without a sign; with files to hand over it may take 5 min.
var serveStep = workflow.ActivityOptions{
	TaskQueue: ConversationQueue, StartToCloseTimeout: 5 * time.Minute, HeartbeatTimeout: 10 * time.Second, RetryPolicy: databaseStep.RetryPolicy,
}

// The priorities of looks: somebody is waiting, or a time has come.
const (
	urgent = 2
	timely = 4
)

// look reads the database and does what is due. Who was told of a change goes
// before who only finds a time come.
func (c *conversationRun) look(ctx workflow.Context) error {
	options := serveStep
	options.Summary = "look: " + c.looksFor()
	options.Priority = temporal.Priority{PriorityKey: timely, FairnessKey: c.in.TeamID.String()}
	if c.ear.news() || c.in.Looks == 0 {
		options.Priority.PriorityKey = urgent
	}
	c.ear.look()
	c.asked = workflow.Now(ctx)
	c.in.Looks++
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), act.ServeConversation, c.in.ConversationRef).Get(ctx, &c.in.Turn)
	if err == nil {
		workflow.SetCurrentDetails(ctx, c.details())
	}
	return err
}

// looksFor says why the run looks now.
func (c *conversationRun) looksFor() string {
	switch {
	case c.ear.news():
		return "something changed"
	case c.in.Turn.State == omniflow.NoConversation:
		return "where it stands"
	}
	return c.in.Turn.Awaits(c.in.Channel)
}

// listen registers what an operator may ask and order.
func (c *conversationRun) listen(ctx workflow.Context) error {
	if err := workflow.SetQueryHandler(ctx, QueryProgress, func() (omniflow.ConversationTurn, error) { return c.in.Turn, nil }); err != nil {
		return err
	}
	err := workflow.SetUpdateHandlerWithOptions(ctx, UpdateResend, c.resend, workflow.UpdateHandlerOptions{
		Description: "send a failed message of the conversation again", Validator: c.checkResend})
	if err != nil {
		return err
	}
	return workflow.SetUpdateHandlerWithOptions(ctx, UpdateClose, c.close, workflow.UpdateHandlerOptions{
		Description: "end the conversation now, as its automatic ending would", Validator: c.checkClose})
}

func (c *conversationRun) checkResend(in ResendRequest) error {
	switch {
	case in.MessageID == uuid.Nil:
		return omniflow.Refuse(omniflow.InvalidInput, "MSG-01", "name the message_id")
	case c.in.Turn.State != omniflow.Handling && c.in.Turn.State != omniflow.NoConversation:
		return omniflow.OpenFirst("CNV-07", "conversation", c.in.Turn.State)
	}
	return nil
}

func (c *conversationRun) resend(ctx workflow.Context, in ResendRequest) error {
	err := workflow.ExecuteActivity(c.order(ctx, "send a failed message again"), act.ResendMessage,
		omniflow.ResendInput{ConversationRef: c.in.ConversationRef, MessageID: in.MessageID, ActorID: in.ActorID}).Get(ctx, nil)
	c.ear.nudged = true
	return err
}

func (c *conversationRun) checkClose(in CloseRequest) error {
	switch {
	case strings.TrimSpace(in.Reason) == "":
		return omniflow.Refuse(omniflow.InvalidInput, "D-CLS-5", "say why: it is kept in the audit log")
	case c.in.Turn.State != omniflow.Handling && c.in.Turn.State != omniflow.NoConversation:
		return omniflow.Refuse(omniflow.InvalidTransition, "CLS-01", "only a handled conversation ends so: it is %s", c.in.Turn.State)
	}
	return nil
}

func (c *conversationRun) close(ctx workflow.Context, in CloseRequest) error {
	id := uuid.NewSHA1(c.in.ConversationID, []byte(workflow.GetInfo(ctx).WorkflowExecution.RunID+"/"+workflow.GetCurrentUpdateInfo(ctx).ID))
	err := workflow.ExecuteActivity(c.order(ctx, "end the conversation"), act.CloseConversation,
		omniflow.CloseInput{ConversationRef: c.in.ConversationRef, ActionID: id, Reason: in.Reason}).Get(ctx, nil)
	c.ear.nudged = true
	return err
}

// order is a step that an operator waits for.
func (c *conversationRun) order(ctx workflow.Context, summary string) workflow.Context {
	options := serveStep
	options.Summary, options.Priority = summary, temporal.Priority{PriorityKey: urgent, FairnessKey: c.in.TeamID.String()}
	options.StartToCloseTimeout = databaseStep.StartToCloseTimeout
	return workflow.WithActivityOptions(ctx, options)
}

// windowWords say what a window that is over still lets through (section 12).
var windowWords = map[omniflow.Bracket]string{
	omniflow.TemplateOnly:   "only templates may be sent until the customer writes",
	omniflow.NonPromotional: "nothing promotional may be sent until the customer writes",
	omniflow.Blocked:        "nothing may be sent until the customer writes",
}

// details say where the conversation stands, to a person.
func (c *conversationRun) details() string {
	t := c.in.Turn
	if t.Over {
		return fmt.Sprintf("The conversation is over: %s.", t.Outcome)
	}
	parts := []string{string(t.State)}
	if t.State == omniflow.Handling && t.FollowerID != uuid.Nil {
		parts[0] += " by member " + t.FollowerID.String()
	}
	if t.Waiting > omniflow.WaitingNone {
		parts = append(parts, "the customer waits: "+t.Waiting.String())
	}
	if !t.ClosesAt.IsZero() {
		parts = append(parts, "closes "+t.ClosesAt.UTC().Format("2006-01-02 15:04")+" unless the customer writes")
	}
	if words := windowWords[t.Window]; words != "" {
		parts = append(parts, words)
	}
	if t.Queued > 0 {
		plural := "s"
		if t.Queued == 1 {
			plural = ""
		}
		parts = append(parts, fmt.Sprintf("%d message%s queued", t.Queued, plural))
	}
	return strings.Join(parts, "; ")
}
