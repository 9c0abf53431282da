package omniflow

import (
	"slices"
	"time"
)

// groupMove is one row of the second table of section 10, as far as people
// make it.
type groupMove struct {
	Step
	action Action
	rule   string
}

// groupMoves is the table of a WhatsApp group without collaborators.
var groupMoves = map[ConversationState]map[Event]groupMove{
	PendingHuman: {
		Follow: {Step{Handling, FollowerActor}, UseWhatsAppGroups, "D-GRP-7"},
	},
	Handling: {
		Follow:   {Step{Handling, FollowerActor}, FollowWhatsAppGroup, "GRP-21"},
		Transfer: {Step{Handling, FollowerReceiver}, TransferOrEndWhatsAppGroup, "GRP-20"},
		End:      {Step{Closed, FollowerRemembered}, TransferOrEndWhatsAppGroup, "GRP-22"},
	},
	Closed: {
		Reopen: {Step{Handling, FollowerActor}, ReopenWhatsAppGroup, "D-GRP-9"},
	},
}

// collaborationMoves replace them where the group has collaborators (section 15).
var collaborationMoves = map[ConversationState]map[Event]groupMove{
	Handling: {
		Follow:   {Step{Handling, FollowerActor}, TakeOverCollaboration, "COL-20"},
		Transfer: {Step{Handling, FollowerReceiver}, TransferOrEndWhatsAppGroup, "COL-23"},
		End:      {Step{Closed, FollowerRemembered}, TransferOrEndWhatsAppGroup, "COL-28"},
	},
	Closed: {
		Reopen: {Step{Handling, FollowerRemembered}, ReopenTeamCollaboration, "COL-34"},
	},
}

// GroupSituation is what the rules of a move need to know.
type GroupSituation struct {
	State         ConversationState
	Group         Group
	Role          Role     // of the actor
	Relation      Relation // of the actor
	Collaborators bool
	IsCreator     bool // the actor asked for the group

	// Of the receiver of a transfer.
	ReceiverRole         Role
	ReceiverActive       bool
	ReceiverIsFollower   bool
	ReceiverCollaborates bool
}

// MoveGroup gives the step that event e makes, or why it may not be made:
// invalid_transition, permission_denied, not_follower, not_collaborator,
// collaborator_cannot_close, receiver_invalid, receiver_inactive,
// receiver_is_follower, receiver_not_collaborator.
func MoveGroup(in GroupSituation, e Event) (Step, *Refusal) {
	if in.Group.State != GroupCreated {
		return moveFailedGroup(in, e)
	}
	moves := groupMoves
	if in.Collaborators {
		moves = collaborationMoves
	}
	move, ok := moves[in.State][e]
	if !ok {
		return Step{}, Refuse(InvalidTransition, "GRP-22", "%s is not possible while the group is %s%s", e, in.State, insteadOf(in.State, e))
	}
	if no := in.permit(e, move); no != nil {
		return Step{}, no
	}
	if e == Follow && in.Relation.Follower {
		return Step{}, Refuse(InvalidTransition, move.rule, "you follow this group already")
	}
	if e == Transfer {
		if no := in.permitReceiver(); no != nil {
			return Step{}, no
		}
	}
	return move.Step, nil
}

// moveFailedGroup is D-GRP-5: its creator may end it, and nothing else.
func moveFailedGroup(in GroupSituation, e Event) (Step, *Refusal) {
	if e != End || in.State != Handling || in.Group.State != GroupFailed {
		return Step{}, Refuse(InvalidTransition, "D-GRP-5", "%s is not possible: the group is %s", e, in.Group.State)
	}
	if !in.IsCreator && !in.Relation.Follower {
		return Step{}, Refuse(NotFollower, "D-GRP-5", "only who asked for the group may end it")
	}
	return Step{Closed, FollowerRemembered}, nil
}

