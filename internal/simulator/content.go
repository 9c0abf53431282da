package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
)

// hashText is the content hash of a plain text message.
func hashText(text string) [sha256.Size]byte { return sha256.Sum256([]byte(text)) }

// hashJSON is the content hash of anything else: of its JSON in UTF-8 with
// sorted keys and without insignificant space.
func hashJSON(v any) [sha256.Size]byte {
	d := json.NewDecoder(bytes.NewReader(mustJSON(v)))
	d.UseNumber() // a number may be larger than any float
	var plain any
	if err := d.Decode(&plain); err != nil {
		panic(err) // it was encoded just now
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(plain); err != nil {
		panic(err) // it was decoded just now
	}
	return sha256.Sum256(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// mustJSON encodes what is our own, or was decoded from JSON.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // nothing else comes here
	}
	return b
}

// utf16Length counts UTF-16 code units, in which LINE and Messenger measure.
func utf16Length(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xffff {
			n++
		}
	}
	return n
}
