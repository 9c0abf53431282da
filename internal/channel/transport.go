package channel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"omniflow/internal/omniflow"
)

// maxAnswerBytes is the longest answer that is read; providers send a few
// hundred bytes.
const maxAnswerBytes = 1 << 20

// newTransport is the pool of connections. It speaks HTTP/1.1 only: there a
// connection carries one call at a time, so that a cut one leaves one call
// ambiguous and not a hundred, and nothing below us ever repeats a POST of
// which bytes were written (Go's HTTP/2 does so after a PROTOCOL_ERROR).
func newTransport(o HTTPOptions) *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialAbruptly(dialer),
		TLSHandshakeTimeout:    5 * time.Second,
		ResponseHeaderTimeout:  o.AnswerWithin,
		MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConns:           2048,
		MaxIdleConnsPerHost:    512,
		IdleConnTimeout:        90 * time.Second,
		DisableCompression:     true, // answers are short
		Protocols:              new(http.Protocols),
	}
	t.Protocols.SetHTTP1(true)
	if o.LoopbackOnly {
		t.Proxy = nil
	}
	return t
}

// dialAbruptly makes connections whose closing drops what the kernel has not
// delivered yet: a call that was given up must not arrive a minute later, when
// its message may have been sent again.
func dialAbruptly(d *net.Dialer) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := d.DialContext(ctx, network, address)
		if tcp, ok := conn.(*net.TCPConn); ok && err == nil {
			err = tcp.SetLinger(0)
		}
		return conn, err
	}
}

// exchange is what one call and its repeats went through. Only the goroutine
// that makes the call touches it.
type exchange struct {
	repeatable bool
	attempted  bool   // the last error is one of ours
	refused    bool   // by the loopback guard
	sent       bool   // bytes of some try may have reached the provider, unanswered
	code       string // of the last error
	status     int    // of an answer that was cut
	body       []byte
	err        error
}

type exchangeKey struct{}

// fault turns the outcome of a failed exchange into an *Error. err is what
// the retrying client says; it adds nothing when a try was made.
func (x *exchange) fault(err error) *Error {
	switch {
	case x.refused:
		return unmakeable(x.err)
	case x.sent:
		e := Lost().Error(x.code, x.status)
		e.Err = x.err
		return e
	case x.err != nil:
		return unsent(x.code, x.err)
	}
	return unmakeable(withoutURL(err))
}

// meter is the transport that knows whether anything was written. A call
// counts as perhaps written from the moment it gets a connection.
type meter struct {
	base         *http.Transport
	loopbackOnly bool
}

var errNotLoopback = errors.New("this client talks to loopback only")

// RoundTrip makes one try and reads the whole answer, so that an answer cut in
// the middle is an error here.
func (m *meter) RoundTrip(req *http.Request) (*http.Response, error) {
	x, ok := req.Context().Value(exchangeKey{}).(*exchange)
	if !ok {
		return nil, errors.New("a call without its record")
	}
	x.attempted, x.status, x.body = true, 0, nil
	if m.loopbackOnly && !loopback(req.URL.Hostname()) {
		x.refused, x.err = true, errNotLoopback
		return nil, x.err
	}
	var sent atomic.Bool
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		// net/http takes another connection for the same POST only when it
		// wrote nothing to the one before.
		GetConn: func(string) { sent.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { sent.Store(true) },
	})
	resp, err := m.base.RoundTrip(req.WithContext(ctx))
	if err == nil {
		err = x.read(resp)
	}
	if err != nil {
		x.lose(req.Context(), err, sent.Load())
		return nil, x.err
	}
	x.err = nil
	if resp.StatusCode >= http.StatusInternalServerError {
		// An answer that does not say whether the message was taken; it
		// counts when the next try, if there is one, gets no answer at all.
		x.sent, x.code, x.status = true, fmt.Sprintf("http_%d", resp.StatusCode), resp.StatusCode
	}
	return resp, nil
}

// read takes the whole body of an answer.
func (x *exchange) read(resp *http.Response) error {
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes+1))
	resp.Body = http.NoBody
	if err == nil && len(body) > maxAnswerBytes {
		err = errTooLarge
	}
	if err != nil {
		x.status = resp.StatusCode
		return fmt.Errorf("read the answer: %w", err)
	}
	x.body = body
	return nil
}

var errTooLarge = fmt.Errorf("longer than %d bytes", maxAnswerBytes)

// lose notes the error of a try.
func (x *exchange) lose(ctx context.Context, err error, sent bool) {
	x.sent = x.sent || sent
	x.err = withoutURL(err)
	x.code = "dial"
	if x.sent {
		x.code = lossCode(ctx, err, x.status != 0)
	}
}

// lossCode names the way in which an answer got lost.
func lossCode(ctx context.Context, err error, answering bool) string {
	var timeout net.Error
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return "cancelled"
	case ctx.Err() != nil, errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, errTooLarge):
		return "too_large"
	case answering:
		return "truncated"
	}
	return "reset"
}

// withoutURL drops the address that net/http puts round its errors.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// loopback says whether a host is this machine, by address or as localhost.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Unreadable is the error of an answer that does not say what it should: a
// success without its JSON, or an error page of something in between. The
// message may have been taken.
func Unreadable(code string, ans Answer) *Error {
	return &Error{
		Fault: Ambiguous, Scope: ScopeMessage, Code: code,
		Reason: omniflow.OutcomeUnknown, HTTPStatus: ans.Status,
	}
}
