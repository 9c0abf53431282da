package omniflow

// PermitPin says whether a member may pin or unpin the conversation: only what
// is under "my handling" can be, for a collaborator too (PIN-01, PIN-04).
// Refusals: pin_not_allowed; permission_denied for who may not see it.
func PermitPin(s Sighting) *Refusal {
	if no := s.Sees(); no != nil && s.Role.Handles() && s.State == Handling {
		return Refuse(PinNotAllowed, "PIN-01", "only a conversation of my handling can be pinned")
	} else if no != nil {
		return no
	}
	if ViewOf(s.State, s.Relation) != MyHandling {
		return Refuse(PinNotAllowed, "PIN-01", "only a conversation of my handling can be pinned")
	}
	return nil
}
