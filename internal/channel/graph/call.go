package graph

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// Call is one call that sends no message.
type Call struct {
	Method string     // "" is POST
	Path   []string   // below the version, not escaped
	Query  url.Values // may be nil
	Body   any        // as JSON; nil is none. A DELETE may have one
}

var errNoPath = errors.New("an id of the path is missing")

// Do makes the call, and a GET again where it got no answer or a 5xx. The
// answer is a JSON object; what it holds is the caller's to read, also beside
// an error.
//
// Errors: *channel.Error. A GET that got no answer is Unavailable, because
// reading twice does no harm; any other call is Ambiguous.
func (c *Client) Do(ctx context.Context, a channel.Account, call Call) (channel.Answer, error) {
	target, err := c.target(a, call)
	if err != nil {
		return channel.Answer{}, err
	}
	request := channel.Call{Method: call.Method, URL: target, Token: a.Secrets.Token}
	if call.Body != nil {
		if request.Body, err = json.Marshal(call.Body); err != nil {
			return channel.Answer{}, channel.Refused(err)
		}
	}
	ans, err := c.http.Do(ctx, request)
	if err == nil {
		err = c.table.refusal(ans)
	}
	return ans, readAgain(call.Method, err)
}

func (c *Client) target(a channel.Account, call Call) (string, error) {
	if a.Secrets.Token == "" || a.ExternalID == "" {
		e := channel.Stop(omniflow.AccountStopped).Error("token", 0)
		e.Err = errNoToken
		return "", e
	}
	var b strings.Builder
	b.WriteString(c.base + "/" + Version)
	for _, part := range call.Path {
		if part == "" || part == "." || part == ".." {
			return "", channel.Refused(errNoPath)
		}
		b.WriteString("/" + url.PathEscape(part))
	}
	if len(call.Query) > 0 {
		b.WriteString("?" + call.Query.Encode())
	}
	return b.String(), nil
}

// refusal is the error that an answer tells, or that it is no answer at all.
func (t Table) refusal(ans channel.Answer) error {
	var a struct {
		Error *Failure `json:"error"`
	}
	if json.Unmarshal(ans.Body, &a) != nil {
		return channel.Unreadable(unreadable(ans.Status), ans)
	}
	if a.Error != nil && a.Error.Code != "" {
		return t.fault(*a.Error, ans)
	}
	if ans.Status < 200 || ans.Status > 299 {
		return channel.Unreadable(unreadable(ans.Status), ans)
	}
	return nil
}

// readAgain turns the loss of a GET's answer into a fault that is retried.
func readAgain(method string, err error) error {
	e, ok := err.(*channel.Error)
	if ok && method == http.MethodGet && e.Fault == channel.Ambiguous {
		e.Fault, e.Reason = channel.Unavailable, omniflow.ProviderDown
	}
	return err
}

// Incomplete is the error of a success that does not say what it should.
func Incomplete(method string, ans channel.Answer) error {
	return readAgain(method, channel.Unreadable("truncated", ans))
}

// Trace is the id of an answer that Meta's support asks for.
func Trace(ans channel.Answer) string { return trace(ans) }
