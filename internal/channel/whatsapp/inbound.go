package whatsapp

import (
	"encoding/json"
	"strings"

	"omniflow/internal/channel"
	"omniflow/internal/channel/graph"
	"omniflow/internal/omniflow"
)

// inbound is a customer's message, section 4.7:
//
//	{"from":"886912345678","id":"wamid.…","timestamp":"1739321024","type":"text","text":{"body":"hi"},
//	  "context":{"from":"15550783881","id":"wamid.…"}}
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
	Location struct {
		Name      graph.Scalar `json:"name"`
		Address   graph.Scalar `json:"address"`
		Latitude  graph.Scalar `json:"latitude"`
		Longitude graph.Scalar `json:"longitude"`
	} `json:"location"`
}

type titled struct {
	Title graph.Scalar `json:"title"`
}

type captioned struct {
	Caption graph.Scalar `json:"caption"`
}

// inboundFile is the object that the type of a media message names.
type inboundFile struct {
	ID       graph.Scalar `json:"id"`
	Filename graph.Scalar `json:"filename"`
}

// fileKinds are the types of messages that carry a file.
var fileKinds = map[graph.Scalar]string{
	"image": "image", "video": "video", "audio": "audio", "document": "file", "sticker": "sticker",
}

// messageEvent reads a message of one customer. One in a group names it, and
// belongs to the group's conversation and its own window (section 3.8). A
// reaction, a system notice, an edit and a recall say nothing new: they are
// EventOther.
func messageEvent(account string, raw json.RawMessage) channel.Event {
	var m inbound
	if json.Unmarshal(raw, &m) != nil || m.ID == "" {
		return graph.Other(account, raw)
	}
	switch m.Type {
	case "system", "edit", "revoke", "reaction":
		return graph.Other(account, raw)
	}
	event := channel.Event{
		Kind: channel.EventMessage, AccountID: account, ProviderID: m.ID.String(),
		Recipient: first(m.From, m.FromUser), MessageType: m.Type.String(),
		At: m.Timestamp.Time(), Raw: raw, GroupID: m.GroupID.String(),
	}
	if event.Recipient == "" {
		return graph.Other(account, raw)
	}
	event.Text, event.QuotedID = textOf(raw), quoted(raw)
	event.Media = files(m.Type, raw)
	if !written[m.Type] || event.Text == "" {
		event.Received = omniflow.ReceivedMedia // D-CNV-4: also a type that is not known
	}
	return event
}

// written are the types of messages that are a text, or a button with one: the
// team's keywords decide what they do.
var written = map[graph.Scalar]bool{"text": true, "button": true, "interactive": true}

// textOf is the text of a message, wherever it stands.
func textOf(raw json.RawMessage) string {
	var w words
	if json.Unmarshal(raw, &w) != nil {
		return ""
	}
	text := first(w.Text.Body, w.Button.Text, w.Interactive.Button.Title,
		w.Interactive.List.Title, w.Image.Caption, w.Video.Caption, w.Document.Caption)
	if text != "" || w.Location.Latitude == "" {
		return text
	}
	place := strings.TrimSpace(w.Location.Name.String() + " " + w.Location.Address.String())
	return strings.TrimSpace(place + " " + w.Location.Latitude.String() + "," + w.Location.Longitude.String())
}

// quoted is the id of the message that this one answers. A forwarded one has a
// context without id.
func quoted(raw json.RawMessage) string {
	var m struct {
		Context struct {
			ID graph.Scalar `json:"id"`
		} `json:"context"`
	}
	if json.Unmarshal(raw, &m) != nil {
		return ""
	}
	return m.Context.ID.String()
}

// files is the one file of a media message. One that is over the provider's
// limit has an error in the place of its id (131052).
func files(kind graph.Scalar, raw json.RawMessage) []omniflow.MediaRef {
	name, ok := fileKinds[kind]
	var objects map[string]json.RawMessage
	if !ok || json.Unmarshal(raw, &objects) != nil {
		return nil
	}
	var file inboundFile
	if json.Unmarshal(objects[kind.String()], &file) != nil {
		file = inboundFile{}
	}
	return []omniflow.MediaRef{{Handle: file.ID.String(), Kind: name, Name: file.Filename.String()}}
}
