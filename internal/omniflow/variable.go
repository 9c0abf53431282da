package omniflow

import "strings"

// CustomerName is the variable an agent may write into a text (VAR-01).
const CustomerName = "{{system:customer_name}}"

// Personal says whether text holds the name variable, so that every recipient
// gets another text.
func Personal(text string) bool { return strings.Contains(text, CustomerName) }

// FillName puts name, or nothing if there is none, in place of the name
// variable (VAR-02, VAR-03). An altered or unknown {{…}} stays, and so does one
// inside a name (D-VAR-1).
func FillName(text, name string) string { return strings.ReplaceAll(text, CustomerName, name) }

// CheckVariables refuses with content_unsupported a variable in a group
// (VAR-04).
func CheckVariables(typ ConversationType, text string) *Refusal {
	if typ != OneToOne && Personal(text) {
		return Refuse(ContentUnsupported, "VAR-04", "a variable cannot be sent to a group")
	}
	return nil
}
