package line

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"omniflow/internal/omniflow"
)

// Limits of section 4: objects of one call, and UTF-16 units of one text.
const (
	maxContents  = 5
	maxTextUnits = 5000
)

// pushRequest is {"to":"U…","messages":[{"type":"text","text":"hi"}]}.
type pushRequest struct {
	To       string    `json:"to"`
	Messages []message `json:"messages"`
}

// multicastRequest is {"to":["U…","U…"],"messages":[…]}.
type multicastRequest struct {
	To       []string  `json:"to"`
	Messages []message `json:"messages"`
}

// message is a text, or {"type":"image","originalContentUrl":"https://…",
// "previewImageUrl":"https://…"}; a video likewise.
type message struct {
	Type     string `json:"type"`
	Text     string `json:"text,omitempty"`
	Original string `json:"originalContentUrl,omitempty"`
	Preview  string `json:"previewImageUrl,omitempty"`
}

// Check says whether each of contents can go to LINE: text of 1 to 5,000
// UTF-16 units, image or video. There is no outbound file (section 4). That one call takes at most five is checked by Send.
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
	case (c.Kind == omniflow.Image || c.Kind == omniflow.Video) && c.Text != "":
		return omniflow.Refuse(omniflow.ContentUnsupported, "MSG", "LINE takes no caption")
	case c.Kind == omniflow.Image, c.Kind == omniflow.Video:
		return checkLinks(c.Media)
	case c.Kind != omniflow.Text:
		return omniflow.Refuse(omniflow.ContentUnsupported, "MSG", "LINE takes no %q", c.Kind)
	case strings.TrimSpace(c.Text) == "":
		return omniflow.Refuse(omniflow.MessageEmpty, "MSG", "the text is empty")
	case !utf8.ValidString(c.Text):
		return omniflow.Refuse(omniflow.InvalidInput, "MSG", "the text is not UTF-8")
	}
	if n := units(c.Text); n > maxTextUnits {
		return omniflow.Refuse(omniflow.MessageTooLong, "MSG",
			"LINE takes %d UTF-16 units, the text has %d", maxTextUnits, n)
	}
	return nil
}

// checkLinks refuses a file that LINE's clients could not fetch.
func checkLinks(m *omniflow.Media) error {
	if m == nil || m.Link == "" || m.Preview == "" {
		return omniflow.Refuse(omniflow.MediaLinkUnavailable, "MSG", "the file has no public address")
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

// newMessages builds the message objects of one call.
//
// Errors: *omniflow.Refusal.
func newMessages(contents []omniflow.Content) ([]message, error) {
	if len(contents) > maxContents {
		return nil, omniflow.Refuse(omniflow.BroadcastMessageCount, "BRD-05", "one call takes %d contents", maxContents)
	}
	if err := Check(contents); err != nil {
		return nil, err
	}
	out := make([]message, 0, len(contents))
	for _, c := range contents {
		if c.Media != nil {
			out = append(out, message{Type: string(c.Kind), Original: c.Media.Link, Preview: c.Media.Preview})
			continue
		}
		out = append(out, message{Type: "text", Text: c.Text})
	}
	return out, nil
}
