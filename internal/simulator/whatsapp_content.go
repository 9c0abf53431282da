package simulator

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// whatsappMessage is the body of POST /{phone}/messages.
type whatsappMessage struct {
	Product       string            `json:"messaging_product"`
	RecipientType string            `json:"recipient_type"`
	To            string            `json:"to"`
	Recipient     string            `json:"recipient"`
	Type          string            `json:"type"`
	Text          *whatsappText     `json:"text"`
	Template      *whatsappTemplate `json:"template"`
	Image         *whatsappMedia    `json:"image"`
	Video         *whatsappMedia    `json:"video"`
	Audio         *whatsappMedia    `json:"audio"`
	Document      *whatsappMedia    `json:"document"`
	Sticker       *whatsappMedia    `json:"sticker"`
	Interactive   json.RawMessage   `json:"interactive"`
	Location      json.RawMessage   `json:"location"`
	Contacts      json.RawMessage   `json:"contacts"`
	Reaction      json.RawMessage   `json:"reaction"`
	Opaque        string            `json:"biz_opaque_callback_data"`
	Context       struct {
		MessageID string `json:"message_id"`
	} `json:"context"`

	Status    string `json:"status"` // "read" marks an inbound message
	MessageID string `json:"message_id"`

	person string // digits, or the business-scoped id of Recipient
	hash   [sha256.Size]byte
}

type whatsappText struct {
	Body string `json:"body"`
}

type whatsappMedia struct {
	ID       string `json:"id,omitempty"`
	Link     string `json:"link,omitempty"`
	Caption  string `json:"caption,omitempty"`
	Filename string `json:"filename,omitempty"`
	Voice    bool   `json:"voice,omitempty"`
}

type whatsappTemplate struct {
	Name     string `json:"name"`
	Language struct {
		Code string `json:"code"`
	} `json:"language"`
	Components []whatsappComponent `json:"components"`
}

type whatsappComponent struct {
	Type       string            `json:"type"`
	SubType    string            `json:"sub_type,omitempty"`
	Index      json.RawMessage   `json:"index,omitempty"`
	Parameters []json.RawMessage `json:"parameters"`
}

func missing(what string) *graphError {
	return &graphError{status: 400, code: 131008, title: "Required parameter is missing",
		details: "Parameter " + what + " is required."}
}

func badValue(details string) *graphError {
	return &graphError{status: 400, code: 131009, title: "Parameter value is not valid", details: details}
}

func badParameter(details string) *graphError {
	return &graphError{status: 400, code: 100, title: "Invalid parameter", details: details}
}

// parseWhatsApp decodes and checks a body; the message is usable as far as its
// recipient even with an error.
func parseWhatsApp(body []byte) (whatsappMessage, *graphError) {
	var m whatsappMessage
	if err := json.Unmarshal(body, &m); err != nil {
		return m, badParameter("The request body is not the JSON of a message.")
	}
	m.address()
	if m.Product != "whatsapp" {
		return m, badParameter("messaging_product must be whatsapp.")
	}
	if m.Status != "" {
		return m, m.checkRead()
	}
	if err := m.checkAddress(); err != nil {
		return m, err
	}
	if utf8.RuneCountInString(m.Opaque) > 512 {
		return m, badValue("biz_opaque_callback_data is longer than 512 characters.")
	}
	return m, m.checkContent()
}

func (m *whatsappMessage) checkRead() *graphError {
	if m.Status != "read" {
		return badParameter("status must be read.")
	}
	if m.MessageID == "" {
		return missing("message_id")
	}
	return nil
}

// address settles who is meant: "to" wins over "recipient".
func (m *whatsappMessage) address() {
	m.person = m.Recipient
	if m.toGroup() {
		m.person = m.To
		return
	}
	if m.To != "" {
		m.person, _ = phoneDigits(m.To)
	}
}

