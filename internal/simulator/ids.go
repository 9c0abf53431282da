package simulator

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"

	"github.com/google/uuid"
)

// noise is n random bytes in URL-safe base64.
func noise(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(b)
}

// newWamid is a WhatsApp message id: opaque, base64 after its prefix.
func newWamid() string { return "wamid.HBgM" + noise(24) }

// newMid is a message id of Messenger or Instagram.
func newMid(c Channel) string {
	if c == Facebook {
		return "m_" + noise(32)
	}
	return "aWdfZAG1faXRlbToxOk" + noise(32)
}

// newLINEMessageID is a decimal string of 18 digits.
func newLINEMessageID() string {
	b := make([]byte, 17)
	_, _ = rand.Read(b)
	for i := range b {
		b[i] = '0' + b[i]%10
	}
	return "5" + string(b)
}

// newEventID is a ULID: 48 bits of milliseconds, then 80 random bits.
func newEventID(now time.Time) string {
	const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	b := make([]byte, 26)
	_, _ = rand.Read(b)
	for i := range b {
		b[i] = digits[b[i]%32]
	}
	ms := uint64(now.UnixMilli())
	for i := 9; i >= 0; i-- {
		b[i] = digits[ms%32]
		ms /= 32
	}
	return string(b)
}

func newRequestID() string { return uuid.NewString() }

func newTraceID() string { return "A" + noise(16) }

func newReplyToken() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

// phoneDigits takes the digits out of a phone number as WhatsApp allows it to
// be written: 7 to 15 digits, with + - ( ) and spaces between.
func phoneDigits(s string) (string, bool) {
	var b strings.Builder
	b.Grow(len(s))
	for i, c := range []byte(s) {
		switch {
		case c >= '0' && c <= '9':
			b.WriteByte(c)
		case c == '+' && i == 0, c == '-', c == '(', c == ')', c == ' ':
		default:
			return "", false
		}
	}
	return b.String(), b.Len() >= 7 && b.Len() <= 15
}

// validLINEUser says whether id is U and 32 lower-case hexadecimal digits.
func validLINEUser(id string) bool { return validLINEID(id, "U") }

func validLINEID(id, kinds string) bool {
	if len(id) != 33 || !strings.Contains(kinds, id[:1]) {
		return false
	}
	for _, c := range []byte(id[1:]) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// validScopedID says whether id could be a page-scoped or Instagram-scoped user id.
func validScopedID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for _, c := range []byte(id) {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
