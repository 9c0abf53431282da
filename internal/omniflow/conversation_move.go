package omniflow

import (
	"fmt"
	"slices"
)

// SystemName is the actor that log texts print for what nobody did by hand
// (D-CLS-5).
const SystemName = "系統"

// conversationRoles may have to do with one-to-one conversations at all: those
// of D-CNV-2, which are all that D-ROL-3 lets see any. Marketing is not listed
// (ROL-04).
var conversationRoles = []Role{Administrator, Supervisor, CSManager, CSAgent, MarketingCS, SalesManager, SalesStaff}

// Handles says whether role may follow, receive and answer conversations.
func (r Role) Handles() bool { return slices.Contains(conversationRoles, r) }

// SeesTeamEvents says whether role sees what others handle (D-ROL-3).
func (r Role) SeesTeamEvents() bool { return r.AdminType() }

// Sighting is what decides whether a member sees a conversation.
type Sighting struct {
	Type     ConversationType // zero: one_to_one
	Role     Role
	Relation Relation
	State    ConversationState
	Followed bool // somebody follows it, or did when it was closed (D-CNV-6)
	Bound    bool // the customer is on the team customer list: bound to somebody (OMO-05)
}

// Sees says whether the member may see the conversation (D-ROL-3,
// GRP-02): permission_denied with MC-16. Pending ones are seen by every role that
// handles any, and so is a closed one that nobody followed (D-CNV-2).
func (s Sighting) Sees() *Refusal {
	switch mine := s.Relation.Follower || s.Relation.Collaborator; {
	case !s.Role.Handles(), s.Type == WhatsAppGroup && Permit(UseWhatsAppGroups, s.Role, s.Relation) != nil:
	case mine, s.Role.SeesTeamEvents(), s.State == PendingHuman, s.State == PendingBot, s.State == Closed && !s.Followed:
		return nil
	case s.Role == SalesManager && s.Bound:
		return nil
	}
	r := Refuse(PermissionDenied, "D-ROL-3", "%s", s.unseen())
	r.Key = TextConversationViewDenied
	return r
}

// unseen says why the member does not see the conversation and whom to ask, but
// not who follows it: who does not see it is not told.
func (s Sighting) unseen() string {
	const others = "another member %s, and the role %q has only pending ones and its own: ask %s"
	switch {
	case !s.Role.Handles():
		return fmt.Sprintf("the role %q has nothing to do with conversations", s.Role)
	case s.Type == WhatsAppGroup && Permit(UseWhatsAppGroups, s.Role, s.Relation) != nil:
		return fmt.Sprintf("the role %q has nothing to do with WhatsApp groups", s.Role)
	case s.State == Closed:
		return fmt.Sprintf(others, "followed this conversation when it was closed", s.Role, "a supervisor to reopen it")
	}
	return fmt.Sprintf(others, "follows this conversation", s.Role, "its follower to transfer it to you; a supervisor sees who that is")
}

// ConversationSituation is what the rules of a move need to know.
type ConversationSituation struct {
	Type          ConversationType // zero: one_to_one
	State         ConversationState
	Actor         Actor
	Relation      Relation // of the actor
	Bound         bool     // as in Sighting
	Followed      bool
	Follower      string // the follower's name, to tell whoever was slower
	Collaborators bool

	// Of the receiver of a transfer.
	ReceiverRole         Role
	ReceiverActive       bool
	ReceiverIsFollower   bool
	ReceiverCollaborates bool
}

// MoveConversation gives the step that a member's event makes in a one-to-one
// conversation, with collaborators or without, or why it may not be made:
// actor_inactive, permission_denied, invalid_transition, not_follower,
// not_collaborator, collaborator_cannot_close, receiver_inactive,
// receiver_invalid, receiver_is_follower, receiver_not_collaborator.
func MoveConversation(in ConversationSituation, e Event) (Step, *Refusal) {
	if no := in.Actor.PermitActive(); no != nil {
		return Step{}, no
	}
	if !in.Actor.Role.Handles() {
		return Step{}, Refuse(PermissionDenied, "ROL-04", "the role %q has nothing to do with conversations", in.Actor.Role)
	}
	step, no := Transition(in.State, e)
	if no != nil {
		return Step{}, in.explain(no, e)
	}
	if in.Collaborators && e == Reopen {
		step.Follower = FollowerRemembered // COL-34
	}
	return step, in.permit(e)
}

// MoveBySystem gives the step that the system makes: auto_close and ask_human.
func MoveBySystem(s ConversationState, e Event) (Step, *Refusal) {
	if e != AutoClose && e != AskHuman {
		return Step{}, Refuse(InvalidTransition, "CNV-09", "%s is for a member to do", e)
	}
	return Transition(s, e)
}

