package omniflow

import "time"

// Reply is what decides whether a member may write in a one-to-one
// conversation now. It is asked at the door and again when the message leaves
// (D-SYS-00).
type Reply struct {
	ConversationSituation
	Channel          Channel
	ParticipantsOnly bool       // the team has collaborations: COL-05
	LastCustomerAt   *time.Time // when the customer wrote last
	Blocked          bool       // by us
}

// Permit says whether the member may send contents at now: actor_inactive,
// permission_denied, invalid_transition (only a handled conversation is written
// in), not_participant (COL-05), customer_blocked, and the codes of section 12.
func (r Reply) Permit(contents []Content, now time.Time) *Refusal {
	if no := r.permitWriter(); no != nil {
		return no
	}
	if r.Blocked {
		return Refuse(CustomerBlocked, "DEL-02", "the customer is blocked")
	}
	for _, c := range Expand(contents) {
		if no := CheckWindow(r.Channel, OneToOne, c.Kind, c.Promotional, r.LastCustomerAt, now); no != nil {
			return no
		}
	}
	return nil
}

func (r Reply) permitWriter() *Refusal {
	if no := r.Actor.PermitActive(); no != nil {
		return no
	}
	switch {
	case !r.Actor.Role.Handles():
		return Refuse(PermissionDenied, "ROL-04", "the role %q has nothing to do with conversations", r.Actor.Role)
	case r.State != Handling:
		return OpenFirst("CNV-07", "conversation", r.State)
	case r.Relation.Follower || r.Relation.Collaborator:
		return nil
	case r.ParticipantsOnly || r.Collaborators:
		return Refuse(NotParticipant, "COL-05", "only the follower and the collaborators write in this conversation")
	}
	return r.Sighting().Sees()
}

// Departing is what became of a conversation when a message of it is about to
// leave.
type Departing struct {
	Reply
	Origin  Origin
	Group   *Group // that it goes to; nil: to one customer
	Waiting bool   // the customer waits for a person
	Stale   bool   // a reminder of a silence that a person has broken since, a survey of an earlier ending
}

// Verdict is the last check of a message (D-SYS-00): failed or skipped with the
// reason, or "" when it may leave. The database's order decides: what was ended,
// answered or handed over to somebody else first is not written in any more
// (D-CLS-4).
func (d Departing) Verdict(contents []Content, now time.Time) MessageStatus {
	skipped := func(code Code) MessageStatus { return MessageStatus{State: Skipped, Code: code} }
	switch {
	case d.Blocked:
		return MessageStatus{State: Failed, Code: CustomerBlocked}
	case d.Stale, d.Origin == OriginReminder && (d.State != Handling || d.Waiting):
		return skipped(NoLongerHandling)
	case d.Origin == OriginSurvey && d.State != Closed, d.Origin == OriginAutoReply && d.State == Closed:
		return skipped(NoLongerHandling)
	case d.Group != nil && d.Group.Usable() != nil:
		return MessageStatus{State: Failed, Code: d.Group.Usable().Code}
	case d.Origin != OriginAgent:
		if !BotMayWrite(d.Channel, d.LastCustomerAt, now) {
			return skipped(WindowClosed)
		}
		return MessageStatus{}
	}
	no := d.permit(contents, now)
	switch {
	case no == nil:
		return MessageStatus{}
	case no.Code == InvalidTransition:
		return MessageStatus{State: Failed, Code: NoLongerHandling}
	}
	return MessageStatus{State: Failed, Code: no.Code}
}

// permit asks again what the door of the conversation's kind asked.
func (d Departing) permit(contents []Content, now time.Time) *Refusal {
	if d.Group == nil {
		return d.Permit(contents, now)
	}
	if no := d.Actor.PermitActive(); no != nil {
		return no
	}
	in := GroupSituation{State: d.State, Group: *d.Group, Role: d.Actor.Role, Relation: d.Relation, Collaborators: d.Collaborators}
	for _, c := range contents {
		if no := PermitGroupMessage(in, c.Kind, d.ParticipantsOnly, d.LastCustomerAt, now); no != nil {
			return no
		}
	}
	return nil
}
