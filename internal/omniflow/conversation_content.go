package omniflow

import (
	"slices"

	"github.com/google/uuid"
)

// notYet are the cells of FIL-01 that nothing sends yet: on LINE an audio needs
// its length, and a file a page of ours with its period (FIL-05).
var notYet = map[Channel][]MessageKind{LINE: {Audio, File}}

// CheckConversationContent says whether a member may send c, frozen, in a
// one-to-one conversation on ch (FIL-01, RPL-06, RPL-09): message_empty,
// message_too_long, content_unsupported, template_invalid, the media codes of
// section 14, saved_reply_file_unsupported. Windows and people are asked
// elsewhere.
func CheckConversationContent(ch Channel, c Content) *Refusal {
	if c.Kind == TemplateKind && ch != WhatsApp {
		return unsupportedOn(ch, "MSG-07", "%s has no templates: send a text", ch)
	}
	switch c.Kind {
	case Coupon:
		return Refuse(ContentUnsupported, "MSG-06", "coupons are made in another system, which is not connected: send its link as a shopping_link")
	case Audio:
		if c.MediaID == uuid.Nil {
			return Refuse(MessageEmpty, "MSG-01", "the message names no media_id")
		}
		if c.Text != "" {
			return Refuse(ContentUnsupported, "FIL-01", "an audio has no caption")
		}
	default:
		if no := c.Check(); no != nil {
			return no
		}
	}
	switch {
	case c.Kind == TemplateKind:
		return nil
	case c.Kind == SavedReply:
		return checkReplyOn(ch, c.Contents)
	case slices.Contains(notYet[ch], c.Kind):
		return unsupportedOn(ch, "FIL-01", "%q cannot be sent on %s yet", c.Kind, ch)
	case c.Media != nil:
		if no := CheckMedia(ch, c.Kind, *c.Media); no != nil {
			return no
		}
		if c.Text != "" && ch != WhatsApp {
			return unsupportedOn(ch, "FIL-01", "a file on %s has no caption: send its text as a message of its own", ch)
		}
		return CheckCaption(ch, c.Text)
	}
	return checkPersonalText(ch, c.Text)
}

// ShoppingLink is what a member sends on ch as a shopping link: to the provider a
// text, which stays promotional (REF-07, D-WIN-2). A text without a link is
// refused with products_required; else as CheckConversationContent says.
func ShoppingLink(ch Channel, text string) (Content, *Refusal) {
	c := Content{Kind: Text, Text: text, Promotional: true}
	if ch == WeChat {
		return c, unsupportedOn(ch, "REF-02", "shopping links cannot be sent on %s", ch)
	}
	if no := CheckConversationContent(ch, c); no != nil {
		return c, no
	}
	if CountLinks([]Content{c}, nil) == (Links{}) {
		return c, Refuse(ProductsRequired, "REF-06", "a shopping link is a text with a link in it")
	}
	return c, nil
}

// checkPersonalText measures a text with the shortest name; what the customer
// gets is measured again by the channel.
func checkPersonalText(ch Channel, text string) *Refusal {
	if Personal(text) {
		if text = FillName(text, "x"); text == "" {
			return nil
		}
	}
	return CheckText(ch, text)
}

// ShowsQuoted says whether a message on ch that answers another is shown with
// what that says: on LINE it is shown without (QUO-01, D-QUO-1).
func ShowsQuoted(ch Channel) bool { return ch != LINE }

func checkReplyOn(ch Channel, contents []Content) *Refusal {
	if slices.ContainsFunc(contents, func(c Content) bool { return c.Kind == File }) && !slices.Contains(fileReplies, ch) {
		no := unsupportedOn(ch, "RPL-06", "a saved reply with a file cannot be sent on %s", ch)
		no.Code = SavedReplyFileUnsupported
		return no
	}
	for _, c := range contents {
		if no := CheckConversationContent(ch, c); no != nil {
			return no
		}
	}
	return nil
}

func unsupportedOn(ch Channel, rule, format string, args ...any) *Refusal {
	no := Refuse(ContentUnsupported, rule, format, args...)
	no.Channels = []Channel{ch}
	return no
}
