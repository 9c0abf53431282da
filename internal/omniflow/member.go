package omniflow

// MemberState is the state of a team member (section 29).
type MemberState string

// The states of a member. Only an active one has any permission (D-ROL-4).
const (
	Active      MemberState = "active"
	Deactivated MemberState = "deactivated"
	Deleted     MemberState = "deleted"
)

// Actor is the member in whose name something is asked, as rules see them.
type Actor struct {
	Role  Role
	State MemberState
	Plan  Plan // the plan of the actor's team
}

// PermitActive refuses with actor_inactive unless a is active.
func (a Actor) PermitActive() *Refusal {
	if a.State == Active {
		return nil
	}
	return Refuse(ActorInactive, "D-ROL-4", "a deactivated or deleted member has no permission")
}

// Permit is what most requests ask: is the actor active, and may the role do
// action as r. Refusals: actor_inactive, then those of the function Permit.
func (a Actor) Permit(action Action, r Relation) *Refusal {
	if refusal := a.PermitActive(); refusal != nil {
		return refusal
	}
	return Permit(action, a.Role, r)
}

// PermitBroadcast says whether a may broadcast at all (BRD-01): actor_inactive,
// then permission_denied by the role, then plan_required.
func PermitBroadcast(a Actor) *Refusal {
	if refusal := a.Permit(Broadcast, Relation{}); refusal != nil {
		return refusal
	}
	return RequirePlan(a.Plan, OMO)
}
