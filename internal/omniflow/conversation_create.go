package omniflow

// CreateResult is what became of a request for a new WhatsApp conversation.
type CreateResult string

// The results (WAC, D-WAC-1, D-WAC-2). The two that ask have changed neither
// state nor follower.
const (
	ConversationCreated  CreateResult = "created"
	ConversationFollowed CreateResult = "followed" // it was pending
	ConversationExisting CreateResult = "existing" // one's own
	ConversationReopened CreateResult = "reopened" // one's own, closed
	ExistsAskTakeover    CreateResult = "exists_ask_takeover"
	ExistsAskJoin        CreateResult = "exists_ask_join" // a collaboration: join, then take over
	ConversationTaken    CreateResult = "taken_over"      // the prompt was accepted
)

// DecideCreation says what a request for a new WhatsApp conversation comes to
// when there is one in state s to which the actor is r; takeOver is the answer
// to the prompt.
func DecideCreation(s ConversationState, r Relation, collaborators, takeOver bool) CreateResult {
	mine := r.Follower || collaborators && r.Collaborator
	switch {
	case s == NoConversation:
		return ConversationCreated
	case s == PendingHuman || s == PendingBot:
		return ConversationFollowed // D-WAC-2
	case mine && s == Closed:
		return ConversationReopened
	case mine:
		return ConversationExisting
	case collaborators:
		return ExistsAskJoin
	case takeOver:
		return ConversationTaken // D-WAC-1
	}
	return ExistsAskTakeover // WAC-06, WAC-07
}

// Event is the transition that a result makes, "" for none.
func (r CreateResult) Event() Event {
	switch r {
	case ConversationCreated:
		return CreateWhatsApp
	case ConversationFollowed:
		return Follow
	case ConversationReopened:
		return Reopen
	case ConversationTaken:
		return TakeOver
	}
	return ""
}
