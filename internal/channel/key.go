package channel

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// Key names one attempt of one ledger row. It travels with the message where
// the provider echoes such a thing, so that a webhook finds its row by
// primary key. It holds nothing about the customer.
type Key struct {
	MessageID uuid.UUID
	Attempt   int
}

const keyVersion = "m1"

// String is "m1.<message id>.<attempt>": 43 bytes or so, well under WhatsApp's
// 512 and Messenger's 1,000.
func (k Key) String() string {
	return keyVersion + "." + k.MessageID.String() + "." + strconv.Itoa(k.Attempt)
}

// IsZero says whether k names nothing.
func (k Key) IsZero() bool { return k.MessageID == uuid.Nil }

// ParseKey reads what String wrote. Text that another program put there is
// an error, and normal: other apps may send from the same account.
func ParseKey(s string) (Key, error) {
	version, rest, _ := strings.Cut(s, ".")
	id, attempt, ok := strings.Cut(rest, ".")
	if version != keyVersion || !ok {
		return Key{}, fmt.Errorf("parse message key: not one of ours")
	}
	message, err := uuid.Parse(id)
	if err != nil {
		return Key{}, fmt.Errorf("parse message key: %w", err)
	}
	n, err := strconv.Atoi(attempt)
	if err != nil || n < 1 {
		return Key{}, fmt.Errorf("parse message key: attempt %q", attempt)
	}
	return Key{MessageID: message, Attempt: n}, nil
}