// explain adds to a refused transition who follows a handled conversation
// (D-CNV-5), and what to do about it.
func (in ConversationSituation) explain(no *Refusal, e Event) *Refusal {
	if in.Followed && in.State == Handling {
		return Refuse(no.Code, "D-CNV-5", "%s is not possible while the conversation is %s: %s", e, in.State, in.askFollower())
	}
	return no
}

// askFollower says who follows a handled conversation and how the actor comes
// to it.
func (in ConversationSituation) askFollower() string {
	switch {
	case in.Relation.Follower:
		return "you follow it already"
	case in.permitTaking(TakeOver) == nil:
		return fmt.Sprintf("it is followed by %s; ask them, or take it over", in.Follower)
	case in.Collaborators && !in.Relation.Collaborator:
		return fmt.Sprintf("it is followed by %s; ask them to add you as a collaborator", in.Follower)
	}
	return fmt.Sprintf("it is followed by %s; ask them to transfer it to you", in.Follower)
}

func (in ConversationSituation) permit(e Event) *Refusal {
	switch e {
	case Follow, Reopen, TakeOver:
		return in.permitTaking(e)
	case Transfer:
		if no := in.onlyFollower(e); no != nil {
			return no
		}
		return in.permitReceiver()
	case End:
		return in.permitEnding()
	}
	return Refuse(PermissionDenied, "ROL-04", "no member may %s", e)
}

// permitTaking is about becoming the follower. One takes over what one sees
// (CNV-12); of a collaboration only a collaborator does (COL-20), and reopening
// one leaves the follower (COL-34).
func (in ConversationSituation) permitTaking(e Event) *Refusal {
	switch mine := in.Relation.Follower || in.Relation.Collaborator; {
	case e == TakeOver && in.Relation.Follower:
		return Refuse(InvalidTransition, "CNV-12", "you follow this conversation already")
	case e == TakeOver && in.Collaborators:
		return Permit(TakeOverCollaboration, in.Actor.Role, in.Relation)
	case e == Reopen && in.Collaborators && !mine:
		return Permit(ReopenTeamCollaboration, in.Actor.Role, in.Relation)
	}
	in.Bound = in.Bound && e != TakeOver // OMO-05: to take part, without any effect on the follower
	return in.Sighting().Sees()
}

// Sighting is the situation as far as it decides whether the actor sees the
// conversation.
func (in ConversationSituation) Sighting() Sighting {
	return Sighting{Type: in.Type, Role: in.Actor.Role, Relation: in.Relation, State: in.State, Followed: in.Followed, Bound: in.Bound}
}

func (in ConversationSituation) permitEnding() *Refusal {
	if in.State != Handling {
		return Permit(EndPendingConversation, in.Actor.Role, in.Relation)
	}
	if in.Relation.Collaborator && !in.Relation.Follower {
		r := Refuse(CollaboratorCannotClose, "COL-28", "a collaborator cannot end the conversation")
		r.Key = TextCollaboratorCannotClose
		return r
	}
	return in.onlyFollower(End)
}

func (in ConversationSituation) onlyFollower(e Event) *Refusal {
	if in.Relation.Follower {
		return nil
	}
	return Refuse(NotFollower, "CNV-12", "only its follower may %s the conversation: %s", e, in.askFollower())
}

func (in ConversationSituation) permitReceiver() *Refusal {
	switch {
	case in.ReceiverIsFollower:
		return Refuse(ReceiverIsFollower, "CNV-12", "the receiver follows this conversation already")
	case !in.ReceiverActive:
		return Refuse(ReceiverInactive, "CNV-12", "the receiver is deactivated or deleted")
	case in.Collaborators && !in.ReceiverCollaborates:
		return Refuse(ReceiverNotCollaborator, "COL-23", "a collaboration is transferred to a collaborator only")
	case !in.ReceiverRole.Handles():
		return Refuse(ReceiverInvalid, "ROL-04", "the role %q has nothing to do with conversations", in.ReceiverRole)
	}
	return nil
}

// OtherVersion is the refusal of whoever gives another version than the
// conversation or group has now: in state s, "" if it is not said, and followed
// by follower, "" for nobody (D-CNV-5). Somebody was faster only where the given
// one was before it.
func OtherVersion(given, now int64, s ConversationState, follower string) *Refusal {
	if given < 0 || given > now {
		return Refuse(InvalidTransition, "D-CNV-5", "you gave version %d, it is %d; read it again", given, now)
	}
	if follower == "" {
		follower = "nobody"
	}
	stands := "followed by " + follower
	if s != "" {
		stands = string(s) + ", " + stands
	}
	return Refuse(InvalidTransition, "D-CNV-5", "you gave version %d, it is %d: somebody was faster, and it is %s now; read it again", given, now, stands)
}
