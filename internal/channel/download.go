package channel

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"omniflow/internal/omniflow"
)

// maxRedirects is how often a download may be sent elsewhere.
const maxRedirects = 3

// Download is one file to be fetched. A link may come from a webhook, whose
// content a customer may have a hand in: it is followed to the named places
// only, and so is every redirect.
type Download struct {
	URL   string
	Token string // goes into the Authorization header of the first request; "" for none
	// Base is the address of the provider's API. What lies at its host is
	// fetched as it is: a simulator has its files there.
	Base string
	// Domains are where the provider's files lie, with their subdomains: https
	// only, and at public addresses only.
	Domains []string
}

var (
	errForeignLink = errors.New("the link leads elsewhere than to the provider")
	errNoPublic    = errors.New("the address is not a public one")
)

// Open begins a download. The file is not read: its caller does that.
//
// Errors: *Error, as Fetcher says. A link that leads elsewhere is Rejected with
// media_unavailable, and nothing is asked of anybody.
func (c *HTTPClient) Open(ctx context.Context, d Download) (File, error) {
	target, err := url.Parse(d.URL)
	if err != nil || !d.allows(target) {
		e := Gone("foreign_link", 0)
		e.Err = errForeignLink
		return File{}, e
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.URL, nil)
	if err != nil {
		return File{}, unmakeable(errBadURL)
	}
	if d.Token != "" {
		req.Header.Set("Authorization", "Bearer "+d.Token)
	}
	client := http.Client{Transport: route{client: c, of: d}, CheckRedirect: d.follow}
	resp, err := client.Do(req)
	if err != nil {
		return File{}, unopened(ctx, err)
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		return File{}, d.refused(resp)
	}
	return File{Body: resp.Body, MIME: resp.Header.Get("Content-Type"), Bytes: resp.ContentLength}, nil
}

// follow decides about a redirect.
func (d Download) follow(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects || !d.allows(req.URL) {
		return errForeignLink
	}
	return nil
}

// allows says whether anything is fetched from u at all.
func (d Download) allows(u *url.URL) bool { return d.atBase(u) || d.atDomain(u) }

// atBase says whether u lies at the provider's API.
func (d Download) atBase(u *url.URL) bool {
	base, err := url.Parse(d.Base)
	return err == nil && base.Host != "" && u.Scheme == base.Scheme && u.Host == base.Host && u.User == nil
}

func (d Download) atDomain(u *url.URL) bool {
	if u.Scheme != "https" || u.User != nil || u.Port() != "" && u.Port() != "443" {
		return false
	}
	host := strings.ToLower(u.Hostname())
	return slices.ContainsFunc(d.Domains, func(domain string) bool {
		return host == domain || strings.HasSuffix(host, "."+domain)
	})
}

// route takes a request to the provider's API by the ordinary connections, and
// one to any other place by those that reach public addresses only.
type route struct {
	client *HTTPClient
	of     Download
}

// RoundTrip implements http.RoundTripper.
func (r route) RoundTrip(req *http.Request) (*http.Response, error) {
	if r.client.loopbackOnly && !loopback(req.URL.Hostname()) {
		return nil, errNotLoopback
	}
	if r.of.atBase(req.URL) {
		return r.client.base.RoundTrip(req)
	}
	return r.client.guarded.RoundTrip(req)
}

// unopened is the error of a download that got no answer.
func unopened(ctx context.Context, err error) *Error {
	switch {
	case errors.Is(err, errForeignLink), errors.Is(err, errNoPublic):
		e := Gone("foreign_link", 0)
		e.Err = withoutURL(err)
		return e
	case errors.Is(err, errNotLoopback):
		return unmakeable(errNotLoopback)
	case errors.Is(ctx.Err(), context.Canceled):
		return unsent("cancelled", withoutURL(err))
	}
	return unsent("dial", withoutURL(err))
}

// refused reads an answer that is no file. A link without a token is its own
// permission, so that 401 and 403 mean that it has lapsed.
func (d Download) refused(resp *http.Response) *Error {
	code := strconv.Itoa(resp.StatusCode)
	switch status := resp.StatusCode; {
	case status == http.StatusNotFound || status == http.StatusGone:
		return Gone(code, status)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		if d.Token == "" {
			return Gone(code, status)
		}
		return Stop(omniflow.AccountStopped).Error(code, status)
	case status == http.StatusTooManyRequests:
		return Throttle(ScopeAccount, time.Minute).Error(code, status)
	case status >= 400 && status < 500 && status != http.StatusRequestTimeout:
		return Gone(code, status)
	}
	e := Down(0).Error(code, resp.StatusCode) // 202: the provider prepares it still
	e.Err = fmt.Errorf("http status %d", resp.StatusCode)
	return e
}
