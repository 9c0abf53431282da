package simulator

import (
	"crypto/sha256"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
)

// pageMessage is the body of POST /{page}/messages of Messenger and Instagram.
type pageMessage struct {
	Recipient struct {
		ID        string `json:"id"`
		UserRef   string `json:"user_ref"`
		PostID    string `json:"post_id"`
		CommentID string `json:"comment_id"`
	} `json:"recipient"`
	MessagingType string       `json:"messaging_type"`
	Tag           string       `json:"tag"`
	SenderAction  string       `json:"sender_action"`
	Message       *pageContent `json:"message"`

	hash [sha256.Size]byte
}

type pageContent struct {
	Text         string            `json:"text,omitempty"`
	Metadata     string            `json:"metadata,omitempty"`
	QuickReplies []json.RawMessage `json:"quick_replies,omitempty"`
	Attachment   *pageAttachment   `json:"attachment,omitempty"`
	Attachments  []pageAttachment  `json:"attachments,omitempty"`
	StickerID    json.RawMessage   `json:"sticker_id,omitempty"`
	Template     *pageTemplate     `json:"template,omitempty"`
}

type pageAttachment struct {
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

type pageTemplate struct {
	Name     string `json:"name"`
	Language struct {
		Code string `json:"code"`
	} `json:"language"`
	Components []struct {
		Type       string            `json:"type"`
		Parameters []json.RawMessage `json:"parameters"`
	} `json:"components,omitempty"`
}

// invalid100 is the Graph's answer to a parameter it cannot use.
func invalid100(title string) *graphError { return &graphError{status: 400, code: 100, title: title} }

// parsePage decodes a JSON or form body and checks it.
func parsePage(c Channel, r *http.Request, body []byte) (pageMessage, *graphError) {
	var m pageMessage
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/x-www-form-urlencoded" {
		if !m.fromForm(string(body)) {
			return m, invalid100("The form is not a message.")
		}
	} else if json.Unmarshal(body, &m) != nil {
		return m, invalid100("The request body is not the JSON of a message.")
	}
	return m, m.check(c)
}

// fromForm reads form fields, of which recipient and message hold JSON.
func (m *pageMessage) fromForm(body string) bool {
	form, err := url.ParseQuery(body)
	if err != nil {
		return false
	}
	m.MessagingType, m.Tag = form.Get("messaging_type"), form.Get("tag")
	m.SenderAction = form.Get("sender_action")
	if json.Unmarshal([]byte(form.Get("recipient")), &m.Recipient) != nil {
		return false
	}
	text := form.Get("message")
	return text == "" || json.Unmarshal([]byte(text), &m.Message) == nil
}

func (m *pageMessage) check(c Channel) *graphError {
	kinds := 0
	for _, id := range []string{m.Recipient.ID, m.Recipient.UserRef, m.Recipient.PostID, m.Recipient.CommentID} {
		if id != "" {
			kinds++
		}
	}
	if kinds != 1 {
		return invalid100("Param recipient must hold exactly one kind of recipient")
	}
	if m.Recipient.ID == "" {
		return invalid100("Only recipients by id are available here")
	}
	if !validScopedID(m.Recipient.ID) {
		return unknownPerson(c)
	}
	if m.SenderAction != "" {
		return m.checkAction()
	}
	if err := m.checkType(c); err != nil {
		return err
	}
	return m.checkContent(c)
}

func (m *pageMessage) checkAction() *graphError {
	if m.Message != nil {
		return invalid100("Param sender_action cannot be sent with a message")
	}
	switch m.SenderAction {
	case "typing_on", "typing_off", "mark_seen", "react", "unreact":
		return nil
	}
	return invalid100("Param sender_action is not known")
}

func (m *pageMessage) checkType(c Channel) *graphError {
	switch m.MessagingType {
	case "", "RESPONSE", "UPDATE":
		if m.Tag == "" {
			return nil
		}
	case "MESSAGE_TAG":
		if m.Tag == "" {
			return invalid100("Param tag is required for MESSAGE_TAG")
		}
	case "UTILITY":
		if c == Facebook {
			return nil
		}
		return invalid100("Param messaging_type is not valid")
	default:
		return invalid100("Param messaging_type is not valid")
	}
	if m.Tag == "HUMAN_AGENT" {
		return nil
	}
	return invalid100("Param tag is not valid or no longer supported")
}

// checkContent checks the one bubble of the message, and takes its hash.
func (m *pageMessage) checkContent(c Channel) *graphError {
	t := m.Message
	if t == nil {
		return invalid100("Param message is required")
	}
	kinds, pictures := 0, 30
	for _, has := range []bool{t.Text != "", t.Attachment != nil, len(t.Attachments) > 0, len(t.StickerID) > 0, t.Template != nil} {
		if has {
			kinds++
		}
	}
	if c == Instagram {
		pictures = 10
	}
	switch {
	case kinds != 1:
		return invalid100("Param message must hold one of text and attachment")
	case len(t.QuickReplies) > 13:
		return invalid100("Param message[quick_replies] must not have more than 13 elements")
	case len(t.Attachments) > pictures:
		return invalid100("Param message[attachments] has too many elements")
	case c == Facebook && utf16Length(t.Text) > 2000:
		return invalid100("Length of param message[text] must be less than or equal to 2000")
	case c == Facebook && utf16Length(t.Metadata) >= 1000:
		return invalid100("Length of param message[metadata] must be less than 1000")
	case c == Instagram && len(t.Text) > 1000:
		return &graphError{status: 400, code: 100, subcode: 2534015, title: "Invalid message data: the text is longer than 1000 bytes"}
	case t.Template != nil && m.MessagingType != "UTILITY":
		return invalid100("Param message[template] is for messaging_type UTILITY")
	}
	m.hash = t.hash()
	return nil
}

func (t pageContent) hash() [sha256.Size]byte {
	t.Metadata = "" // the sender's, not seen by the recipient
	if t.Text != "" && len(t.QuickReplies) == 0 {
		return hashText(t.Text)
	}
	return hashJSON(t)
}
