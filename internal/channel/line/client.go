// Package line sends through the LINE Messaging API, by push and by multicast,
// and reads its webhooks.
//
// Source: shared/channels/line.md.
package line

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// Client is the provider LINE. It is safe for concurrent use, and keeps
// nothing between calls: the SDK's own clients share deadlines and retry keys
// between goroutines (section 14).
type Client struct {
	base string
	http *channel.HTTPClient
}

var (
	_ channel.Provider    = (*Client)(nil)
	_ channel.Multicaster = (*Client)(nil)
)

// New returns a client of the API at baseURL, such as https://api.line.me.
func New(baseURL string, http *channel.HTTPClient) *Client {
	return &Client{base: strings.TrimRight(baseURL, "/"), http: http}
}

// Send pushes 1 to 5 contents in one call under m.RetryKey. Within 24 hours of
// the first call the same key delivers nothing twice (section 5), so that a
// call without an answer is repeated here, and may be repeated by the caller.
//
// Errors: *channel.Error.
func (c *Client) Send(ctx context.Context, a channel.Account, m channel.Message) (channel.Receipt, error) {
	if err := channel.CheckQuote(m, omniflow.LINE); err != nil {
		return channel.Receipt{}, channel.Refused(err)
	}
	messages, err := newMessages(m.Contents)
	if err != nil {
		return channel.Receipt{}, channel.Refused(err)
	}
	if m.Recipient == "" {
		return channel.Receipt{}, channel.Refused(errNoRecipient)
	}
	return c.post(ctx, a, "/v2/bot/message/push", m.RetryKey, pushRequest{To: m.Recipient, Messages: messages})
}

// Multicast hands contents to recipients, all or nothing; see
// channel.Multicaster. The receipt has no message id, only a trace.
//
// Errors: *channel.Error.
func (c *Client) Multicast(
	ctx context.Context, a channel.Account, retryKey uuid.UUID,
	recipients []string, contents []omniflow.Content,
) (channel.Receipt, error) {
	messages, err := newMessages(contents)
	if err != nil {
		return channel.Receipt{}, channel.Refused(err)
	}
	if len(recipients) == 0 || len(recipients) > channel.MulticastMax {
		return channel.Receipt{}, channel.Refused(errRecipients)
	}
	return c.post(ctx, a, "/v2/bot/message/multicast", retryKey,
		multicastRequest{To: recipients, Messages: messages})
}

var (
	errNoToken     = errors.New("the account has no token")
	errNoRecipient = errors.New("the message has no recipient")
	errRecipients  = errors.New("a multicast has 1 to 500 recipients")
	errNoRetryKey  = errors.New("the message has no retry key")
)

func (c *Client) post(
	ctx context.Context, a channel.Account, path string, key uuid.UUID, body any,
) (channel.Receipt, error) {
	if a.Secrets.Token == "" {
		e := channel.Stop(omniflow.AccountStopped).Error("token", 0)
		e.Err = errNoToken
		return channel.Receipt{}, e
	}
	if key == uuid.Nil { // every message would be taken for the first one
		return channel.Receipt{}, channel.Refused(errNoRetryKey)
	}
	data, err := json.Marshal(body)
	if err != nil {
		return channel.Receipt{}, channel.Refused(err)
	}
	ans, err := c.http.Do(ctx, channel.Call{
		Method: http.MethodPost, URL: c.base + path, Token: a.Secrets.Token, Body: data,
		Header: map[string]string{"X-Line-Retry-Key": key.String()}, Repeatable: true,
	})
	if err != nil {
		return channel.Receipt{}, err
	}
	return read(ans)
}

// answer is what every call is answered with (section 6):
//
//	{"sentMessages":[{"id":"4612…","quoteToken":"…"}]}
//	{"message":"The request body has 1 error(s)","details":[{"message":"…","property":"messages[0].text"}]}
type answer struct {
	Message string `json:"message"`
	Details []struct {
		Message  string `json:"message"`
		Property string `json:"property"`
	} `json:"details"`
	Sent []struct {
		ID string `json:"id"`
	} `json:"sentMessages"`
}

// read tells an accepted call from a refused one. A 409 says that an earlier
// call with the key was accepted, and whose ids these are (section 5).
func read(ans channel.Answer) (channel.Receipt, error) {
	var body answer
	if err := json.Unmarshal(ans.Body, &body); err != nil {
		return channel.Receipt{}, channel.Unreadable(unreadable(ans.Status), ans)
	}
	receipt := channel.Receipt{At: ans.At, HTTPStatus: ans.Status, Trace: ans.Header.Get("X-Line-Request-Id")}
	if len(body.Sent) > 0 {
		receipt.ProviderID = body.Sent[0].ID
	}
	switch {
	case ans.Status >= 200 && ans.Status <= 299:
		return receipt, nil
	case ans.Status == http.StatusConflict && ans.Header.Get(acceptedHeader) != "":
		receipt.Trace = ans.Header.Get(acceptedHeader)
		return receipt, nil
	case ans.Status == http.StatusConflict && strings.Contains(body.Message, "retry key is already accepted"):
		return receipt, nil
	}
	return channel.Receipt{}, fault(body, ans)
}

// acceptedHeader carries the id of the call that won the retry key.
const acceptedHeader = "X-Line-Accepted-Request-Id"
