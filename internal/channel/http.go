package channel

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"omniflow/internal/omniflow"
)

// HTTPOptions are the settings of an HTTPClient; the zero value is for
// production.
type HTTPOptions struct {
	// LoopbackOnly refuses every other host before a connection is made.
	// Every test sets it.
	LoopbackOnly bool
	// Tries is how often a call is made at most, the first time included,
	// where a repeat is provably safe; 0 is 3, with pauses of about 200 and
	// 400 ms. 1 switches repeats off.
	Tries int
	// FirstPause is the pause before the second try, doubled for each
	// further one; 0 is 200 ms. Up to half of it is jitter.
	FirstPause time.Duration
	// AnswerWithin bounds the wait for the first byte of one answer; 0 is
	// 20 s. The context bounds the whole call.
	AnswerWithin time.Duration
}

// HTTPClient is the one way to a provider: one pool of connections for all
// channels, which repeats a call by itself only where that is provably safe.
// It is safe for concurrent use.
type HTTPClient struct {
	retry        *retryablehttp.Client
	base         *http.Transport
	guarded      *http.Transport // for links that are not the provider's API
	loopbackOnly bool
}

// NewHTTPClient returns a client with its own pool of connections.
func NewHTTPClient(o HTTPOptions) *HTTPClient {
	if o.Tries == 0 {
		o.Tries = 3
	}
	if o.FirstPause == 0 {
		o.FirstPause = 200 * time.Millisecond
	}
	if o.AnswerWithin == 0 {
		o.AnswerWithin = 20 * time.Second
	}
	base := newTransport(o)
	return &HTTPClient{base: base, guarded: newGuarded(base), loopbackOnly: o.LoopbackOnly, retry: &retryablehttp.Client{
		HTTPClient: &http.Client{
			Transport:     &meter{base: base, loopbackOnly: o.LoopbackOnly},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		RetryMax:     o.Tries - 1,
		RetryWaitMin: o.FirstPause,
		RetryWaitMax: 4 * o.FirstPause,
		CheckRetry:   checkRetry,
		Backoff:      pause,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}}
}

// CloseIdleConnections ends the connections that no call is using.
func (c *HTTPClient) CloseIdleConnections() {
	c.base.CloseIdleConnections()
	c.guarded.CloseIdleConnections()
}

// Call is one HTTP call to a provider.
type Call struct {
	Method string // "" is POST
	URL    string // never holds a secret
	Token  string // goes into the Authorization header
	Header map[string]string
	Body   []byte // JSON
	// Repeatable says that the provider takes this call once however often it
	// is made: LINE with its retry key. A GET always is.
	Repeatable bool
}

// Answer is a whole HTTP answer.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	At     time.Time // when it was read
	// Doubtful says that an earlier try of this call may have been taken,
	// whatever this answer says.
	Doubtful bool
}

// Do makes the call and reads its answer, whatever its status.
//
// A call is made again by itself only when nothing of it was written (dial,
// DNS and TLS errors), or when it is repeatable and got no answer or a 5xx.
//
// Errors: *Error. Unavailable, code "dial" or "cancelled": nothing was
// written. Ambiguous, code "timeout", "cancelled", "reset", "truncated" or
// "too_large": some of it may have been. Misconfigured: the call cannot be made.
func (c *HTTPClient) Do(ctx context.Context, call Call) (Answer, error) {
	if err := ctx.Err(); err != nil {
		return Answer{}, unsent("cancelled", err)
	}
	x := &exchange{repeatable: call.Repeatable || call.Method == http.MethodGet}
	req, err := newRequest(context.WithValue(ctx, exchangeKey{}, x), call)
	if err != nil {
		return Answer{}, unmakeable(errBadURL) // err would quote the address
	}
	resp, err := c.retry.Do(req)
	if err != nil && resp == nil {
		return Answer{}, x.fault(err)
	}
	return Answer{Status: resp.StatusCode, Header: resp.Header, Body: x.body, At: time.Now(), Doubtful: x.sent}, nil
}

var errBadURL = errors.New("the provider's address cannot be used")

func newRequest(ctx context.Context, call Call) (*retryablehttp.Request, error) {
	method := call.Method
	if method == "" {
		method = http.MethodPost
	}
	var body any
	if call.Body != nil {
		body = call.Body
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, method, call.URL, body)
	if err != nil {
		return nil, err
	}
	if call.Body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if call.Token != "" {
		req.Header.Set("Authorization", "Bearer "+call.Token)
	}
	for name, value := range call.Header {
		req.Header.Set(name, value)
	}
	return req, nil
}

type repeatKey struct{}

// BeforeRepeat makes a call ask before it repeats itself after bytes were
// sent: a provider counts every try against its limit. A refusal ends the call
// with what it has.
func BeforeRepeat(ctx context.Context, ask func(context.Context) error) context.Context {
	return context.WithValue(ctx, repeatKey{}, ask)
}

// mayRepeat asks whoever wants to be asked.
func mayRepeat(ctx context.Context, x *exchange) bool {
	ask, ok := ctx.Value(repeatKey{}).(func(context.Context) error)
	return !ok || !x.sent || ask(ctx) == nil
}

// checkRetry is the hook that decides about a repeat; see Do.
func checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	x, ok := ctx.Value(exchangeKey{}).(*exchange)
	if !ok || ctx.Err() != nil || x.refused {
		return false, nil
	}
	if err != nil {
		return x.attempted && (x.repeatable || !x.sent) && mayRepeat(ctx, x), nil
	}
	return x.repeatable && resp.StatusCode >= 500 && mayRepeat(ctx, x), nil
}

// pause doubles with each try and takes up to half of itself off at random,
// so that calls which failed together do not come back together.
func pause(first, longest time.Duration, try int, _ *http.Response) time.Duration {
	d := min(first<<min(try, 16), longest)
	return d - rand.N(d/2+1)
}

// unsent is the error of a call of which nothing was written.
func unsent(code string, err error) *Error {
	return &Error{Fault: Unavailable, Scope: ScopeMessage, Code: code, Reason: omniflow.ProviderDown, Err: err}
}

// unmakeable is the error of a call that our own settings prevent.
func unmakeable(err error) *Error {
	e := Stop(omniflow.AccountStopped).Error("request", 0)
	e.Err = err
	return e
}
