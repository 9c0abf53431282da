package facebook

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// textLimit: a text has fewer UTF-16 units than this. The provider does not
// say what it counts; this is the strictest cheap test (section 18).
const textLimit = 2000

// request is the body of one send (section 3):
//
//	{"recipient":{"id":"PSID"},"messaging_type":"UPDATE",
//	  "message":{"text":"hi","metadata":"m1.<uuid>.1"}}
type request struct {
	Recipient     recipient `json:"recipient"`
	MessagingType string    `json:"messaging_type"`
	Tag           string    `json:"tag,omitempty"`
	Message       message   `json:"message"`
}

type recipient struct {
	ID string `json:"id"`
}

type message struct {
	Text       string      `json:"text,omitempty"`
	Attachment *attachment `json:"attachment,omitempty"`
	Metadata   string      `json:"metadata"`
}

// attachment is {"type":"image","payload":{"attachment_id":"…"}}.
type attachment struct {
	Type    omniflow.MessageKind `json:"type"`
	Payload payload              `json:"payload"`
}

type payload struct {
	ID string `json:"attachment_id"`
}

// Check says whether each of contents can go to Messenger: text of 1 to 1,999
// UTF-16 units, or an uploaded image, video or file. How many there are is not looked at.
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
	case c.Kind == omniflow.Image, c.Kind == omniflow.Video, c.Kind == omniflow.File:
		if c.Media == nil || c.Media.Handle == "" {
			return omniflow.Refuse(omniflow.MediaNotReady, "MSG", "the file was not uploaded")
		}
		return nil
	case c.Kind != omniflow.Text:
		return omniflow.Refuse(omniflow.ContentUnsupported, "MSG", "Messenger takes no %q", c.Kind)
	case strings.TrimSpace(c.Text) == "":
		return omniflow.Refuse(omniflow.MessageEmpty, "MSG", "the text is empty")
	case !utf8.ValidString(c.Text):
		return omniflow.Refuse(omniflow.InvalidInput, "MSG", "the text is not UTF-8")
	}
	if n := units(c.Text); n >= textLimit {
		return omniflow.Refuse(omniflow.MessageTooLong, "MSG",
			"Messenger takes fewer than %d UTF-16 units, the text has %d", textLimit, n)
	}
	return nil
}

// units is the length of s in UTF-16.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// newRequest builds the body of m. The tag is for what a person wrote and for
// nothing else: the provider may refuse it even inside 24 hours (section 7).
//
// Errors: *omniflow.Refusal.
func newRequest(m channel.Message) (request, error) {
	if len(m.Contents) != 1 {
		return request{}, omniflow.Refuse(omniflow.BroadcastMessageCount, "MSG", "one call takes one content")
	}
	if err := channel.CheckQuote(m, omniflow.Facebook); err != nil {
		return request{}, err
	}
	if err := Check(m.Contents); err != nil {
		return request{}, err
	}
	if m.Recipient == "" || m.Key.IsZero() {
		return request{}, omniflow.Refuse(omniflow.InvalidInput, "D-MSG-4", "the message has no recipient or no key")
	}
	r := request{
		Recipient: recipient{ID: m.Recipient}, MessagingType: "UPDATE",
		Message: message{Text: m.Contents[0].Text, Metadata: m.Key.String()},
	}
	if c := m.Contents[0]; c.Media != nil {
		r.Message.Text = ""
		r.Message.Attachment = &attachment{Type: c.Kind, Payload: payload{ID: c.Media.Handle}}
	}
	if m.HumanAgent {
		r.MessagingType, r.Tag = "MESSAGE_TAG", "HUMAN_AGENT"
	}
	return r, nil
}
