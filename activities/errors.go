package activities

import (
	"errors"

	"go.temporal.io/sdk/temporal"

	"omniflow/internal/omniflow"
)

// asTemporal is the one place where an error becomes a retry decision. A
// refusal is final; its code is the type. Anything else is a fault of the
// database or the engine, and the retry policy decides. Only codes go on:
// an error's text stays in the run's history (SYS-12).
func asTemporal(err error) error {
	var r *omniflow.Refusal
	if errors.As(err, &r) {
		return temporal.NewNonRetryableApplicationError(r.Detail, string(r.Code), nil)
	}
	return err
}
