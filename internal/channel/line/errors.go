package line

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// row is one line of the table of section 6. LINE has no numeric codes: the
// HTTP status decides, and where it is not enough a part of the message.
type row struct {
	status int
	text   string // part of the message; "" is any
	rule   channel.Rule
}

// rows are read from the top; the first that fits decides.
var rows = []row{
	{400, "Failed to send messages", channel.Terminal(omniflow.Unreachable)},
	{400, "", channel.Terminal(omniflow.ProviderRejected)},
	{401, "", channel.Stop(omniflow.AccountStopped)},
	{403, "", channel.Stop(omniflow.AccountStopped)},
	{404, "", channel.Terminal(omniflow.ProviderRejected)},
	{409, "", channel.Lost()}, // without the id of an accepted call: see read
	{410, "", channel.Terminal(omniflow.ProviderRejected)},
	{413, "", channel.Terminal(omniflow.ProviderRejected)},
	{415, "", channel.Terminal(omniflow.ProviderRejected)},
	{422, "", channel.Terminal(omniflow.Unreachable)},
	{429, "monthly limit", channel.Stop(omniflow.QuotaExhausted)},
	{429, "rate limit", channel.Throttle(channel.ScopeAccount, time.Second)},
	// "Too many messages to the same user" has no documented text.
	{429, "", channel.Throttle(channel.ScopeMessage, time.Minute)},
}

// rule finds the rule of an answer that is JSON: a 5xx is ambiguous, any other
// unlisted status terminal.
func rule(status int, message string) channel.Rule {
	for _, r := range rows {
		if r.status == status && strings.Contains(strings.ToLower(message), strings.ToLower(r.text)) {
			return r.rule
		}
	}
	if status >= http.StatusInternalServerError {
		return channel.Lost()
	}
	return channel.Terminal(omniflow.ProviderRejected)
}

// fault reads a confirmed error. The code is the HTTP status.
func fault(body answer, ans channel.Answer) *channel.Error {
	e := rule(ans.Status, body.Message).Error(strconv.Itoa(ans.Status), ans.Status)
	e.Trace, e.Doubtful = ans.Header.Get("X-Line-Request-Id"), ans.Doubtful
	if ans.Status == http.StatusBadRequest {
		e.Recipients = refused(body)
	}
	if len(e.Recipients) > 0 {
		e.Reason = omniflow.Unreachable
	}
	return e
}

// indexed finds the recipients that an error of a multicast names:
// "The property, to[1], in the request body is invalid (line: -, column: -)".
var indexed = regexp.MustCompile(`\bto\[(\d{1,3})\]`)

// refused are the indexes of the recipients that an answer names, ascending.
func refused(body answer) []int {
	texts := []string{body.Message}
	for _, d := range body.Details {
		texts = append(texts, d.Property, d.Message)
	}
	var indexes []int
	for _, t := range texts {
		for _, match := range indexed.FindAllStringSubmatch(t, -1) {
			n, err := strconv.Atoi(match[1])
			if err == nil && n < channel.MulticastMax {
				indexes = append(indexes, n)
			}
		}
	}
	slices.Sort(indexes)
	return slices.Compact(indexes)
}

// unreadable names an answer without the JSON that belongs into it.
func unreadable(status int) string {
	if status >= 200 && status <= 299 {
		return "truncated"
	}
	return "http_" + strconv.Itoa(status)
}
