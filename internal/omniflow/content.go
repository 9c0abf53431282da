package omniflow

import (
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/uuid"
)

// The longest text a channel takes in one message (channels/*.md).
const (
	MaxWhatsAppText       = 4096 // characters (code points)
	MaxLINEText           = 5000 // UTF-16 code units
	MaxFacebookText       = 1999 // UTF-16 code units: under 2,000
	MaxInstagramTextBytes = 1000 // UTF-8
	MaxCaption            = 1024 // characters, WhatsApp
)

var (
	templateName     = regexp.MustCompile(`^[a-z0-9_]{1,512}$`)
	templateLanguage = regexp.MustCompile(`^[A-Za-z]{2,3}(_[A-Za-z]{2,4})?$`)
)

// Check says whether c is complete, whatever channel it goes to: message_empty
// (also a file or saved reply that is not named), template_invalid, content_unsupported for a kind the pipeline does not send,
// input_invalid for a text that is not Unicode or holds a NUL.
func (c Content) Check() *Refusal {
	switch c.Kind {
	case Text:
		return checkPlain(c.Text)
	case TemplateKind:
		return c.Template.check()
	case Image, Video, File:
		if c.MediaID == uuid.Nil {
			return Refuse(MessageEmpty, "BRD-06", "the message names no media_id")
		}
		return checkUnicode(c.Text)
	case SavedReply:
		if c.SavedReplyID == uuid.Nil {
			return Refuse(MessageEmpty, "BRD-06", "the message names no saved_reply_id")
		}
		return nil
	}
	return Refuse(ContentUnsupported, "MSG-01", "the kind of a message must be text, image, video, file, saved_reply or template")
}

func checkPlain(text string) *Refusal {
	if strings.TrimSpace(text) == "" {
		return Refuse(MessageEmpty, "MSG-01", "the text is empty")
	}
	return checkUnicode(text)
}

// checkUnicode refuses what neither the database nor a provider can hold.
func checkUnicode(text string) *Refusal {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return Refuse(InvalidInput, "MSG-01", "the text is not valid Unicode, or holds a NUL")
	}
	return nil
}

func (t *Template) check() *Refusal {
	switch {
	case t == nil:
		return Refuse(TemplateInvalid, "BRD-10", "the template is missing")
	case !templateName.MatchString(t.Name):
		return Refuse(TemplateInvalid, "BRD-10", "a template's name is 1 to 512 of a-z, 0-9 and _")
	case !templateLanguage.MatchString(t.Language):
		return Refuse(TemplateInvalid, "BRD-10", "a template's language looks like zh_TW")
	}
	for i, p := range t.Params {
		if strings.TrimSpace(p) == "" {
			return Refuse(TemplateInvalid, "BRD-10", "parameter %d of the template is empty", i+1)
		}
		if refusal := checkUnicode(p); refusal != nil {
			return refusal
		}
	}
	return t.Header.check()
}

// check refuses a header that is no file.
func (h *TemplateHeader) check() *Refusal {
	switch {
	case h == nil:
		return nil
	case h.Kind != Image && h.Kind != Video && h.Kind != File:
		return Refuse(TemplateInvalid, "BRD-10", "the header of a template is an image, a video or a file")
	case h.MediaID == uuid.Nil:
		return Refuse(TemplateInvalid, "BRD-10", "the header of the template names no media_id")
	}
	return nil
}

// CheckHeader refuses with template_invalid a use of a template that gives no
// file where its definition has one of kind has at its head ("" for none), or
// another.
func (t Template) CheckHeader(has MessageKind) *Refusal {
	switch {
	case t.Header == nil && has == "", t.Header != nil && t.Header.Kind == has:
		return nil
	case has == "":
		return Refuse(TemplateInvalid, "BRD-10", "the template takes no file at its head")
	}
	return Refuse(TemplateInvalid, "BRD-10", "the template takes one %s at its head (header)", has)
}

// CheckCaption says whether ch shows a text beside a file: only WhatsApp does,
// and in one bubble with it. Elsewhere it is content of its own, and refused as
// broadcast_content_unsupported rather than left out; too long a one as
// message_too_long.
func CheckCaption(ch Channel, text string) *Refusal {
	if text == "" {
		return nil
	}
	r := Refuse(BroadcastContentUnsupported, "BRD-06", "a file on %s has no caption: send its text as a message of its own", ch)
	if ch == WhatsApp {
		n := utf8.RuneCountInString(text)
		if n <= MaxCaption {
			return nil
		}
		r = Refuse(MessageTooLong, "MSG-01", "a caption on %s has at most %d characters, not %d", ch, MaxCaption, n)
	}
	r.Channels = []Channel{ch}
	return r
}

// CheckText refuses with message_too_long a text that ch does not take in one
// message, and with message_empty one that says nothing. A text with the name
// variable is measured as it stands.
func CheckText(ch Channel, text string) *Refusal {
	if refusal := checkPlain(text); refusal != nil {
		return refusal
	}
	n, highest, unit := 0, 0, ""
	switch ch {
	case WhatsApp:
		n, highest, unit = utf8.RuneCountInString(text), MaxWhatsAppText, "characters"
	case LINE:
		n, highest, unit = UTF16Len(text), MaxLINEText, "UTF-16 units"
	case Facebook:
		n, highest, unit = UTF16Len(text), MaxFacebookText, "UTF-16 units"
	case Instagram:
		n, highest, unit = len(text), MaxInstagramTextBytes, "bytes"
	}
	if n > highest {
		r := Refuse(MessageTooLong, "MSG-01", "a text on %s has at most %d %s, not %d", ch, highest, unit, n)
		r.Channels = []Channel{ch}
		return r
	}
	return nil
}

// UTF16Len is the length of text in UTF-16 code units.
func UTF16Len(text string) int {
	n := 0
	for _, r := range text {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}
