package omniflow

import (
	"slices"

	"github.com/google/uuid"
)

// NotificationKind is what an instant notification (即時通知) is about; with
// conversation, act and member it is the key that makes it once (D-NTF-1).
type NotificationKind string

// The kinds: those of section 15's table, and the push of a customer message.
const (
	NotifiedAdded           NotificationKind = "added"
	NotifiedRemoved         NotificationKind = "removed"
	NotifiedLeft            NotificationKind = "left"
	NotifiedTakenOver       NotificationKind = "taken_over"
	NotifiedTransferred     NotificationKind = "transferred"
	NotifiedEnded           NotificationKind = "ended"
	NotifiedCustomerMessage NotificationKind = "customer_message"
)

// Act is what somebody does to a conversation: an Event, a Collaboration, or
// CustomerWrites. No two of them share a value.
type Act string

// CustomerWrites is a message of the customer, or of a member of a group.
const CustomerWrites Act = "customer_message"

// told is whom an act is told to, by what they are to the conversation.
type told string

// Who is told.
const (
	toAffected       told = "affected"        // who is added, removed, or leaves
	toFormerFollower told = "former follower" // none: nobody
	toFollower       told = "follower"        // as the act leaves it
	toCollaborators  told = "collaborators"
	toParticipants   told = "participants" // the follower, then the collaborators
)

// Notice is what an act tells, and whom.
type Notice struct {
	Kind      NotificationKind
	Text      TextKey // "": the seeds give none
	CloseRoom bool    // an open room of the conversation is closed (NTF-04)
	to        told
	own       bool              // told to the actor too
	while     ConversationState // in which the act leaves the conversation; "": any
}

// notices is the column "instant notification" of section 15's table, with the
// push of NTF-02 and D-NTF-3. An act that is not here tells nobody: join and
// reopen (COL-13, COL-34), and the automatic ending, for section 18 lists what
// that writes and has none. One-to-one conversations and groups have the same.
var notices = map[Act]Notice{
	Act(AddMembers):    {Kind: NotifiedAdded, Text: TextNotificationAdded, to: toAffected},                           // COL-10, NT-01
	Act(RemoveMembers): {Kind: NotifiedRemoved, Text: TextNotificationRemoved, to: toAffected, CloseRoom: true},      // COL-15, NT-02, NTF-04
	Act(LeaveMembers):  {Kind: NotifiedLeft, Text: TextNotificationLeft, to: toAffected, own: true, CloseRoom: true}, // COL-18, NT-03, EX-091
	Act(TakeOver):      {Kind: NotifiedTakenOver, Text: TextNotificationTakenOver, to: toFormerFollower},             // COL-20, NT-04, D-COL-5
	Act(Follow):        {Kind: NotifiedTakenOver, Text: TextNotificationTakenOver, to: toFormerFollower},             // a group is taken over by following it
	Act(Transfer):      {Kind: NotifiedTransferred, Text: TextNotificationTransferred, to: toFollower},               // COL-23, NT-05, D-COL-5
	Act(End):           {Kind: NotifiedEnded, Text: TextNotificationEnded, to: toCollaborators, CloseRoom: true},     // COL-28, NT-06, NTF-04
	CustomerWrites:     {Kind: NotifiedCustomerMessage, to: toParticipants, while: Handling},                         // NTF-02, D-NTF-3
}

// Involved are the members whom an act may concern, and how it leaves the
// conversation. A zero id is nobody.
type Involved struct {
	Actor         uuid.UUID   // zero: the system, or the customer
	Affected      []uuid.UUID // whom a Collaboration is about
	Former        uuid.UUID   // follower before
	Follower      uuid.UUID   // follower after
	Collaborators []uuid.UUID
	State         ConversationState
}

// Notify says what act tells, and to whom, each once and in order: nobody of an
// act of one's own, but who leaves.
func Notify(act Act, in Involved) (Notice, []uuid.UUID) {
	n, ok := notices[act]
	if !ok || n.while != "" && n.while != in.State {
		return Notice{}, nil
	}
	var members []uuid.UUID
	for _, id := range n.audience(in) {
		if id == uuid.Nil || id == in.Actor && !n.own || slices.Contains(members, id) {
			continue
		}
		members = append(members, id)
	}
	return n, members
}

func (n Notice) audience(in Involved) []uuid.UUID {
	switch n.to {
	case toAffected:
		return in.Affected
	case toFormerFollower:
		return []uuid.UUID{in.Former}
	case toFollower:
		return []uuid.UUID{in.Follower}
	case toCollaborators:
		return in.Collaborators
	}
	return append([]uuid.UUID{in.Follower}, in.Collaborators...)
}

// ClosesRoom says whether a notification of this kind closes an open room of
// its conversation, on the web by force (NTF-04).
func (k NotificationKind) ClosesRoom() bool {
	for _, n := range notices {
		if n.Kind == k {
			return n.CloseRoom
		}
	}
	return false
}
