package postgres

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// storable is s with U+FFFD for what text cannot hold, NUL and broken UTF-8.
// What a provider passes on from its users must never make a statement fail:
// the whole batch would be tried for ever.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}

// storableJSON is raw as jsonb takes it: as it is if it can be, else with
// U+FFFD for NUL, broken UTF-8 and halves of surrogate pairs. What is no JSON
// becomes a string.
func storableJSON(raw []byte) string {
	var value any = string(raw)
	if json.Valid(raw) && utf8.Valid(raw) && !bytes.Contains(raw, []byte(`\u`)) {
		return string(raw)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if json.Valid(raw) && decoder.Decode(&value) != nil {
		value = string(raw)
	}
	clean, err := json.Marshal(value)
	if err != nil {
		return "null"
	}
	return strings.NewReplacer(`\\`, `\\`, `\u0000`, `\ufffd`).Replace(string(clean))
}
