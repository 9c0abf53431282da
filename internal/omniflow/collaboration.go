package omniflow

import (
	"slices"

	"github.com/google/uuid"
)

// Refusals of section 15 that no other section has.
const (
	CollaboratorLimit   Code = "collaborator_limit"    // COL-04: more than five, the present ones counted
	CollaboratorInvalid Code = "collaborator_invalid"  // the member cannot become one, or is none
	FollowerCannotLeave Code = "follower_cannot_leave" // COL-18: hand the conversation on first
)

// Collaboration is what a member does to the collaborators of a conversation.
type Collaboration string

// The operations of section 15 that change who collaborates.
const (
	AddMembers    Collaboration = "add"    // COL-10
	JoinMembers   Collaboration = "join"   // COL-13
	RemoveMembers Collaboration = "remove" // COL-15
	LeaveMembers  Collaboration = "leave"  // COL-18
)

// CollaborationMember is one member whom an operation is about.
type CollaborationMember struct {
	ID           uuid.UUID
	Role         Role
	Active       bool
	Follower     bool
	Collaborator bool
}

// CollaborationSituation is what the rules of an operation need to know.
type CollaborationSituation struct {
	ConversationSituation
	Enabled bool  // the team has collaborations (ROL-06)
	Group   Group // of a WhatsApp group
	Present int   // collaborators there are
	Members []CollaborationMember
}

// Collaborate says whether op may be done, whatever the kind of the
// conversation: actor_inactive, feature_disabled, permission_denied,
// group_not_approved, invalid_transition, collaborator_invalid,
// collaborator_limit, follower_cannot_leave, not_collaborator. Of several
// members all may be added or removed, or none is.
func Collaborate(in CollaborationSituation, op Collaboration) *Refusal {
	if no := in.Actor.PermitActive(); no != nil {
		return no
	}
	if !in.Enabled {
		return Refuse(FeatureDisabled, "ROL-06", "collaborations are off for this team: its flag %s switches them on", CollaborationEnabled)
	}
	if no := in.mayUse(in.Actor.Role, in.Relation); no != nil {
		return no
	}
	if no := in.permitOperation(op); no != nil {
		return no
	}
	if no := in.fits(op); no != nil {
		return no
	}
	switch op {
	case AddMembers, JoinMembers:
		return in.permitNew()
	case RemoveMembers:
		return in.permitRemoval()
	}
	return nil
}

// mayUse says whether a role has to do with this kind of conversation.
func (in CollaborationSituation) mayUse(role Role, r Relation) *Refusal {
	switch in.Type {
	case WhatsAppGroup:
		return Permit(UseWhatsAppGroups, role, r)
	case LINEGroup:
		return Permit(UseLINEGroups, role, r)
	}
	if !role.Handles() {
		return Refuse(PermissionDenied, "ROL-04", "the role %q has nothing to do with conversations", role)
	}
	return nil
}

func (in CollaborationSituation) permitOperation(op Collaboration) *Refusal {
	switch {
	case op == AddMembers:
		return Permit(AddCollaborators, in.Actor.Role, in.Relation)
	case op == JoinMembers:
		return Permit(JoinCollaboration, in.Actor.Role, in.Relation)
	case op == RemoveMembers:
		return Permit(RemoveCollaborators, in.Actor.Role, in.Relation)
	case in.Relation.Follower:
		return Refuse(FollowerCannotLeave, "COL-18", "hand the conversation to a collaborator, or end it")
	case !in.Relation.Collaborator:
		return Refuse(NotCollaborator, "COL-18", "only a collaborator can leave")
	}
	return nil
}

// fits asks the state: who collaborates is added only while the conversation is
// handled by somebody (D-COL-2), and goes whenever (D-COL-3).
func (in CollaborationSituation) fits(op Collaboration) *Refusal {
	if in.Type == WhatsAppGroup && in.Group.State != GroupCreated {
		return in.Group.Usable()
	}
	switch {
	case in.State == Handling && in.Followed:
	case in.State == Closed && (op == RemoveMembers || op == LeaveMembers):
	case in.State == Handling:
		return Refuse(InvalidTransition, "COL-04", "a collaboration has a follower: take the conversation over first")
	default:
		return Refuse(InvalidTransition, "D-COL-2", "%s is not possible while the conversation is %s", op, in.State)
	}
	return nil
}

func (in CollaborationSituation) permitNew() *Refusal {
	for i, m := range in.Members {
		switch {
		case !m.Active:
			return Refuse(CollaboratorInvalid, "COL-10", "the member %s is deactivated or deleted", m.ID)
		case m.Follower:
			return Refuse(CollaboratorInvalid, "COL-04", "the member %s follows the conversation", m.ID)
		case m.Collaborator || in.named(i):
			return Refuse(CollaboratorInvalid, "COL-10", "the member %s is a collaborator already, or named twice", m.ID)
		case in.mayUse(m.Role, Relation{}) != nil:
			return Refuse(CollaboratorInvalid, "ROL-04", "the role %q has nothing to do with such conversations", m.Role)
		}
	}
	if in.Present+len(in.Members) > MaxCollaborators {
		return Refuse(CollaboratorLimit, "COL-04", "a conversation has at most %d collaborators: there are %d, and %d more were named",
			MaxCollaborators, in.Present, len(in.Members))
	}
	return nil
}

func (in CollaborationSituation) permitRemoval() *Refusal {
	for i, m := range in.Members {
		if !m.Collaborator || in.named(i) {
			return Refuse(CollaboratorInvalid, "COL-15", "the member %s is no collaborator, or named twice", m.ID)
		}
	}
	return nil
}

// named says whether the i-th member was named before.
func (in CollaborationSituation) named(i int) bool {
	return slices.ContainsFunc(in.Members[:i], func(m CollaborationMember) bool { return m.ID == in.Members[i].ID })
}

// CollaborationTexts are the log entry and the system message of op for n
// members (section 15).
func CollaborationTexts(op Collaboration, n int) (log, system TextKey) {
	switch {
	case op == AddMembers && n > 1:
		return TextLogCollabAdded, TextSystemJoinedMany
	case op == AddMembers:
		return TextLogCollabAdded, TextSystemJoined
	case op == JoinMembers:
		return TextLogCollabJoined, TextSystemJoined
	case op == LeaveMembers:
		return TextLogCollabLeft, TextSystemLeft
	case n > 1:
		return TextLogCollabRemovedMany, TextSystemLeftMany
	}
	return TextLogCollabRemovedOne, TextSystemLeft
}
