package channel

import (
	"fmt"
	"time"

	"omniflow/internal/omniflow"
)

// Fault says what may be done after a failed call; nothing else decides it.
type Fault string

// The faults. Of these only Ambiguous may have reached the customer.
const (
	Throttled     Fault = "throttled"     // not taken: send again after RetryAfter; costs no attempt
	Unavailable   Fault = "unavailable"   // not taken: send again with backoff
	Ambiguous     Fault = "ambiguous"     // perhaps taken: look up before sending again
	Rejected      Fault = "rejected"      // this message will never be taken
	Misconfigured Fault = "misconfigured" // none will be, until an operator acts
)

// Scope says what a fault is about: whom to slow down, or what to stop.
type Scope string

// The scopes of a fault.
const (
	ScopeMessage  Scope = "message"  // this message or recipient only
	ScopeAccount  Scope = "account"  // every message of the channel account
	ScopeTemplate Scope = "template" // every message with this template
)

// Error is the provider's answer, or the lack of one, read once and for all.
type Error struct {
	Fault      Fault
	Scope      Scope
	Code       string        // provider's code: "130429", "10/2018278", LINE "429"; ours: "timeout", "reset", "dial"
	Reason     omniflow.Code // what it means for the message, such as window_closed
	RetryAfter time.Duration // Throttled: at least this long; 0 = not said
	HTTPStatus int           // 0 = no answer
	Recipients []int         // Multicast: indexes of refused recipients
	Trace      string        // provider's trace id
	Doubtful   bool          // an earlier try under the same retry key may have been taken: keep the key
	Err        error         // the transport's error, if any; never shown to customers
}

// Error says what happened without naming the recipient or the content.
func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s (code %s): %v", e.Fault, e.Code, e.Err)
	}
	return fmt.Sprintf("%s (code %s, http %d)", e.Fault, e.Code, e.HTTPStatus)
}

// Unwrap gives the transport's error.
func (e *Error) Unwrap() error { return e.Err }

// Rule is what one provider code means: a row of a channel's fault table.
type Rule struct {
	Fault      Fault
	Scope      Scope
	Reason     omniflow.Code
	RetryAfter time.Duration
}
