package keyring

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// macKey derives a signing key, so that no secret both encrypts and signs.
func macKey(secret []byte) []byte { return mac(secret, "omniflow signing key") }

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// Sign is the HMAC-SHA256 of text under a key derived from the first of the
// ring: "id.base64url", 46 characters or so that a URL can hold as they are.
func (r *Ring) Sign(text string) string {
	return r.first + "." + base64.RawURLEncoding.EncodeToString(mac(r.macs[r.first], text))
}

// Signed says, in constant time, whether signature is what Sign made of text
// with any key of the ring.
func (r *Ring) Signed(text, signature string) bool {
	id, value, _ := strings.Cut(signature, ".")
	key, ok := r.macs[id]
	given, err := base64.RawURLEncoding.DecodeString(value)
	return ok && err == nil && hmac.Equal(given, mac(key, text))
}
