package simulator

import (
	"crypto/sha256"
	"encoding/json"
)

// hashText is the content hash of a plain text message.
func hashText(text string) [sha256.Size]byte { return sha256.Sum256([]byte(text)) }

// hashJSON is the content hash of anything else: of its JSON with sorted keys
// and without insignificant space.
func hashJSON(v any) [sha256.Size]byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // v was decoded from JSON
	}
	var plain any
	if err := json.Unmarshal(raw, &plain); err != nil {
		panic(err) // raw was encoded just now
	}
	sorted, err := json.Marshal(plain)
	if err != nil {
		panic(err) // plain was decoded just now
	}
	return sha256.Sum256(sorted)
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
