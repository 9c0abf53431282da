package channel

import (
	"context"
	"io"

	"omniflow/internal/omniflow"
)

// File is a customer's file that is open for reading.
type File struct {
	Body  io.ReadCloser
	MIME  string // as the provider says; the bytes decide
	Bytes int64  // -1 where the provider does not say
}

// Fetcher is a Provider that keeps the files which customers sent.
type Fetcher interface {
	// Fetch opens the file that handle names, a MediaRef's. The caller closes
	// it, and reads no more than it wants to keep; ctx bounds the reading too.
	//
	// Errors: always *Error. Rejected with media_unavailable: the file is not
	// given, or no more. Unavailable and Throttled: later, at the earliest after
	// RetryAfter. Misconfigured: the account's token is refused.
	Fetch(ctx context.Context, a Account, handle string) (File, error)
}

// Gone is the error of a file that its provider does not give, now or ever.
func Gone(code string, status int) *Error {
	return Terminal(omniflow.MediaUnavailable).Error(code, status)
}
