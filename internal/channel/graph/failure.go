package graph

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"omniflow/internal/channel"
)

// Failure is the error object of the Graph envelope:
//
//	{"error":{"message":"(#130429) Rate limit hit","type":"OAuthException",
//	  "code":130429,"error_subcode":2494055,"fbtrace_id":"Az8…"}}
//
// The message is localised, may name the recipient, and is not read.
type Failure struct {
	Code    Scalar `json:"code"`
	Subcode Scalar `json:"error_subcode"`
	Trace   Scalar `json:"fbtrace_id"`
}

// answer is what a send is answered with, by all three channels.
type answer struct {
	Error     *Failure `json:"error"`
	MessageID Scalar   `json:"message_id"` // Messenger, Instagram
	Messages  []struct {
		ID Scalar `json:"id"`
	} `json:"messages"` // WhatsApp
}

func (a answer) id() string {
	if a.MessageID == "" && len(a.Messages) > 0 {
		return a.Messages[0].ID.String()
	}
	return a.MessageID.String()
}

// read tells an accepted message from a refused one, by the body and not by
// the HTTP status. What is neither is Ambiguous: an error page, an empty
// answer, half an answer.
func (t Table) read(ans channel.Answer) (string, error) {
	var a answer
	if err := json.Unmarshal(ans.Body, &a); err != nil {
		return "", channel.Unreadable(unreadable(ans.Status), ans)
	}
	if a.Error != nil && a.Error.Code != "" {
		return "", t.fault(*a.Error, ans)
	}
	if ans.Status < 200 || ans.Status > 299 || a.id() == "" {
		return "", channel.Unreadable(unreadable(ans.Status), ans)
	}
	return a.id(), nil
}

// unreadable names an answer without the JSON that belongs into it.
func unreadable(status int) string {
	if status >= 200 && status <= 299 {
		return "truncated"
	}
	return "http_" + strconv.Itoa(status)
}

// fault reads a confirmed error.
func (t Table) fault(f Failure, ans channel.Answer) *channel.Error {
	code, subcode := f.Code.Int(), f.Subcode.Int()
	rule, known := t.row(code, subcode)
	if !known {
		rule = t.Family(code, subcode)
	}
	if !known && ans.Status >= http.StatusInternalServerError {
		rule = channel.Lost() // a 5xx with a code that no table explains
	}
	e := rule.Error(t.Name(code, subcode), ans.Status)
	e.Trace = f.Trace.String()
	if e.Fault == channel.Throttled {
		e.RetryAfter = max(e.RetryAfter, regain(ans.Header))
	}
	return e
}

// usage is one entry of x-business-use-case-usage:
//
//	{"<id>":[{"type":"messenger","call_count":100,"estimated_time_to_regain_access":5}]}
type usage struct {
	Minutes Scalar `json:"estimated_time_to_regain_access"`
}

// regain is the longest time that the usage header asks us to wait, or 0.
func regain(header http.Header) time.Duration {
	var byObject map[string][]usage
	if json.Unmarshal([]byte(header.Get("X-Business-Use-Case-Usage")), &byObject) != nil {
		return 0
	}
	longest := 0
	for _, list := range byObject {
		for _, u := range list {
			longest = max(longest, min(u.Minutes.Int(), 24*60))
		}
	}
	return time.Duration(longest) * time.Minute
}
