package main

import (
	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// groupEvent is an event about a group as the database applies it. A number
// goes with its keyed hash, for the id of its run.
func (r *relay) groupEvent(item omniflow.InboxItem, e channel.Event) omniflow.GroupEvent {
	g := e.Group
	out := omniflow.GroupEvent{TeamID: item.TeamID, ChannelAccountID: item.ChannelAccountID, Type: string(g.Type), GroupID: g.GroupID,
		RequestID: g.RequestID, Subject: g.Subject, Description: g.Description, InviteLink: g.InviteLink, User: g.User,
		JoinRequestID: g.JoinRequestID, Code: g.Reason, At: e.At, Raw: asJSON(e.Raw)}
	if out.At.IsZero() {
		out.At = item.ReceivedAt
	}
	if out.User != "" {
		out.UserHash = r.hash(item.TeamID.String() + "/" + out.User)
	}
	return out
}
