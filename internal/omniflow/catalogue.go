package omniflow

import (
	"fmt"
	"strings"
)

// TextKey names one text of section 26. Code compares keys, never texts.
type TextKey string

// Text is the text as printed in the seed, placeholders in braces, or "" for
// an unknown key.
func (k TextKey) Text() string { return catalogue[k] }

// Render fills the braces of the text of key k with values. The list
// "{m1}、{m2}" of the log texts is one value, "members" (see JoinNames). A
// value is never read as a placeholder itself.
//
// Errors: an unknown key, or a placeholder without a value.
func Render(k TextKey, values map[string]string) (string, error) {
	text, ok := catalogue[k]
	if !ok {
		return "", fmt.Errorf("render text %q: no such key", string(k))
	}
	text = strings.ReplaceAll(text, "{m1}、{m2}", "{members}")
	var out strings.Builder
	for {
		before, rest, open := strings.Cut(text, "{")
		out.WriteString(before)
		if !open {
			return out.String(), nil
		}
		name, after, _ := strings.Cut(rest, "}")
		value, ok := values[name]
		if !ok {
			return "", fmt.Errorf("render text %q: no value for {%s}", string(k), name)
		}
		out.WriteString(value)
		text = after
	}
}

// JoinNames joins names as the texts do, by 「、」 (COL-11).
func JoinNames(names []string) string { return strings.Join(names, "、") }
