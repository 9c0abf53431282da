package whatsapp

import (
	"encoding/json"

	"omniflow/internal/channel"
	"omniflow/internal/channel/graph"
)

// groupFieldNames are the webhook fields of groups, the last as one document
// spells it (section 3.6).
var groupFieldNames = map[string]bool{
	"group_lifecycle_update":    true,
	"group_participants_update": true,
	"group_settings_update":     true,
	"group_status_update":       true,
	"group_participant_update":  true,
}

// notice is one element of value.groups (section 3.6). Which keys are there
// depends on type:
//
//	{"timestamp":"1739321024","group_id":"Y2F…","type":"group_create","request_id":"r1",
//	  "subject":"…","invite_link":"https://chat.whatsapp.com/…"}
//	{"timestamp":1739321024,"group_id":"Y2F…","type":"group_participants_remove","request_id":"r2",
//	  "removed_participants":[{"input":"+886912345678"}],"initiated_by":"business",
//	  "failed_participants":[{"input":"+886912345679","errors":[{"code":131212}]}],"errors":[{"code":131201}]}
type notice struct {
	Timestamp     graph.Scalar `json:"timestamp"`
	GroupID       graph.Scalar `json:"group_id"`
	Type          graph.Scalar `json:"type"`
	RequestID     graph.Scalar `json:"request_id"`
	Subject       graph.Scalar `json:"subject"`
	Description   graph.Scalar `json:"description"`
	InviteLink    graph.Scalar `json:"invite_link"`
	JoinRequestID graph.Scalar `json:"join_request_id"`
	InitiatedBy   graph.Scalar `json:"initiated_by"`
	person
	Added              []person `json:"added_participants"`
	Removed            []person `json:"removed_participants"`
	Failed             []failed `json:"failed_participants"`
	GroupSubject       *item    `json:"group_subject"`
	GroupDescription   *item    `json:"group_description"`
	Picture            *item    `json:"profile_picture"`
	ProfilePictureFile *item    `json:"profile_picture_file"`
	Errors             problems `json:"errors"`
}

// failed is a participant for whom an operation failed.
type failed struct {
	person
	Errors problems `json:"errors"`
}

// item is one setting of a group_settings_update.
type item struct {
	Text       graph.Scalar `json:"text"`
	Successful graph.Scalar `json:"update_successful"`
	Errors     problems     `json:"errors"`
}

// groupEvents reads a change of a group field: several groups, several people.
// An element that is not understood is EventOther, and so is the whole change
// when there is none.
func groupEvents(account string, value, whole json.RawMessage) []channel.Event {
	var v struct {
		Groups      []json.RawMessage `json:"groups"`
		InitiatedBy graph.Scalar      `json:"initiated_by"` // beside the groups in some samples
	}
	if json.Unmarshal(value, &v) != nil || len(v.Groups) == 0 {
		return []channel.Event{graph.Other(account, whole)}
	}
	var events []channel.Event
	for _, raw := range v.Groups {
		var n notice
		var told []channel.GroupEvent
		if json.Unmarshal(raw, &n) == nil {
			if n.InitiatedBy == "" {
				n.InitiatedBy = v.InitiatedBy
			}
			told = n.events()
		}
		if len(told) == 0 {
			events = append(events, graph.Other(account, raw))
		}
		for i := range told {
			events = append(events, n.event(account, told[i], raw))
		}
	}
	return events
}

// event completes one thing that a notice tells.
func (n notice) event(account string, g channel.GroupEvent, raw json.RawMessage) channel.Event {
	g.GroupID, g.RequestID = n.GroupID.String(), n.RequestID.String()
	if g.Fault != nil {
		g.Reason = g.Fault.Reason
	}
	return channel.Event{
		Kind: channel.EventGroup, AccountID: account, Recipient: g.User,
		At: n.Timestamp.Time(), Raw: raw, GroupID: g.GroupID, Group: &g,
	}
}

