package simulator

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// object is JSON whose members differ from kind to kind.
type object = map[string]any

// whatsappInbound is one element of messages: fields, and what every one has.
func whatsappInbound(id, person string, at time.Time, fields object) event {
	body := object{"from": person, "id": id, "timestamp": strconv.FormatInt(at.Unix(), 10)}
	for name, value := range fields {
		body[name] = value
	}
	return event{inbound: true, body: mustJSON(body), contact: mustJSON(object{
		"profile": object{"name": "User " + person[len(person)-4:]}, "wa_id": person,
	})}
}

func whatsappTextFields(text string) object {
	return object{"type": "text", "text": object{"body": text}}
}

// whatsappFields are the type of a message and the object that it names.
func (a *account) whatsappFields(m InboundMessage) (object, error) {
	out, kind := object{}, m.kind()
	if m.Quoted != "" {
		out["context"] = object{"from": a.cfg.DisplayPhoneNumber, "id": m.Quoted}
	}
	value := object{}
	switch kind {
	case "text":
		value["body"] = m.Text
	case "postback":
		kind, value["text"], value["payload"] = "button", m.Text, m.Payload
	case "location":
		value["latitude"], value["longitude"], value["name"] = 25.033, 121.565, m.Text
	case "reaction":
		delete(out, "context")
		value["message_id"], value["emoji"] = m.Quoted, m.Text
	case "unsend":
		delete(out, "context")
		kind, value["original_message_id"] = "revoke", m.Quoted
	case "unsupported":
		out["type"], out["errors"] = kind, []object{{"code": 131051, "title": "Message type unknown"}}
		return out, nil
	}
	for _, f := range m.Files {
		if f.Fault == FileTooLarge {
			out["type"], out["errors"] = kind, []object{{"code": 131052, "title": "Media download error"}}
			return out, nil
		}
		kept := a.keepFile(f)
		value["id"], value["mime_type"], value["sha256"] = kept.id, f.MIME, kept.sha256()
		if kind == "document" {
			value["filename"] = f.Name
		}
		if m.Text != "" {
			value["caption"] = m.Text
		}
	}
	out["type"], out[kind] = kind, value
	return out, nil
}

// lineInbound is one element of events. isRedelivery turns true when the same
// event has to be sent again.
func lineInbound(id, token, person string, at time.Time, fields object) []byte {
	body := object{
		"webhookEventId": id, "deliveryContext": object{"isRedelivery": false}, "timestamp": at.UnixMilli(),
		"source": object{"type": "user", "userId": person}, "replyToken": token, "mode": "active",
	}
	for name, value := range fields {
		body[name] = value
	}
	if body["type"] == "unsend" {
		delete(body, "replyToken")
	}
	return mustJSON(body)
}

// lineFields are the type of an event and the object that it names.
func (a *account) lineFields(m InboundMessage) (object, error) {
	message := object{"type": m.kind(), "id": newLINEMessageID()}
	switch m.kind() {
	case "postback":
		return object{"type": "postback", "postback": object{"data": m.Payload}}, nil
	case "unsend":
		return object{"type": "unsend", "unsend": object{"messageId": m.Quoted}}, nil
	case "reaction":
		return nil, errors.New("LINE tells of no reactions")
	case "text":
		message["text"], message["quoteToken"] = m.Text, noise(32)
	case "location":
		message["title"], message["address"], message["latitude"], message["longitude"] = m.Text, "No. 7", 25.033, 121.565
	case "sticker":
		part := append(strings.Split(m.Payload, "/"), "", "", "")
		message["packageId"], message["stickerId"], message["stickerResourceType"] = part[0], part[1], part[2]
		if part[2] == "" {
			message["stickerResourceType"] = "STATIC"
		}
		message["quoteToken"] = noise(32)
	}
	if m.Quoted != "" {
		message["quotedMessageId"] = m.Quoted
	}
	for _, f := range m.Files {
		kept := a.keepFile(f)
		message["id"] = kept.id
		if m.kind() == "file" {
			message["fileName"], message["fileSize"] = f.Name, kept.size()
		} else {
			message["contentProvider"] = object{"type": "line"}
		}
	}
	return object{"type": "message", "message": message}, nil
}

// pageFields are the member of a messaging event and its value.
func (a *account) pageFields(mid string, m InboundMessage) (string, object, error) {
	message := object{"mid": mid}
	if m.Quoted != "" {
		message["reply_to"] = object{"mid": m.Quoted}
	}
	switch m.kind() {
	case "postback":
		return "postback", object{"mid": mid, "title": m.Text, "payload": m.Payload}, nil
	case "reaction":
		return "reaction", object{"mid": m.Quoted, "action": "react", "reaction": "love", "emoji": m.Text}, nil
	case "unsend":
		return "message", object{"mid": m.Quoted, "is_deleted": true}, nil
	case "unsupported":
		message["is_unsupported"] = true
		return "message", message, nil
	case "text":
		message["text"] = m.Text
		return "message", message, nil
	case "location":
		message["attachments"] = []object{{"type": "location", "payload": object{"coordinates": object{"lat": 25.033, "long": 121.565}}}}
		return "message", message, nil
	}
	list := []object{}
	for _, f := range m.Files {
		link, err := a.fileLink(a.keepFile(f))
		if err != nil {
			return "", nil, err
		}
		list = append(list, object{"type": m.kind(), "payload": object{"url": link}})
	}
	if len(list) == 0 { // view once, or of a type that nobody knows yet
		list = append(list, object{"type": m.kind(), "payload": object{}})
	}
	message["attachments"] = list
	return "message", message, nil
}
