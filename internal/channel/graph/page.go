package graph

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// Page is what Messenger and Instagram, which send by the same call, do not
// have in common.
type Page struct {
	Name  string                 // in refusals, such as "Messenger"
	On    omniflow.Channel       // likewise
	Kinds []omniflow.MessageKind // of files that go out
	// Keyed says that a message's key travels as message.metadata and comes
	// back in the echo.
	Keyed bool
	// File says where the provider finds a file, or why it does not.
	File func(m omniflow.Media) (PagePayload, *omniflow.Refusal)
	// Fits refuses a text that is too long.
	Fits func(text string) *omniflow.Refusal
}

// PageClient sends messages of one Page. It is safe for concurrent use.
type PageClient struct {
	page  Page
	graph *Client
}

// NewPageClient returns a client of the send API at baseURL, without version.
func NewPageClient(baseURL string, http *channel.HTTPClient, table Table, page Page) *PageClient {
	return &PageClient{page: page, graph: NewClient(baseURL, http, table)}
}

// Send makes one call with one content.
//
// Errors: *channel.Error.
func (c *PageClient) Send(ctx context.Context, a channel.Account, m channel.Message) (channel.Receipt, error) {
	body, err := c.page.Request(m)
	if err != nil {
		return channel.Receipt{}, channel.Refused(err)
	}
	receipt, err := c.graph.Send(ctx, a, body)
	if m.HumanAgent {
		err = withoutTag(err)
	}
	return receipt, err
}

// UploadForm hands a file over; see Client.Upload.
//
// Errors: *channel.Error.
func (c *PageClient) UploadForm(ctx context.Context, a channel.Account, form Form, m omniflow.Media, data []byte) (string, error) {
	return c.graph.Upload(ctx, a, form, m, data)
}

// withoutTag keeps a missing permission for the tag from stopping the account:
// code 10 says that, or that the account may send nothing at all, which the
// next message without the tag will tell (messenger.md section 7, instagram.md
// section 4).
func withoutTag(err error) error {
	var e *channel.Error
	if errors.As(err, &e) && e.Code == "10" {
		e.Fault, e.Scope, e.Reason = channel.Rejected, channel.ScopeMessage, omniflow.ProviderRejected
	}
	return err
}

// VerifySubscription answers Meta's check of the webhook address.
func (c *PageClient) VerifySubscription(a channel.Account, query url.Values) (string, error) {
	return VerifySubscription(a, query)
}

// PageRequest is the body of one send (messenger.md section 3, instagram.md
// section 3); metadata is Messenger's only:
//
//	{"recipient":{"id":"PSID"},"messaging_type":"UPDATE",
//	  "message":{"text":"hi","metadata":"m1.<uuid>.1"}}
type PageRequest struct {
	Recipient     PageRecipient `json:"recipient"`
	MessagingType string        `json:"messaging_type"`
	Tag           string        `json:"tag,omitempty"`
	Message       PageMessage   `json:"message"`
}

// PageRecipient is a person, by the id that the page knows.
type PageRecipient struct {
	ID string `json:"id"`
}

// PageMessage is a text or a file.
type PageMessage struct {
	Text       string          `json:"text,omitempty"`
	Attachment *PageAttachment `json:"attachment,omitempty"`
	Metadata   string          `json:"metadata,omitempty"`
}

// PageAttachment is {"type":"image","payload":{"attachment_id":"…"}}.
type PageAttachment struct {
	Type    omniflow.MessageKind `json:"type"`
	Payload PagePayload          `json:"payload"`
}

// PagePayload names a file: an upload, or an address to fetch it from.
type PagePayload struct {
	ID  string `json:"attachment_id,omitempty"`
	URL string `json:"url,omitempty"`
}

// Check says whether each of contents can go out: a text that fits, or a file
// that the provider can find. How many there are is not looked at.
//
// Errors: *omniflow.Refusal.
func (p Page) Check(contents []omniflow.Content) error {
	if len(contents) == 0 {
		return omniflow.Refuse(omniflow.MessageEmpty, "MSG", "there is no content")
	}
	for _, c := range contents {
		if refusal := p.check(c); refusal != nil {
			return refusal
		}
	}
	return nil
}

func (p Page) check(c omniflow.Content) *omniflow.Refusal {
	switch {
	case slices.Contains(p.Kinds, c.Kind):
		return p.checkFile(c)
	case c.Kind != omniflow.Text:
		return omniflow.Refuse(omniflow.ContentUnsupported, "MSG", "%s takes no %q", p.Name, c.Kind)
	case strings.TrimSpace(c.Text) == "":
		return omniflow.Refuse(omniflow.MessageEmpty, "MSG", "the text is empty")
	case !utf8.ValidString(c.Text):
		return omniflow.Refuse(omniflow.InvalidInput, "MSG", "the text is not UTF-8")
	}
	return p.Fits(c.Text)
}

func (p Page) checkFile(c omniflow.Content) *omniflow.Refusal {
	if c.Text != "" {
		return omniflow.Refuse(omniflow.ContentUnsupported, "MSG", "%s takes no caption", p.Name)
	}
	var m omniflow.Media
	if c.Media != nil {
		m = *c.Media
	}
	_, refusal := p.File(m)
	return refusal
}

// Request builds the body of m. The tag is for what a person wrote and for
// nothing else: the provider may refuse it even inside 24 hours (messenger.md
// section 7).
//
// Errors: *omniflow.Refusal.
func (p Page) Request(m channel.Message) (PageRequest, error) {
	if len(m.Contents) != 1 {
		return PageRequest{}, omniflow.Refuse(omniflow.BroadcastMessageCount, "MSG", "one call takes one content")
	}
	if err := channel.CheckQuote(m, p.On); err != nil {
		return PageRequest{}, err
	}
	if err := p.Check(m.Contents); err != nil {
		return PageRequest{}, err
	}
	if m.Recipient == "" || p.Keyed && m.Key.IsZero() {
		return PageRequest{}, omniflow.Refuse(omniflow.InvalidInput, "D-MSG-4", "the message has no recipient or no key")
	}
	r := PageRequest{Recipient: PageRecipient{ID: m.Recipient}, MessagingType: "UPDATE"}
	c := m.Contents[0]
	if r.Message.Text = c.Text; c.Kind != omniflow.Text {
		payload, refusal := p.File(*c.Media)
		if refusal != nil {
			return PageRequest{}, refusal
		}
		r.Message.Attachment = &PageAttachment{Type: c.Kind, Payload: payload}
	}
	if p.Keyed {
		r.Message.Metadata = m.Key.String()
	}
	if m.HumanAgent {
		r.MessagingType, r.Tag = "MESSAGE_TAG", "HUMAN_AGENT"
	}
	return r, nil
}
