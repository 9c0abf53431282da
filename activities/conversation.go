package activities

import (
	"context"
	"time"

	"omniflow/internal/omniflow"
)

// ConversationLedger is what is kept of conversations, for their runs.
type ConversationLedger interface {
	// ServeConversation does what is due under the row's lock and returns the
	// messages to hand over; none: it has noted when the run looks again.
	ServeConversation(ctx context.Context, ref omniflow.ConversationRef) (omniflow.ConversationTurn, error)
	// ResendMessage queues a failed message of a conversation again. Refusals:
	// not_found, message_not_failed, and what the door refuses.
	ResendMessage(ctx context.Context, in omniflow.ResendInput) error
	// CloseConversation ends a handled conversation in the name of the system,
	// once an action. Refusals: not_found, invalid_transition.
	CloseConversation(ctx context.Context, in omniflow.CloseInput) error
}

// AddConversations gives a what it needs for conversations.
func AddConversations(a *Activities, ledger ConversationLedger) { a.conversations = ledger }

const (
	// serveFor is how long one attempt hands messages over before the run takes
	// a breath: a history of many small steps says more than one of an hour.
	serveFor = 20 * time.Second
	// serveRounds bounds the looks of one attempt.
	serveRounds = 100
)

// ServeConversation looks at a conversation, hands over what is due, in order,
// and looks again until nothing is: then it returns when to come back. Who died
// in between left it to the next attempt: what a message did is read from the
// ledger, and one whose outcome was not written is not sent again unproven.
func (a *Activities) ServeConversation(ctx context.Context, in omniflow.ConversationRef) (omniflow.ConversationTurn, error) {
	turn, err := a.conversations.ServeConversation(ctx, in)
	if err != nil || len(turn.Due) == 0 {
		return turn, asTemporal(err)
	}
	defer beating(ctx)()
	end := time.Now().Add(serveFor)
	for range serveRounds {
		for _, id := range turn.Due {
			if err := a.serveMessage(ctx, omniflow.MessageRef{TeamID: in.TeamID, MessageID: id}); err != nil {
				return turn, asTemporal(err)
			}
		}
		turn, err = a.conversations.ServeConversation(ctx, in)
		if err != nil || len(turn.Due) == 0 {
			return turn, asTemporal(err)
		}
		if time.Now().After(end) || a.isStopping() {
			break
		}
	}
	turn.Next, turn.Wait, turn.For = time.Time{}, 0, omniflow.LookMessage // there is more to hand over: at once, whatever our clock says
	return turn, nil
}

func (a *Activities) isStopping() bool {
	select {
	case <-a.stopping:
		return true
	default:
		return false
	}
}

// serveMessage takes one message a step further: it is sent, or what is unknown
// of it is decided.
func (a *Activities) serveMessage(ctx context.Context, ref omniflow.MessageRef) error {
	st, err := a.groups.MessageStatus(ctx, ref)
	switch {
	case err != nil:
		return err
	case st.State == omniflow.Unknown:
		_, err = a.groups.ReconcileMessage(ctx, ref)
		return err
	case st.State.Settled():
		return nil
	case st.DueAt.After(time.Now()):
		// The database said that this was due, and it was put off since.
		return wait(ctx, min(time.Until(st.DueAt), time.Second))
	}
	var files preparedFiles
	if st.State == omniflow.Queued {
		ready := false
		if files, ready, err = a.prepareFiles(ctx, ref); err != nil || !ready {
			return err
		}
	}
	_, err = a.sendMessage(ctx, ref, files)
	return err
}

// ResendMessage queues a failed message again, for an operator.
func (a *Activities) ResendMessage(ctx context.Context, in omniflow.ResendInput) error {
	return asTemporal(a.conversations.ResendMessage(ctx, in))
}

// CloseConversation ends a conversation, for an operator.
func (a *Activities) CloseConversation(ctx context.Context, in omniflow.CloseInput) error {
	return asTemporal(a.conversations.CloseConversation(ctx, in))
}
