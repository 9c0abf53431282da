package omniflow

// ConversationState is the state of a conversation (CNV-03).
type ConversationState string

// The states. NoConversation is both "none" and "(gone)" of section 2.
const (
	NoConversation ConversationState = ""
	PendingHuman   ConversationState = "pending_human"
	PendingBot     ConversationState = "pending_bot"
	Handling       ConversationState = "handling"
	Closed         ConversationState = "closed"
)

// ConversationType is the kind of a conversation (CNV-01). Collaborative is a
// property of any of them, not a type.
type ConversationType string

// The types of a conversation.
const (
	OneToOne      ConversationType = "one_to_one"
	WhatsAppGroup ConversationType = "whatsapp_group"
	LINEGroup     ConversationType = "line_group"
)

// View is the list of the console in which a member finds a conversation.
type View string

// The views. A pending conversation is in the same view for everybody.
const (
	PendingHumanView View = "pending_human"
	PendingBotView   View = "pending_bot"
	MyHandling       View = "my_handling"
	TeamHandling     View = "team_handling"
	MyClosed         View = "my_closed"
	TeamClosed       View = "team_closed"
)

// ViewOf derives the view of a conversation in state s for a member who is r
// to it (CNV-04). A closed one without a follower is under team closed for
// everybody (D-CNV-2); "" for no conversation.
func ViewOf(s ConversationState, r Relation) View {
	mine := r.Follower || r.Collaborator
	switch s {
	case PendingHuman:
		return PendingHumanView
	case PendingBot:
		return PendingBotView
	case Handling:
		if mine {
			return MyHandling
		}
		return TeamHandling
	case Closed:
		if mine {
			return MyClosed
		}
		return TeamClosed
	}
	return ""
}

// ConversationName is what a conversation is called: a group by its title, a
// customer without a name by phone number or channel id (GRP-13, D-COL-7).
func ConversationName(t ConversationType, name, phone, externalID string) string {
	switch {
	case t == WhatsAppGroup:
		return GroupTitle(name)
	case name == "" && phone != "":
		return phone
	case name == "":
		return externalID
	}
	return name
}

// Event is what changes the state of a one-to-one conversation, other than a
// message of the customer (for that see ReceiveMessage).
type Event string

// The events of section 2. TakeOver is for an ordinary conversation; that of a
// collaboration is COL-20.
const (
	CreateWhatsApp Event = "create_whatsapp" // WAC-04: an agent opens a conversation
	AskHuman       Event = "ask_human"
	Follow         Event = "follow"
	End            Event = "end"
	AutoClose      Event = "auto_close"
	Transfer       Event = "transfer"
	TakeOver       Event = "take_over"
	Reopen         Event = "reopen"
	Delete         Event = "delete"
	Blacklist      Event = "blacklist"
)

// NextFollower says who follows a conversation after a transition.
type NextFollower string

// What "follower after" of section 2 says.
const (
	FollowerNone       NextFollower = "none"
	FollowerActor      NextFollower = "actor"
	FollowerReceiver   NextFollower = "receiver"
	FollowerAssignee   NextFollower = "assignee"   // or none, when nobody is assigned
	FollowerRemembered NextFollower = "remembered" // unchanged; decides "my closed" (D-CNV-6)
)

// Step is the outcome of a transition.
type Step struct {
	To       ConversationState
	Follower NextFollower
}

// transitions is the table of one-to-one conversations of section 2.
var transitions = map[ConversationState]map[Event]Step{
	NoConversation: {
		CreateWhatsApp: {Handling, FollowerActor}, // WAC-04
	},
	PendingBot: {
		AskHuman:  {PendingHuman, FollowerAssignee}, // CNV-11; an assignee makes it handling (CNV-18)
		Follow:    {Handling, FollowerActor},        // CNV-07, D-CNV-1
		End:       {Closed, FollowerNone},           // BLK-02, D-CNV-2
		Delete:    {NoConversation, FollowerNone},   // DEL-01
		Blacklist: {NoConversation, FollowerNone},   // DEL-02
	},
	PendingHuman: {
		Follow:    {Handling, FollowerActor},
		End:       {Closed, FollowerNone},
		Delete:    {NoConversation, FollowerNone},
		Blacklist: {NoConversation, FollowerNone},
	},
	Handling: {
		Transfer:  {Handling, FollowerReceiver}, // CNV-12
		TakeOver:  {Handling, FollowerActor},    // CNV-12
		End:       {Closed, FollowerRemembered}, // CNV-09
		AutoClose: {Closed, FollowerRemembered}, // CLS-01
		Delete:    {NoConversation, FollowerNone},
		Blacklist: {NoConversation, FollowerNone},
	},
	Closed: {
		Reopen:    {Handling, FollowerActor}, // CNV-08
		Delete:    {NoConversation, FollowerNone},
		Blacklist: {NoConversation, FollowerNone},
	},
}

// instead says what to do where the state refuses what a member asks for: it is
// mostly one step away. Of one that somebody handles see askFollower.
var instead = map[ConversationState]map[Event]string{
	PendingBot: pendingInstead, PendingHuman: pendingInstead,
	Handling: {Reopen: "it is open already"},
	Closed: {
		Follow: "reopen it first", Transfer: "reopen it first", TakeOver: "reopen it first",
		End: "it is closed already; reopen opens it",
	},
}

// pendingInstead is about what nobody follows yet. A group does not end then.
var pendingInstead = map[Event]string{
	Transfer: "follow it first", End: "follow it first",
	TakeOver: "nobody follows it: follow it", Reopen: "it is open already: follow it",
}

// insteadOf is what to do instead of e, to stand behind what was refused; "" if
// there is nothing.
func insteadOf(s ConversationState, e Event) string {
	if words := instead[s][e]; words != "" {
		return ": " + words
	}
	return ""
}

// OpenFirst refuses to write where the state is s (CNV-07, CNV-08): only what is
// handled is written in, and a closed one is not followed but reopened.
func OpenFirst(rule, noun string, s ConversationState) *Refusal {
	step := Follow
	if s == Closed {
		step = Reopen
	}
	return Refuse(InvalidTransition, rule, "%s the %s first: it is %s", step, noun, s)
}

// Transition gives the step that event e makes from state s; every pair that
// section 2 does not name is refused with invalid_transition. Who may do it is
// asked elsewhere.
func Transition(s ConversationState, e Event) (Step, *Refusal) {
	step, ok := transitions[s][e]
	if !ok {
		from := s
		if from == NoConversation {
			from = "none"
		}
		return Step{}, Refuse(InvalidTransition, "CNV-09", "%s is not possible while the conversation is %s%s", e, from, insteadOf(s, e))
	}
	return step, nil
}
