package instagram

import (
	"strings"
	"unicode/utf8"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// maxTextBytes is counted in UTF-8; some pages of the provider say characters,
// and bytes are the stricter reading (section 3).
const maxTextBytes = 1000

// request is the body of one send (section 3):
//
//	{"recipient":{"id":"IGSID"},"messaging_type":"UPDATE","message":{"text":"hi"}}
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
}

// attachment is {"type":"image","payload":{"url":"https://…"}}. Whether ids of
// uploads work is not confirmed for accounts with an Instagram login, so files
// go by link (section 1).
type attachment struct {
	Type    omniflow.MessageKind `json:"type"`
	Payload payload              `json:"payload"`
}

type payload struct {
	URL string `json:"url"`
}

// Check says whether each of contents can go to Instagram: text of 1 to 1,000
// bytes, or an image, video or file with a public address. How many there are is not looked at.
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
		if c.Media == nil || c.Media.Link == "" {
			return omniflow.Refuse(omniflow.MediaLinkUnavailable, "MSG", "the file has no public address")
		}
		return nil
	case c.Kind != omniflow.Text:
		return omniflow.Refuse(omniflow.ContentUnsupported, "MSG", "Instagram takes no %q", c.Kind)
	case strings.TrimSpace(c.Text) == "":
		return omniflow.Refuse(omniflow.MessageEmpty, "MSG", "the text is empty")
	case !utf8.ValidString(c.Text):
		return omniflow.Refuse(omniflow.InvalidInput, "MSG", "the text is not UTF-8")
	case len(c.Text) > maxTextBytes:
		return omniflow.Refuse(omniflow.MessageTooLong, "MSG",
			"Instagram takes %d bytes, the text has %d", maxTextBytes, len(c.Text))
	}
	return nil
}

// newRequest builds the body of m.
//
// Errors: *omniflow.Refusal.
func newRequest(m channel.Message) (request, error) {
	if len(m.Contents) != 1 {
		return request{}, omniflow.Refuse(omniflow.BroadcastMessageCount, "MSG", "one call takes one content")
	}
	if err := channel.CheckQuote(m, omniflow.Instagram); err != nil {
		return request{}, err
	}
	if err := Check(m.Contents); err != nil {
		return request{}, err
	}
	if m.Recipient == "" {
		return request{}, omniflow.Refuse(omniflow.InvalidInput, "MSG", "the message has no recipient")
	}
	r := request{
		Recipient: recipient{ID: m.Recipient}, MessagingType: "UPDATE",
		Message: message{Text: m.Contents[0].Text},
	}
	if c := m.Contents[0]; c.Media != nil {
		r.Message = message{Attachment: &attachment{Type: c.Kind, Payload: payload{URL: c.Media.Link}}}
	}
	if m.HumanAgent {
		r.MessagingType, r.Tag = "MESSAGE_TAG", "HUMAN_AGENT"
	}
	return r, nil
}
