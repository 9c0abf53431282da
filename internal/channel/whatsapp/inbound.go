package whatsapp

import (
	"encoding/json"

	"omniflow/internal/channel"
	"omniflow/internal/channel/graph"
)

// inbound is a customer's message, section 4.7:
//
//	{"from":"886912345678","id":"wamid.…","timestamp":"1739321024","type":"text","text":{"body":"hi"}}
type inbound struct {
	From      graph.Scalar `json:"from"`
	FromUser  graph.Scalar `json:"from_user_id"`
	ID        graph.Scalar `json:"id"`
	Timestamp graph.Scalar `json:"timestamp"`
	Type      graph.Scalar `json:"type"`
	GroupID   graph.Scalar `json:"group_id"`
}

// words are the places in which a message may hold text.
type words struct {
	Text struct {
		Body graph.Scalar `json:"body"`
	} `json:"text"`
	Button struct {
		Text graph.Scalar `json:"text"`
	} `json:"button"`
	Interactive struct {
		Button titled `json:"button_reply"`
		List   titled `json:"list_reply"`
	} `json:"interactive"`
	Image    captioned `json:"image"`
	Video    captioned `json:"video"`
	Document captioned `json:"document"`
}

type titled struct {
	Title graph.Scalar `json:"title"`
}

type captioned struct {
	Caption graph.Scalar `json:"caption"`
}

// messageEvent reads a message of one customer. One in a group names it, and
// belongs to the group's conversation and its own window (section 3.8). A
// system notice, an edit and a recall say nothing new: they are EventOther.
func messageEvent(account string, raw json.RawMessage) channel.Event {
	var m inbound
	if json.Unmarshal(raw, &m) != nil || m.ID == "" {
		return graph.Other(account, raw)
	}
	switch m.Type {
	case "system", "edit", "revoke":
		return graph.Other(account, raw)
	}
	event := channel.Event{
		Kind: channel.EventMessage, AccountID: account, ProviderID: m.ID.String(),
		Recipient: first(m.From, m.FromUser), MessageType: m.Type.String(),
		At: m.Timestamp.Time(), Raw: raw, GroupID: m.GroupID.String(),
	}
	if event.Recipient == "" || event.At.IsZero() {
		return graph.Other(account, raw)
	}
	var w words
	if json.Unmarshal(raw, &w) == nil {
		event.Text = first(w.Text.Body, w.Button.Text, w.Interactive.Button.Title,
			w.Interactive.List.Title, w.Image.Caption, w.Video.Caption, w.Document.Caption)
	}
	return event
}
