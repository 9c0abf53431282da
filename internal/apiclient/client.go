// Package apiclient speaks omniflow's HTTP API for programs: the starter, the
// demo and the end-to-end tests. It knows the API's JSON only and imports
// nothing of the server.
//
// Every POST carries an Idempotency-Key, so a request whose answer was lost is
// asked again with the same key and does its work once. GET, PUT and POST are
// repeated after connection errors, 502, 503 and 409 idempotency_in_progress.
package apiclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-retryablehttp"
)

// DefaultURL is where a local API listens.
const DefaultURL = "http://127.0.0.1:8080"

// maxAnswerBytes bounds an answer that is read whole: a page of 200 recipients
// has about 60 kB.
const maxAnswerBytes = 32 << 20

// Client is one actor's access to the API. Make it with New; it may be used
// from several goroutines.
type Client struct {
	base   string
	token  string
	http   *retryablehttp.Client
	stream *http.Client // no retries, no time limit: progress streams

	raw       func([]byte)
	pollEvery time.Duration
	silence   time.Duration
	patience  time.Duration
}

// Option changes a Client while New makes it.
type Option func(*Client)

// Retries sets how often a request is asked again; 8 by default, which is
// about 5 s of pauses: 0.1, 0.2, 0.4, 0.8 s, then 1 s each.
func Retries(n int) Option { return func(c *Client) { c.http.RetryMax = n } }

// Pauses sets the shortest and the longest pause before a request is asked
// again, and between two polls of a progress; 0.1 s and 1 s by default.
func Pauses(shortest, longest time.Duration) Option {
	return func(c *Client) {
		c.http.RetryWaitMin, c.http.RetryWaitMax, c.pollEvery = shortest, longest, longest
	}
}

// Raw lets f see the body of every successful answer, as the API wrote it.
func Raw(f func([]byte)) Option { return func(c *Client) { c.raw = f } }

// Patience sets how long Watch outlives an API that does not answer; 2 min by default.
func Patience(d time.Duration) Option { return func(c *Client) { c.patience = d } }

// New makes a client of the API at base, such as [DefaultURL], that acts with
// the bearer token: a JWT or a machine key.
func New(base, token string, options ...Option) *Client {
	h := retryablehttp.NewClient()
	h.Logger = nil
	h.RetryMax, h.RetryWaitMin, h.RetryWaitMax = 8, 100*time.Millisecond, time.Second
	h.CheckRetry = mayAskAgain
	h.ErrorHandler = retryablehttp.PassthroughErrorHandler
	h.HTTPClient.Timeout = 2 * time.Minute // an import of 64 MiB
	c := &Client{
		base: strings.TrimRight(base, "/"), token: token, http: h,
		stream:    &http.Client{Transport: h.HTTPClient.Transport},
		pollEvery: time.Second, silence: 30 * time.Second, patience: 2 * time.Minute,
	}
	for _, o := range options {
		o(c)
	}
	return c
}

// WithToken is the same client acting as somebody else.
func (c *Client) WithToken(token string) *Client {
	other := *c
	other.token = token
	return &other
}

// With is the same client with Raw or Patience changed.
func (c *Client) With(options ...Option) *Client {
	other := *c
	for _, o := range options {
		o(&other)
	}
	return &other
}

// request is one call: what to ask and where the answer goes.
type request struct {
	method, path string
	query        url.Values
	key          string // Idempotency-Key; "" makes a random one for a POST
	contentType  string // of a []byte body
	body         any    // []byte as it is, nil none, anything else as JSON
	out          any    // gets the JSON answer; nil drops it
}

// do asks and decodes. Errors: *Problem when the API refused, *Unreachable when
// no answer came.
func (c *Client) do(ctx context.Context, r request) error {
	req, err := c.build(ctx, r)
	if err != nil {
		return err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return c.unreachable(ctx, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswerBytes))
	if err != nil {
		return c.unreachable(ctx, err)
	}
	slog.Debug("api call", "method", r.method, "path", r.path, "status", res.StatusCode)
	if res.StatusCode >= 300 {
		return readProblem(res.StatusCode, body)
	}
	if c.raw != nil {
		c.raw(body)
	}
	if r.out == nil || len(body) == 0 {
		return nil
	}
	if err := json.Unmarshal(body, r.out); err != nil {
		return fmt.Errorf("read the answer to %s %s: %w", r.method, r.path, err)
	}
	return nil
}

func (c *Client) build(ctx context.Context, r request) (*retryablehttp.Request, error) {
	body, ok := r.body.([]byte)
	if !ok && r.body != nil {
		encoded, err := json.Marshal(r.body)
		if err != nil {
			return nil, fmt.Errorf("encode %s %s: %w", r.method, r.path, err)
		}
		body, r.contentType = encoded, "application/json"
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, r.method, c.url(r.path, r.query), bodyOf(body))
	if err != nil {
		return nil, fmt.Errorf("make request %s %s: %w", r.method, r.path, err)
	}
	c.authorize(req.Request)
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	if r.method == http.MethodPost {
		if r.key == "" {
			r.key = uuid.NewString()
		}
		req.Header.Set("Idempotency-Key", r.key)
	}
	return req, nil
}

// bodyOf keeps a missing body a nil interface.
func bodyOf(body []byte) any {
	if body == nil {
		return nil
	}
	return bytes.NewReader(body)
}

func (c *Client) url(path string, query url.Values) string {
	if len(query) == 0 {
		return c.base + path
	}
	return c.base + path + "?" + query.Encode()
}

func (c *Client) authorize(r *http.Request) {
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
}

func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var e *url.Error
	if errors.As(err, &e) {
		err = e.Err
	}
	return &Unreachable{URL: c.base, Err: err}
}
