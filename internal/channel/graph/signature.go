package graph

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// SignatureHeader carries "sha256=" and the lower-case hexadecimal HMAC-SHA256
// of the raw body under the app secret.
const SignatureHeader = "X-Hub-Signature-256"

// Verify checks the signature over the raw body, in constant time. An account
// without a secret accepts nothing.
//
// Errors: *omniflow.Refusal signature_invalid.
//
// Source: whatsapp.md section 4.2, messenger.md section 12.1, instagram.md
// section 10.1.
func Verify(a channel.Account, header http.Header, body []byte) error {
	value, ok := strings.CutPrefix(header.Get(SignatureHeader), "sha256=")
	if !ok {
		return refuse("the signature is missing")
	}
	given, err := hex.DecodeString(value)
	if err != nil || a.Secrets.AppSecret == "" {
		return refuse("the signature cannot be checked")
	}
	mac := hmac.New(sha256.New, []byte(a.Secrets.AppSecret))
	mac.Write(body)
	if !hmac.Equal(given, mac.Sum(nil)) {
		return refuse("the signature does not fit the body")
	}
	return nil
}

// VerifySubscription answers Meta's question whether a webhook address is
// ours; see channel.Subscriber.
//
// Source: whatsapp.md section 4.1, messenger.md section 12.1.
func VerifySubscription(a channel.Account, query url.Values) (string, error) {
	want, got := []byte(a.Secrets.VerifyToken), []byte(query.Get("hub.verify_token"))
	same := subtle.ConstantTimeCompare(want, got) == 1
	if !same || len(want) == 0 || query.Get("hub.mode") != "subscribe" {
		return "", refuse("the verify token is not this account's")
	}
	return query.Get("hub.challenge"), nil
}

func refuse(detail string) error {
	return omniflow.Refuse(omniflow.SignatureInvalid, "SYS-03", "%s", detail)
}
