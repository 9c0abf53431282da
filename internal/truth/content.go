package truth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"omniflow/internal/simulator"
)

// Contents are the hashes, by channel, of what a broadcast sends to each
// recipient there, in the order of its rows. Nil is one row each, of any content.
type Contents map[string][]string

// TextContents are those of a broadcast of one to five texts: a row each, but
// LINE takes all of them in one request.
func TextContents(texts ...string) Contents {
	each := make([]string, len(texts))
	for i, text := range texts {
		each[i] = simulator.TextSHA256(text)
	}
	together := each
	if len(texts) > 1 {
		together = []string{lineSHA256(texts)}
	}
	return Contents{"whatsapp": each, "facebook": each, "instagram": each, "line": together}
}

// lineSHA256 is the simulator's hash of several texts in one request.
func lineSHA256(texts []string) string {
	type object struct { // in the order of their names
		Text string `json:"text"`
		Type string `json:"type"`
	}
	objects := make([]object, len(texts))
	for i, text := range texts {
		objects[i] = object{text, "text"}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(objects); err != nil {
		panic(fmt.Sprintf("encode texts: %v", err)) // texts can be encoded: never
	}
	return simulator.TextSHA256(string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))))
}

// Has says whether a content is one of these.
func (c Contents) Has(hash string) bool {
	for _, list := range c {
		if slices.Contains(list, hash) {
			return true
		}
	}
	return false
}

// parts is how many rows a recipient of a channel has.
func (c Contents) parts(channel string) int {
	if c == nil {
		return 1
	}
	return len(c[channel])
}

// message is what the nth row of a person sends, counted from 1.
func (c Contents) message(p Person, n int) message {
	m := message{address: address{p.Channel, p.Recipient}}
	if hashes := c[p.Channel]; n >= 1 && n <= len(hashes) {
		m.content = hashes[n-1]
	}
	return m
}
