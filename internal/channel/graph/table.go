package graph

import (
	"strconv"

	"omniflow/internal/channel"
)

// Table is one channel's reading of Meta's error codes.
type Table struct {
	// Rules are keyed "code" or "code/subcode". A key without subcode does
	// not speak for codes that come with one, unless IgnoreSubcodes is set.
	// The seven-digit numbers stand in the documentation without a code: such
	// a key is looked for in either place.
	Rules map[string]channel.Rule
	// IgnoreSubcodes reads the code alone where the pair has no row (WhatsApp).
	IgnoreSubcodes bool
	// Family is the rule of a pair without a row; subcode is 0 for none.
	Family func(code, subcode int) channel.Rule
}

// firstLong is the smallest of the numbers that may be a code or a subcode.
const firstLong = 1_000_000

// Rule finds the rule of a code and its subcode, 0 for none.
func (t Table) Rule(code, subcode int) channel.Rule {
	if r, ok := t.row(code, subcode); ok {
		return r
	}
	return t.Family(code, subcode)
}

func (t Table) row(code, subcode int) (channel.Rule, bool) {
	if subcode != 0 {
		r, ok := t.Rules[Pair(code, subcode)]
		if !ok && subcode >= firstLong {
			r, ok = t.Rules[strconv.Itoa(subcode)]
		}
		if ok || !t.IgnoreSubcodes {
			return r, ok
		}
	}
	r, ok := t.Rules[strconv.Itoa(code)]
	return r, ok
}

// Name is how a code is shown and stored: "10/2018278", or "130429".
func (t Table) Name(code, subcode int) string {
	if subcode == 0 || t.IgnoreSubcodes {
		return strconv.Itoa(code)
	}
	return Pair(code, subcode)
}

// Pair is the key of a code with a subcode.
func Pair(code, subcode int) string {
	return strconv.Itoa(code) + "/" + strconv.Itoa(subcode)
}
