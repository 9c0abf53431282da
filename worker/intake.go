package main

import (
	"encoding/json"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// read turns verified webhook bodies into an intake. A body that cannot be
// read is a dead letter: it was signed, so somebody must look at it.
func (r *relay) read(items []omniflow.InboxItem) omniflow.Intake {
	var in omniflow.Intake
	for _, item := range items {
		provider, ok := r.channels[item.Channel]
		if !ok {
			in.Dead = append(in.Dead, deadLetter(item, omniflow.EnvelopeInvalid))
			continue
		}
		events, err := provider.Parse(item.Body)
		if err != nil {
			r.log.Warn("a signed webhook cannot be read", "channel", item.Channel, "team_id", item.TeamID, "error", err)
			in.Dead = append(in.Dead, deadLetter(item, omniflow.EnvelopeInvalid))
			continue
		}
		for _, e := range events {
			to, ok := r.route(item, e.AccountID)
			switch {
			case !ok:
				in.Dead = append(in.Dead, omniflow.DeadLetter{TeamID: item.TeamID, Channel: item.Channel,
					ChannelAccountID: item.ChannelAccountID, Reason: omniflow.AccountForeign, Event: []byte(`{}`)})
			case e.Kind == channel.EventGroup && e.Group != nil:
				in.Groups = append(in.Groups, r.groupEvent(to, e))
			default:
				addEvent(&in, to, e)
			}
		}
	}
	return in
}

// addEvent sorts one event by what is done with it.
func addEvent(in *omniflow.Intake, item omniflow.InboxItem, e channel.Event) {
	if e.At.IsZero() || e.Kind == channel.EventMessage && e.At.After(item.ReceivedAt) {
		e.At = item.ReceivedAt // nobody writes in the future: a window would stay open for years
	}
	status := omniflow.Status{TeamID: item.TeamID, ChannelAccountID: item.ChannelAccountID, MessageID: e.Key.MessageID,
		Attempt: e.Key.Attempt, State: e.State, ProviderID: e.ProviderID, At: e.At, Raw: asJSON(e.Raw)}
	if e.GroupID != "" {
		status.Participant = e.Recipient
	}
	if e.Fault != nil {
		status.Code = e.Fault.Reason
		addStop(in, status, e.Fault)
	}
	switch {
	case e.Kind == channel.EventStatus && e.State == omniflow.Failed && e.GroupID != "" && e.Recipient != "":
		// One member did not get it: the message to the group went out.
	case e.Kind == channel.EventStatus && !e.Key.IsZero():
		in.Statuses = append(in.Statuses, status)
	case e.Kind == channel.EventStatus:
		clue := omniflow.Clue{Status: status, Recipient: e.Recipient, GroupID: e.GroupID, Echo: e.Echo}
		if item.Channel == omniflow.Instagram {
			clue.Text = e.Text // Messenger echoes our key: one without it is somebody else's
		}
		in.Clues = append(in.Clues, clue)
	case e.Kind == channel.EventWatermark:
		in.Clues = append(in.Clues, omniflow.Clue{Status: status, Recipient: e.Recipient, Watermark: true})
	case e.Kind == channel.EventMessage:
		in.Messages = append(in.Messages, omniflow.CustomerMessage{TeamID: item.TeamID, Channel: item.Channel,
			ChannelAccountID: item.ChannelAccountID, Sender: e.Recipient, ProviderID: e.ProviderID, Kind: e.MessageType,
			GroupID: e.GroupID, Received: e.Received, QuotedID: e.QuotedID, Media: e.Media, Sticker: e.Sticker, Text: e.Text, At: e.At, Raw: asJSON(e.Raw)})
	}
}

// addStop keeps a stop that a failed status tells of: the rest of the audience
// must not fail one by one.
func addStop(in *omniflow.Intake, s omniflow.Status, f *channel.Error) {
	if f.Fault != channel.Misconfigured {
		return
	}
	in.Stops = append(in.Stops, omniflow.Stop{TeamID: s.TeamID, ChannelAccountID: s.ChannelAccountID, MessageID: s.MessageID,
		Template: f.Scope == channel.ScopeTemplate, Code: f.Code, Reason: f.Reason})
}

func deadLetter(item omniflow.InboxItem, reason omniflow.Code) omniflow.DeadLetter {
	return omniflow.DeadLetter{TeamID: item.TeamID, Channel: item.Channel, ChannelAccountID: item.ChannelAccountID,
		Reason: reason, Event: asJSON(item.Body)}
}

// asJSON keeps a body that is JSON as it is and quotes any other.
func asJSON(body []byte) json.RawMessage {
	if json.Valid(body) {
		return body
	}
	quoted, err := json.Marshal(string(body))
	if err != nil {
		return json.RawMessage(`null`)
	}
	return quoted
}
