package channel

import "net/url"

// Subscriber is a Provider that asks, with a GET to the webhook address,
// whether we know its account: WhatsApp, Messenger and Instagram.
type Subscriber interface {
	// VerifySubscription returns the challenge to answer with, as it is.
	//
	// Errors: *omniflow.Refusal signature_invalid when the verify token is not
	// the account's: answer 403.
	VerifySubscription(a Account, query url.Values) (challenge string, err error)
}
