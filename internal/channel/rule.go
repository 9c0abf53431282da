package channel

import (
	"time"

	"omniflow/internal/omniflow"
)

// Terminal is the rule of a code that says: this message will never be taken.
func Terminal(reason omniflow.Code) Rule {
	return Rule{Fault: Rejected, Scope: ScopeMessage, Reason: reason}
}

// Stop is the rule of a code that stops the whole account until an operator acts.
func Stop(reason omniflow.Code) Rule {
	return Rule{Fault: Misconfigured, Scope: ScopeAccount, Reason: reason}
}

// StopTemplate is the rule of a code that stops every message with one template.
func StopTemplate(reason omniflow.Code) Rule {
	return Rule{Fault: Misconfigured, Scope: ScopeTemplate, Reason: reason}
}

// Throttle is the rule of a code that says: not taken, slow down scope, and
// send again after the given time at the earliest.
func Throttle(scope Scope, after time.Duration) Rule {
	return Rule{Fault: Throttled, Scope: scope, Reason: omniflow.ProviderThrottled, RetryAfter: after}
}

// Down is the rule of a code that says: not taken, for a reason that passes.
func Down(after time.Duration) Rule {
	return Rule{Fault: Unavailable, Scope: ScopeMessage, Reason: omniflow.ProviderDown, RetryAfter: after}
}

// Lost is the rule of a code after which the message may have been taken.
func Lost() Rule {
	return Rule{Fault: Ambiguous, Scope: ScopeMessage, Reason: omniflow.OutcomeUnknown}
}

// Error is the answer that r is about: a provider's code, and the HTTP status
// that it came with (0 in a webhook).
func (r Rule) Error(code string, status int) *Error {
	return &Error{
		Fault: r.Fault, Scope: r.Scope, Code: code, Reason: r.Reason,
		RetryAfter: r.RetryAfter, HTTPStatus: status,
	}
}

// Refused is the error of a message that our own check refuses, before any
// call: the same rule that the API applies at its door. err is a
// *omniflow.Refusal, or the error has reason input_invalid.
func Refused(err error) *Error {
	e := Terminal(omniflow.InvalidInput).Error(string(omniflow.InvalidInput), 0)
	if r, ok := err.(*omniflow.Refusal); ok {
		e.Code, e.Reason = string(r.Code), r.Code
	}
	e.Err = err
	return e
}
