package whatsapp

import (
	"strings"
	"unicode/utf8"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// Limits of section 2: characters of a text, and the length of a template's name.
const (
	maxTextRunes    = 4096
	maxTemplateName = 512
	maxCaptionRunes = omniflow.MaxCaption
)

// request is the body of one send:
//
//	{"messaging_product":"whatsapp","recipient_type":"individual","to":"+886912345678",
//	  "type":"text","text":{"body":"hi"},"biz_opaque_callback_data":"m1.<uuid>.1"}
type request struct {
	Product       string    `json:"messaging_product"`
	RecipientType string    `json:"recipient_type"`
	To            string    `json:"to"`
	Type          string    `json:"type"`
	Text          *text     `json:"text,omitempty"`
	Image         *media    `json:"image,omitempty"`
	Video         *media    `json:"video,omitempty"`
	Audio         *media    `json:"audio,omitempty"`
	Document      *media    `json:"document,omitempty"`
	Template      *template `json:"template,omitempty"`
	Context       *reply    `json:"context,omitempty"`
	Opaque        string    `json:"biz_opaque_callback_data"`
}

type text struct {
	Body string `json:"body"`
}

// reply names the message that this one answers; a template's answer is
// delivered, and shown without it (section 2.1).
type reply struct {
	MessageID string `json:"message_id"`
}

// media names an uploaded file; a document also shows its name. Audio has no
// caption, nor has a template's header.
type media struct {
	ID       string `json:"id"`
	Caption  string `json:"caption,omitempty"`
	Filename string `json:"filename,omitempty"`
}

// template is section 2.3 with a file as header and positional body parameters.
type template struct {
	Name       string      `json:"name"`
	Language   language    `json:"language"`
	Components []component `json:"components,omitempty"`
}

type language struct {
	Code string `json:"code"`
}

type component struct {
	Type       string      `json:"type"`
	Parameters []parameter `json:"parameters"`
}

type parameter struct {
	Type     string `json:"type"`
	Text     string `json:"text,omitempty"`
	GroupID  string `json:"group_id,omitempty"` // section 3.5
	Image    *media `json:"image,omitempty"`
	Video    *media `json:"video,omitempty"`
	Document *media `json:"document,omitempty"`
}

// Check says whether each of contents can go to WhatsApp: text of 1 to 4,096
// characters, an uploaded image, video, audio or document, or a template. How
// many there are is not looked at.
//
// Errors: *omniflow.Refusal.
func Check(contents []omniflow.Content) error {
	if len(contents) == 0 {
		return omniflow.Refuse(omniflow.MessageEmpty, "MSG", "there is no content")
	}
	for _, c := range contents {
		if err := check(c); err != nil {
			return err
		}
	}
	return nil
}

func check(c omniflow.Content) error {
	switch {
	case c.Kind == omniflow.TemplateKind:
		return checkTemplate(c.Template)
	case c.Kind == omniflow.Image, c.Kind == omniflow.Video, c.Kind == omniflow.Audio, c.Kind == omniflow.File:
		return checkFile(c)
	case c.Kind != omniflow.Text:
		return omniflow.Refuse(omniflow.ContentUnsupported, "MSG", "WhatsApp takes no %q", c.Kind)
	case strings.TrimSpace(c.Text) == "":
		return omniflow.Refuse(omniflow.MessageEmpty, "MSG", "the text is empty")
	case !utf8.ValidString(c.Text):
		return omniflow.Refuse(omniflow.InvalidInput, "MSG", "the text is not UTF-8")
	case utf8.RuneCountInString(c.Text) > maxTextRunes:
		return omniflow.Refuse(omniflow.MessageTooLong, "MSG",
			"WhatsApp takes %d characters, the text has %d", maxTextRunes, utf8.RuneCountInString(c.Text))
	}
	return nil
}

func checkFile(c omniflow.Content) error {
	switch {
	case c.Media == nil || c.Media.Handle == "":
		return omniflow.Refuse(omniflow.MediaNotReady, "MSG", "the file was not uploaded")
	case c.Kind == omniflow.Audio && c.Text != "":
		return omniflow.Refuse(omniflow.ContentUnsupported, "MSG", "audio has no caption")
	case !utf8.ValidString(c.Text):
		return omniflow.Refuse(omniflow.InvalidInput, "MSG", "the caption is not UTF-8")
	case utf8.RuneCountInString(c.Text) > maxCaptionRunes:
		return omniflow.Refuse(omniflow.MessageTooLong, "MSG",
			"WhatsApp takes captions of %d characters, this has %d", maxCaptionRunes, utf8.RuneCountInString(c.Text))
	}
	return nil
}

func checkTemplate(t *omniflow.Template) error {
	if t == nil || t.Name == "" || t.Language == "" || len(t.Name) > maxTemplateName {
		return omniflow.Refuse(omniflow.TemplateInvalid, "BRD-10", "a template has a name and a language")
	}
	for i, p := range t.Params {
		if strings.TrimSpace(p) == "" || !utf8.ValidString(p) {
			return omniflow.Refuse(omniflow.TemplateInvalid, "BRD-10", "parameter %d is empty", i+1)
		}
	}
	if h := t.Header; h != nil && (h.Media == nil || h.Media.Handle == "") {
		return omniflow.Refuse(omniflow.MediaNotReady, "MSG", "the file of the template's header was not uploaded")
	}
	return nil
}

// newRequest builds the body of m to one customer.
//
// Errors: *omniflow.Refusal.
func newRequest(m channel.Message) (request, error) {
	r, err := newBody(m)
	if err != nil {
		return request{}, err
	}
	to, ok := phone(m.Recipient)
	if !ok {
		return request{}, omniflow.Refuse(omniflow.PhoneInvalid, "MSG", "the recipient is not an E.164 number")
	}
	r.RecipientType, r.To = "individual", to
	return r, nil
}

// newBody builds the body of m but for its recipient.
func newBody(m channel.Message) (request, error) {
	if len(m.Contents) != 1 {
		return request{}, omniflow.Refuse(omniflow.BroadcastMessageCount, "MSG", "one call takes one content")
	}
	if err := Check(m.Contents); err != nil {
		return request{}, err
	}
	if m.Key.IsZero() {
		return request{}, omniflow.Refuse(omniflow.InvalidInput, "D-MSG-4", "the message has no key")
	}
	r := request{Product: "whatsapp", Opaque: m.Key.String(), Type: "text"}
	if m.QuotedID != "" {
		r.Context = &reply{MessageID: m.QuotedID}
	}
	c := m.Contents[0]
	if c.Kind == omniflow.TemplateKind {
		r.Type, r.Template = "template", newTemplate(*c.Template)
		return r, nil
	}
	if c.Media != nil {
		r.attach(c)
		return r, nil
	}
	r.Text = &text{Body: c.Text}
	return r, nil
}

// attach makes r a message with a file.
func (r *request) attach(c omniflow.Content) {
	file := &media{ID: c.Media.Handle, Caption: c.Text}
	switch c.Kind {
	case omniflow.Image:
		r.Type, r.Image = "image", file
	case omniflow.Video:
		r.Type, r.Video = "video", file
	case omniflow.Audio:
		r.Type, r.Audio = "audio", file
	default:
		file.Filename = c.Media.Name
		r.Type, r.Document = "document", file
	}
}

// newHeader is the component of a template's header.
func newHeader(h omniflow.TemplateHeader) component {
	file := &media{ID: h.Media.Handle}
	p := parameter{Type: "document", Document: file}
	switch h.Kind {
	case omniflow.Image:
		p = parameter{Type: "image", Image: file}
	case omniflow.Video:
		p = parameter{Type: "video", Video: file}
	default:
		file.Filename = h.Media.Name
	}
	return component{Type: "header", Parameters: []parameter{p}}
}

func newTemplate(t omniflow.Template) *template {
	out := &template{Name: t.Name, Language: language{Code: t.Language}}
	if t.Header != nil {
		out.Components = append(out.Components, newHeader(*t.Header))
	}
	if len(t.Params) == 0 && t.GroupID == "" {
		return out
	}
	body := component{Type: "body"}
	if t.GroupID != "" {
		body.Parameters = append(body.Parameters, parameter{Type: "group_id", GroupID: t.GroupID})
	}
	for _, p := range t.Params {
		body.Parameters = append(body.Parameters, parameter{Type: "text", Text: p})
	}
	out.Components = append(out.Components, body)
	return out
}

// phone writes a number with its plus: without it the provider may put the
// country code of our own number before it (section 2.1).
func phone(digits string) (string, bool) {
	digits = strings.TrimPrefix(digits, "+")
	if len(digits) < 7 || len(digits) > 15 {
		return "", false
	}
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return "", false
		}
	}
	return "+" + digits, true
}
