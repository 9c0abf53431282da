package temporalserver

import "go.temporal.io/sdk/temporal"

// SearchAttributes names the search attributes of every run, all of type
// Keyword, as workflows sets them (SYS-07).
func SearchAttributes() []string {
	return []string{"TeamId", "ConversationId", "ChannelKind", "JobKind", "Outcome", "FailureCode"}
}

// SearchAttributeFlags is the part of the server's command line that creates
// the search attributes.
func SearchAttributeFlags() []string {
	var flags []string
	for _, name := range SearchAttributes() {
		flags = append(flags, "--search-attribute", name+"=Keyword")
	}
	return flags
}

// TypedSearchAttributes is SearchAttributes in the form that the SDK's
// testsuite.DevServerOptions takes; the values are empty.
func TypedSearchAttributes() temporal.SearchAttributes {
	var updates []temporal.SearchAttributeUpdate
	for _, name := range SearchAttributes() {
		updates = append(updates, temporal.NewSearchAttributeKeyKeyword(name).ValueSet(""))
	}
	return temporal.NewSearchAttributes(updates...)
}