// events are what a notice tells, in whatever spelling of its type; none if it
// is not understood.
func (n notice) events() []channel.GroupEvent {
	switch n.Type {
	case "group_create":
		return n.created()
	case "group_delete":
		return n.outcome(channel.GroupDeleted, channel.GroupDeleteFailed)
	case "group_participants_add", "group_add_participants", "group_participant_add":
		return each(n.Added, channel.GroupMemberJoined)
	case "group_participants_remove", "group_remove_participants", "group_participant_remove":
		return n.removed()
	case "group_join_request_created":
		return n.asked(channel.GroupJoinRequested)
	case "group_join_request_revoked":
		return n.asked(channel.GroupJoinRevoked)
	case "group_settings_update":
		return n.settings()
	case "group_suspend":
		return []channel.GroupEvent{{Type: channel.GroupSuspended}}
	case "group_suspend_cleared":
		return []channel.GroupEvent{{Type: channel.GroupRestored}}
	}
	return nil
}

// outcome is one event: of success, or of failure where there are errors.
func (n notice) outcome(success, refused channel.GroupEventType) []channel.GroupEvent {
	g := channel.GroupEvent{Type: success, Subject: n.Subject.String(),
		Description: n.Description.String(), InviteLink: n.InviteLink.String()}
	if len(n.Errors) > 0 {
		g.Type, g.Fault = refused, n.Errors.fault(nil)
	}
	return []channel.GroupEvent{g}
}

// created is a creation. Members in it are a relic of an earlier design, and
// with it a partial success, of which the group is a part.
func (n notice) created() []channel.GroupEvent {
	if n.GroupID != "" && n.InviteLink != "" && len(n.Errors) > 0 && n.Errors[0].Code == "131201" {
		n.Errors = nil
	}
	if n.GroupID == "" && len(n.Errors) == 0 {
		return nil // neither made nor refused
	}
	events := n.outcome(channel.GroupCreated, channel.GroupCreateFailed)
	if len(n.Errors) > 0 {
		return events
	}
	return append(events, each(n.Added, channel.GroupMemberJoined)...)
}

// each is one event a person.
func each(people []person, kind channel.GroupEventType) []channel.GroupEvent {
	var events []channel.GroupEvent
	for _, p := range people {
		if id := p.id(); id != "" {
			events = append(events, channel.GroupEvent{Type: kind, User: id})
		}
	}
	return events
}

func (n notice) asked(kind channel.GroupEventType) []channel.GroupEvent {
	return []channel.GroupEvent{{Type: kind, User: n.id(), JoinRequestID: n.JoinRequestID.String()}}
}

// removed are people who left or were put out; where it does not say who did
// it, a request id says that we did. Who was no member is out as well (131212).
func (n notice) removed() []channel.GroupEvent {
	kind := channel.GroupMemberLeft
	if n.InitiatedBy == "business" || n.InitiatedBy != "participant" && n.RequestID != "" {
		kind = channel.GroupMemberRemoved
	}
	events := each(n.Removed, kind)
	for _, f := range n.Failed {
		g := channel.GroupEvent{Type: channel.GroupRemoveFailed, User: f.id(), Fault: f.Errors.fault(n.Errors)}
		if g.User == "" {
			continue
		}
		if g.Fault.Code == "131212" {
			g.Type, g.Fault = channel.GroupMemberRemoved, nil
		}
		events = append(events, g)
	}
	return events
}

// settings is one event for all that was changed and one for all that was not.
func (n notice) settings() []channel.GroupEvent {
	good := channel.GroupEvent{Type: channel.GroupSettingsUpdated}
	bad := channel.GroupEvent{Type: channel.GroupSettingsFailed}
	changed := 0
	for _, s := range []struct {
		item      *item
		good, bad *string
	}{
		{n.GroupSubject, &good.Subject, &bad.Subject},
		{n.GroupDescription, &good.Description, &bad.Description},
		{n.Picture, nil, nil}, {n.ProfilePictureFile, nil, nil},
	} {
		if s.item == nil {
			continue
		}
		text := s.good
		if s.item.Successful == "false" || len(s.item.Errors) > 0 {
			text = s.bad
			if bad.Fault == nil {
				bad.Fault = s.item.Errors.fault(n.Errors)
			}
		} else {
			changed++
		}
		if text != nil {
			*text = s.item.Text.String()
		}
	}
	if bad.Fault == nil && len(n.Errors) > 0 {
		bad.Fault = n.Errors.fault(nil)
	}
	var events []channel.GroupEvent
	if changed > 0 || bad.Fault == nil {
		events = append(events, good)
	}
	if bad.Fault != nil {
		events = append(events, bad)
	}
	return events
}