func (m *whatsappMessage) checkAddress() *graphError {
	switch m.RecipientType {
	case "", "individual":
	case "group":
		return m.checkGroupAddress()
	default:
		return badParameter("recipient_type must be individual or group.")
	}
	if m.To == "" && m.Recipient == "" {
		return missing("to")
	}
	if _, ok := phoneDigits(m.To); m.To != "" && !ok {
		return badValue("Recipient phone number is not valid.")
	}
	return nil
}

// checkContent checks the object that type names, and takes its hash.
func (m *whatsappMessage) checkContent() *graphError {
	if m.Type == "" {
		m.Type = "text"
	}
	switch m.Type {
	case "text":
		return m.checkText()
	case "template":
		return m.checkTemplate()
	case "image":
		return m.checkMedia(m.Image, true)
	case "video":
		return m.checkMedia(m.Video, true)
	case "document":
		return m.checkMedia(m.Document, true)
	case "audio":
		return m.checkMedia(m.Audio, false)
	case "sticker":
		return m.checkMedia(m.Sticker, false)
	case "interactive":
		return m.checkObject(m.Interactive)
	case "location":
		return m.checkObject(m.Location)
	case "contacts":
		return m.checkObject(m.Contacts)
	case "reaction":
		return m.checkObject(m.Reaction)
	}
	return badParameter(fmt.Sprintf("Message type %q is not supported.", m.Type))
}

func (m *whatsappMessage) checkText() *graphError {
	if m.Text == nil || m.Text.Body == "" {
		return missing("text.body")
	}
	if utf8.RuneCountInString(m.Text.Body) > 4096 {
		return badParameter("text.body is longer than 4096 characters.")
	}
	m.hash = hashText(m.Text.Body)
	return nil
}

func (m *whatsappMessage) checkTemplate() *graphError {
	t := m.Template
	if t == nil || t.Name == "" {
		return missing("template.name")
	}
	if t.Language.Code == "" {
		return missing("template.language.code")
	}
	m.hash = hashJSON(t)
	return nil
}

func (m *whatsappMessage) checkMedia(media *whatsappMedia, captioned bool) *graphError {
	switch {
	case media == nil:
		return missing(m.Type)
	case (media.ID == "") == (media.Link == ""):
		return badParameter("Exactly one of id and link is required.")
	case media.Caption != "" && !captioned:
		return badParameter("caption is not possible here.")
	case utf8.RuneCountInString(media.Caption) > 1024:
		return badParameter("caption is longer than 1024 characters.")
	}
	m.hash = hashJSON(map[string]any{m.Type: media})
	return nil
}

func (m *whatsappMessage) checkObject(raw json.RawMessage) *graphError {
	if len(raw) == 0 || string(raw) == "null" {
		return missing(m.Type)
	}
	m.hash = hashJSON(map[string]any{m.Type: raw})
	return nil
}

// bodyParams counts the parameters of the template's body.
func (t *whatsappTemplate) bodyParams() int {
	n := 0
	for _, c := range t.Components {
		if strings.EqualFold(c.Type, "body") {
			n += len(c.Parameters)
		}
	}
	return n
}

// header finds the file of the template's header: its kind and where it stands
// in the message, or "".
func (t *whatsappTemplate) header() (kind string, media *whatsappMedia) {
	for _, c := range t.Components {
		if !strings.EqualFold(c.Type, "header") || len(c.Parameters) == 0 {
			continue
		}
		var p struct {
			Type     string         `json:"type"`
			Image    *whatsappMedia `json:"image"`
			Video    *whatsappMedia `json:"video"`
			Document *whatsappMedia `json:"document"`
		}
		if json.Unmarshal(c.Parameters[0], &p) != nil || len(c.Parameters) > 1 {
			return "unknown", nil
		}
		return p.Type, map[string]*whatsappMedia{"image": p.Image, "video": p.Video, "document": p.Document}[p.Type]
	}
	return "", nil
}
