package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
)

// lineRequest is the body of push, multicast, reply and validate.
type lineRequest struct {
	To         json.RawMessage   `json:"to"` // a string, or for multicast a list
	ReplyToken string            `json:"replyToken"`
	Messages   []json.RawMessage `json:"messages"`
	Units      []string          `json:"customAggregationUnits"`

	to      []string
	objects []lineObject
	hash    [sha256.Size]byte
}

// lineObject is the part of a message object that is checked.
type lineObject struct {
	Type        string `json:"type"`
	Text        string `json:"text"`
	AltText     string `json:"altText"`
	OriginalURL string `json:"originalContentUrl"`
	PreviewURL  string `json:"previewImageUrl"`
	PackageID   string `json:"packageId"`
	StickerID   string `json:"stickerId"`
	Title       string `json:"title"`
	Address     string `json:"address"`
}

// lineError is LINE's envelope of errors.
type lineError struct {
	Message string            `json:"message"`
	Details []lineDetail      `json:"details,omitempty"`
	Sent    []lineSentMessage `json:"sentMessages,omitempty"`
}

type lineDetail struct {
	Message  string `json:"message"`
	Property string `json:"property"`
}

var lineUnit = regexp.MustCompile(`^[a-zA-Z0-9_]{1,30}$`)

// lineTypes are the kinds of outbound objects.
const lineTypes = "text, textV2, sticker, image, video, audio, location, imagemap, template, flex, coupon"

// parseLINE decodes and checks a body; an endpoint of "" is validate, which
// looks at the messages only.
func parseLINE(endpoint string, body []byte) (lineRequest, *lineError) {
	var q lineRequest
	if err := json.Unmarshal(body, &q); err != nil {
		return q, &lineError{Message: parseFailure(body, err)}
	}
	q.recipients(endpoint)
	if details := q.problems(endpoint); len(details) > 0 {
		return q, &lineError{Message: fmt.Sprintf("The request body has %d error(s)", len(details)), Details: details}
	}
	q.hash = q.contentHash()
	if bad := q.badRecipient(endpoint); bad != "" {
		return q, invalidProperty(bad)
	}
	return q, nil
}

func parseFailure(body []byte, err error) string {
	line, column := 1, 1
	if e, ok := err.(*json.SyntaxError); ok && int(e.Offset) <= len(body) {
		before := body[:e.Offset]
		line += bytes.Count(before, []byte("\n"))
		column = max(1, len(before)-1-bytes.LastIndexByte(before, '\n'))
	}
	return fmt.Sprintf("The request body could not be parsed as JSON (line: %d, column: %d)", line, column)
}

func invalidProperty(name string) *lineError {
	return &lineError{Message: "The property, " + name + ", in the request body is invalid (line: -, column: -)"}
}

// recipients reads "to" as the endpoint wants it; a wrong type reads as nobody.
func (q *lineRequest) recipients(endpoint string) {
	var one string
	switch {
	case endpoint == endpointMulticast:
		_ = json.Unmarshal(q.To, &q.to) // a wrong type leaves it empty, which is refused
	case json.Unmarshal(q.To, &one) == nil && one != "":
		q.to = []string{one}
	}
}

// badRecipient names the first recipient that is not of the right form.
func (q *lineRequest) badRecipient(endpoint string) string {
	switch endpoint {
	case endpointPush:
		if !validLINEID(q.to[0], "UCR") {
			return "to"
		}
	case endpointMulticast:
		for i, id := range q.to {
			if !validLINEUser(id) {
				return fmt.Sprintf("to[%d]", i)
			}
		}
	}
	return ""
}

func (q *lineRequest) problems(endpoint string) []lineDetail {
	var list []lineDetail
	add := func(property, message string) { list = append(list, lineDetail{message, property}) }
	switch {
	case endpoint == endpointPush && len(q.to) == 0:
		add("to", "May not be empty")
	case endpoint == endpointMulticast && (len(q.to) == 0 || len(q.to) > 500):
		add("to", "Size must be between 1 and 500")
	case endpoint == endpointReply && q.ReplyToken == "":
		add("replyToken", "May not be empty")
	}
	if len(q.Units) > 1 {
		add("customAggregationUnits", "Size must be between 0 and 1")
	}
	for i, u := range q.Units {
		if !lineUnit.MatchString(u) {
			add(fmt.Sprintf("customAggregationUnits[%d]", i), "Must match ^[a-zA-Z0-9_]{1,30}$")
		}
	}
	if len(q.Messages) < 1 || len(q.Messages) > 5 {
		add("messages", "Size must be between 1 and 5")
		return list
	}
	q.objects = make([]lineObject, len(q.Messages))
	for i, raw := range q.Messages {
		at := fmt.Sprintf("messages[%d]", i)
		if json.Unmarshal(raw, &q.objects[i]) != nil {
			add(at, "Must be a message object")
			continue
		}
		q.objects[i].problems(func(property, message string) { add(at+"."+property, message) })
	}
	return list
}

// problems reports what is wrong with one object.
func (o lineObject) problems(add func(property, message string)) {
	switch o.Type {
	case "text", "textV2":
		text(add, "text", o.Text, 5000)
	case "image", "video":
		link(add, "originalContentUrl", o.OriginalURL)
		link(add, "previewImageUrl", o.PreviewURL)
	case "audio":
		link(add, "originalContentUrl", o.OriginalURL)
	case "sticker":
		text(add, "packageId", o.PackageID, 20)
		text(add, "stickerId", o.StickerID, 20)
	case "location":
		text(add, "title", o.Title, 100)
		text(add, "address", o.Address, 100)
	case "imagemap", "template", "flex":
		text(add, "altText", o.AltText, 400)
	case "coupon":
	default:
		add("type", "Must be one of the following values: ["+lineTypes+"]")
	}
}

func text(add func(property, message string), property, value string, limit int) {
	if value == "" {
		add(property, "May not be empty")
	} else if utf16Length(value) > limit {
		add(property, fmt.Sprintf("Length must be between 0 and %d", limit))
	}
}

func link(add func(property, message string), property, value string) {
	u, err := url.Parse(value)
	switch {
	case value == "":
		add(property, "May not be empty")
	case len(value) > 2000:
		add(property, "Length must be between 0 and 2000")
	case err != nil || !fetchable(value) || u.Host == "":
		add(property, "invalid uri scheme")
	}
}

// fetchable says whether a provider would fetch a link: by https, or, since
// the simulated ones run beside their clients, from loopback.
func fetchable(link string) bool {
	u, err := url.Parse(link)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

// contentHash is that of the text when the request is one plain text object.
func (q *lineRequest) contentHash() [sha256.Size]byte {
	if len(q.objects) == 1 && q.objects[0].Type == "text" {
		var plain map[string]json.RawMessage
		if json.Unmarshal(q.Messages[0], &plain) == nil && len(plain) == 2 {
			return hashText(q.objects[0].Text)
		}
	}
	return hashJSON(q.Messages)
}

// quotable says whether the sent object gets a quote token.
func (o lineObject) quotable() bool {
	return strings.Contains(" text textV2 sticker image video template flex ", " "+o.Type+" ")
}
