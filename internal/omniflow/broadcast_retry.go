package omniflow

import (
	"slices"

	"github.com/google/uuid"
)

// RetryScope says which rows of a broadcast a retry is about.
type RetryScope string

// The scopes of a retry. The rows behind a failed one of the same recipient,
// skipped as previous_not_sent, come along.
const (
	RetryFailed  RetryScope = "failed"  // every row that failed
	RetryUnknown RetryScope = "unknown" // every row whose outcome is still unknown; it fails as outcome_unknown first
	RetryList    RetryScope = "list"    // what failed for the named recipients, nothing else
	RetryRest    RetryScope = "rest"    // what was cancelled, and what still waits in stopped lanes; that is cancelled first
)

// RetryRequest asks for a new broadcast over rows of an earlier one, with the
// same contents, or with another template.
type RetryRequest struct {
	Scope           RetryScope  `json:"scope" enum:"failed,unknown,list,rest"`
	ConversationIDs []uuid.UUID `json:"conversation_ids,omitempty" maxItems:"100000" doc:"Of scope list."`
	Template        *Template   `json:"template,omitempty" doc:"Instead of the first one's; template broadcasts only."`
}

// The codes of retries.
const (
	RetryNotAllowed Code = "retry_not_allowed" // a recipient was sent to, never failed, or is being retried already
	RetryEmpty      Code = "retry_empty"       // the scope holds nothing
	Retried         Code = "retried"           // cancelled, since a later broadcast sends it
	Duplicate       Code = "duplicate"         // the same identity is sent to through another account
)

// Validate checks what can be checked without the ledger: input_invalid,
// template_invalid.
func (r RetryRequest) Validate(kind BroadcastKind) *Refusal {
	known := []RetryScope{RetryFailed, RetryUnknown, RetryList, RetryRest}
	switch {
	case !slices.Contains(known, r.Scope):
		return Refuse(InvalidInput, "BRD-05", "the scope must be one of %v", known)
	case (r.Scope == RetryList) != (len(r.ConversationIDs) > 0):
		return Refuse(InvalidInput, "BRD-05", "conversation_ids go with scope list, and only with it")
	case r.Template != nil && kind != BroadcastTemplate:
		return Refuse(TemplateInvalid, "BRD-09", "only a template broadcast can be retried with another template")
	case r.Template != nil:
		return r.Template.check()
	}
	return nil
}

// hopeless are reasons that a retry cannot mend.
var hopeless = []Code{Unreachable, OptedOut, ProviderRejected, MessageTooLong, ContentUnsupported}

// RetryMends says whether a retry may succeed where a row failed with c.
func (c Code) RetryMends() bool { return !slices.Contains(hopeless, c) }