func (in GroupSituation) permit(e Event, move groupMove) *Refusal {
	if no := Permit(UseWhatsAppGroups, in.Role, in.Relation); no != nil {
		return no
	}
	switch {
	case e == End && in.Relation.Collaborator && !in.Relation.Follower:
		r := Refuse(CollaboratorCannotClose, "COL-28", "a collaborator cannot end the conversation")
		r.Key = TextCollaboratorCannotClose
		return r
	case e == Reopen && (in.Relation.Follower || in.Relation.Collaborator):
		return nil // GRP-23, COL-34
	}
	return Permit(move.action, in.Role, in.Relation)
}

func (in GroupSituation) permitReceiver() *Refusal {
	switch {
	case in.ReceiverIsFollower:
		return Refuse(ReceiverIsFollower, "GRP-20", "the receiver follows this group already")
	case !in.ReceiverActive:
		return Refuse(ReceiverInactive, "GRP-20", "the receiver is deactivated or deleted")
	case in.Collaborators && !in.ReceiverCollaborates:
		return Refuse(ReceiverNotCollaborator, "COL-23", "a collaboration is transferred to a collaborator only")
	case Permit(ReceiveWhatsAppGroup, in.ReceiverRole, Relation{}) != nil:
		return Refuse(ReceiverInvalid, "D-ROL-1", "a group cannot be transferred to the role %q", in.ReceiverRole)
	}
	return nil
}

// groupKinds is the left column of GRP-25; a template has a rule of its own.
var groupKinds = []MessageKind{Text, Emoji, Image, Video, File, LinkMessage, TemplateKind}

// The components of a template that GRP-25 speaks of.
const (
	ComponentURL         = "URL"
	ComponentPhoneNumber = "PHONE_NUMBER"
	ComponentQuickReply  = "QUICK_REPLY"
	ComponentFlow        = "FLOW"
)

// groupComponents are those a template to a group may hold; one other is
// enough to refuse it.
var groupComponents = []string{ComponentURL, ComponentPhoneNumber}

// CheckGroupContent says whether kind may be sent to a WhatsApp group, and, of
// a template, whether its buttons may (GRP-25): group_content_unsupported.
func CheckGroupContent(kind MessageKind, components []string) *Refusal {
	if !slices.Contains(groupKinds, kind) {
		return Refuse(GroupContentUnsupported, "GRP-25", "%q cannot be sent to a WhatsApp group", kind)
	}
	for _, c := range components {
		if !slices.Contains(groupComponents, c) {
			return Refuse(GroupContentUnsupported, "GRP-25", "a template with the component %s cannot be sent to a WhatsApp group", c)
		}
	}
	return nil
}

// CheckGroupWindow refuses with window_template_only anything but a template
// when every member's last message is over 24 h old (WIN-03). last is when any
// member last wrote, nil: never.
func CheckGroupWindow(kind MessageKind, last *time.Time, now time.Time) *Refusal {
	no := CheckWindow(WhatsApp, WhatsAppGroup, kind, false, last, now)
	if no != nil {
		no.Rule = "WIN-03"
	}
	return no
}

// PermitGroupMessage says whether a member may send kind to a group now:
// group_not_approved and the others of Usable, permission_denied,
// invalid_transition (only a handled group is written to), not_participant
// (COL-05, where the team has collaborations), window_template_only (WIN-03).
func PermitGroupMessage(in GroupSituation, kind MessageKind, participantsOnly bool, last *time.Time, now time.Time) *Refusal {
	if no := Permit(UseWhatsAppGroups, in.Role, in.Relation); no != nil {
		return no
	}
	if no := in.Group.Usable(); no != nil {
		return no
	}
	if in.State != Handling {
		return OpenFirst("GRP-22", "group", in.State)
	}
	if (participantsOnly || in.Collaborators) && !in.Relation.Follower && !in.Relation.Collaborator {
		return Refuse(NotParticipant, "COL-05", "only the follower and the collaborators write in this conversation")
	}
	return CheckGroupWindow(kind, last, now)
}
