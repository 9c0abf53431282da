package simulator

import (
	"net/http"
	"time"
)

// retryKeyLife is how long an accepted retry key is remembered.
const retryKeyLife = 24 * time.Hour

// The texts are not documented; the status is.
const (
	retryKeyNotHere   = "The header X-Line-Retry-Key is not supported by this endpoint"
	retryKeyMalformed = "The value of the header X-Line-Retry-Key is invalid"
)

// acceptedKey is what is remembered of the request that won a key.
type acceptedKey struct {
	at        time.Time
	requestID string
	sent      []lineSentMessage // push only
}

// conflict is the 409 that every later request with the key gets.
func (k acceptedKey) conflict() reply {
	rep := lineReply(http.StatusConflict, lineError{Message: "The retry key is already accepted", Sent: k.sent})
	rep.header = append(rep.header, [2]string{"X-Line-Accepted-Request-Id", k.requestID})
	return rep
}

type retryKey struct{ endpoint, key string }

// retryKeys remembers accepted keys by endpoint; its zero value is empty.
type retryKeys struct {
	accepted map[retryKey]acceptedKey
	order    []retryKey // oldest first, for forgetting
}

func (k *retryKeys) find(endpoint, key string, now time.Time) (acceptedKey, bool) {
	won, ok := k.accepted[retryKey{endpoint, key}]
	return won, ok && now.Sub(won.at) < retryKeyLife
}

func (k *retryKeys) add(endpoint, key string, won acceptedKey) {
	if k.accepted == nil {
		k.accepted = map[retryKey]acceptedKey{}
	}
	for len(k.order) > 0 && won.at.Sub(k.accepted[k.order[0]].at) >= retryKeyLife {
		delete(k.accepted, k.order[0])
		k.order = k.order[1:]
	}
	id := retryKey{endpoint, key}
	k.accepted[id] = won
	k.order = append(k.order, id)
}

// validRetryKey says whether key is a UUID in hexadecimal with dashes.
func validRetryKey(key string) bool {
	if len(key) != 36 {
		return false
	}
	for i, c := range []byte(key) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		hex := c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
		if dash != (c == '-') || !dash && !hex {
			return false
		}
	}
	return true
}
