package apiclient

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Problem is an answer other than 2xx: RFC 9457 application/problem+json with
// omniflow's code and rule.
//
//	{"title":"Unprocessable Entity","status":422,"detail":"no recipient is left",
//	 "code":"broadcast_empty","rule":"BRD-02","errors":[{"message":"…","location":"body.kind"}]}
type Problem struct {
	Status  int           `json:"status"`
	Title   string        `json:"title"`
	Detail  string        `json:"detail"`
	Code    string        `json:"code"`    // such as "not_found"; made from the status where the API gave none
	Rule    string        `json:"rule"`    // id in the specification; may be empty
	Message string        `json:"message"` // the console's Chinese text; may be empty
	Errors  []FieldDetail `json:"errors"`
}

// FieldDetail is one fault of a request that breaks the schema.
type FieldDetail struct {
	Message  string `json:"message"`
	Location string `json:"location"` // such as "body.audience.channels[0]"
}

// Error says the code, the detail and the rule on one line.
func (p *Problem) Error() string {
	text := p.Code
	if detail := p.Explanation(); detail != "" {
		text += ": " + detail
	}
	if p.Rule != "" {
		text += " (" + p.Rule + ")"
	}
	return text
}

// Explanation is the detail with every field's fault, on one line.
func (p *Problem) Explanation() string {
	parts := []string{}
	if p.Detail != "" {
		parts = append(parts, p.Detail)
	}
	for _, e := range p.Errors {
		parts = append(parts, strings.TrimSpace(strings.TrimPrefix(e.Location, "body.")+" "+e.Message))
	}
	return strings.Join(strings.Fields(strings.Join(parts, "; ")), " ")
}

// readProblem makes a Problem of any answer, also of a proxy's HTML page.
func readProblem(status int, body []byte) *Problem {
	p := &Problem{}
	if err := json.Unmarshal(body, p); err != nil {
		p = &Problem{}
	}
	p.Status = status
	if p.Code == "" {
		p.Code = codeOf(status)
	}
	if p.Detail == "" && len(p.Errors) == 0 {
		p.Detail = strings.TrimSpace(fmt.Sprintf("answer %d %s", status, strings.ToLower(http.StatusText(status))))
	}
	return p
}

// codeOf names an answer that carries no code of its own.
func codeOf(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "unauthenticated"
	case http.StatusForbidden:
		return "permission_denied"
	case http.StatusNotFound:
		return "not_found"
	case http.StatusRequestEntityTooLarge:
		return "body_too_large"
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return "input_invalid"
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return "api_unavailable"
	}
	return "internal_error"
}

// Unreachable means that no answer came, after every retry.
type Unreachable struct {
	URL string
	Err error
}

// Error says which API and why.
func (u *Unreachable) Error() string { return fmt.Sprintf("no answer from %s: %v", u.URL, u.Err) }

// Unwrap gives the cause.
func (u *Unreachable) Unwrap() error { return u.Err }
