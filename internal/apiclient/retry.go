package apiclient

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
)

// CodeInProgress is the code of 409 while the first request with the same
// Idempotency-Key still runs; the API takes the key over 30 s after a crash.
const CodeInProgress = "idempotency_in_progress"

// mayAskAgain decides after each try. Every method the client uses is safe to
// repeat: GET and PUT by nature, POST by its Idempotency-Key. The end of ctx and
// a URL that makes no sense are final.
func mayAskAgain(ctx context.Context, res *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		var e *url.Error
		if errors.As(err, &e) && unusableURL(e) {
			return false, err
		}
		return true, nil
	}
	switch res.StatusCode {
	case http.StatusBadGateway, http.StatusServiceUnavailable:
		return true, nil
	case http.StatusConflict:
		return inProgress(res), nil
	}
	return false, nil
}

// unusableURL says that no try can succeed: the scheme is missing or unknown.
func unusableURL(e *url.Error) bool {
	u, err := url.Parse(e.URL)
	return err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == ""
}

// inProgress reads the problem of a 409 and puts the body back.
func inProgress(res *http.Response) bool {
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	_ = res.Body.Close() // read whole; its error changes nothing
	res.Body = io.NopCloser(bytes.NewReader(body))
	return err == nil && readProblem(res.StatusCode, body).Code == CodeInProgress
}
