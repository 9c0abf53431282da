package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
	"omniflow/internal/temporalclient"
)

// The codes that only the API gives.
const (
	codeUnauthenticated     omniflow.Code = "unauthenticated"
	codeKeyReused           omniflow.Code = "idempotency_key_reused"
	codeInProgress          omniflow.Code = "idempotency_in_progress"
	codeEngineUnavailable   omniflow.Code = "engine_unavailable"
	codeDatabaseUnavailable omniflow.Code = "database_unavailable"
	codeInternal            omniflow.Code = "internal_error"
	codeMethodNotAllowed    omniflow.Code = "method_not_allowed"
)

// Problem is every answer that is not a success (RFC 9457).
type Problem struct {
	Type     string              `json:"type" doc:"Always about:blank: the code tells problems apart."`
	Title    string              `json:"title"`
	Status   int                 `json:"status"`
	Detail   string              `json:"detail" doc:"What is wrong, in English."`
	Code     omniflow.Code       `json:"code" doc:"Stable; compare this, never a text."`
	Rule     string              `json:"rule,omitempty" doc:"Rule of the specification, such as BRD-05."`
	Message  string              `json:"message,omitempty" doc:"The console's text, in Chinese, where there is one."`
	Channels []omniflow.Channel  `json:"channels,omitempty" doc:"The channels it is about."`
	Errors   []*huma.ErrorDetail `json:"errors,omitempty" doc:"Every fault of a request that breaks the schema."`
}

func newProblem(status int, code omniflow.Code, detail string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
}

// Error implements error.
func (p *Problem) Error() string { return string(p.Code) + ": " + p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// refusalStatus is the status of a refusal: 422 unless the table says otherwise.
func refusalStatus(code omniflow.Code) int {
	switch code {
	case omniflow.PermissionDenied, omniflow.PlanRequired, omniflow.FeatureDisabled, omniflow.ActorInactive:
		return http.StatusForbidden
	case omniflow.NotFound:
		return http.StatusNotFound
	case omniflow.BodyTooLarge:
		return http.StatusRequestEntityTooLarge
	case omniflow.SignatureInvalid, codeUnauthenticated:
		return http.StatusUnauthorized
	case omniflow.BroadcastFinished, omniflow.VersionConflict, codeKeyReused, codeInProgress:
		return http.StatusConflict
	}
	return http.StatusUnprocessableEntity
}

// problem is the one place where an error becomes an answer. What it does not
// know is 500, its detail in the log only.
func (s *service) problem(ctx context.Context, err error) *Problem {
	p := s.asProblem(ctx, err)
	noteOf(ctx).code = string(p.Code)
	return p
}

func (s *service) asProblem(ctx context.Context, err error) *Problem {
	var p *Problem
	var refusal *omniflow.Refusal
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &refusal):
		return ofRefusal(refusal)
	case errors.As(err, &tooLarge):
		return bodyTooLarge(tooLarge.Limit)
	case errors.Is(err, temporalclient.ErrUnavailable):
		s.log.WarnContext(ctx, "engine unavailable", "error", err)
		return newProblem(http.StatusServiceUnavailable, codeEngineUnavailable,
			"the workflow engine or its worker does not answer; see /readyz, start them and ask again: asking twice changes nothing twice")
	case postgres.Unavailable(err):
		s.log.WarnContext(ctx, "database unavailable", "error", err)
		return newProblem(http.StatusServiceUnavailable, codeDatabaseUnavailable, "the database does not answer; see /readyz and ask again")
	case postgres.BadText(err):
		return ofRefusal(omniflow.Refuse(omniflow.InvalidInput, "SYS-02", "a text is not valid Unicode, or holds a NUL"))
	case ctx.Err() != nil:
		return newProblem(499, codeInternal, "the client went away")
	}
	s.log.ErrorContext(ctx, "internal error", "error", err)
	return newProblem(http.StatusInternalServerError, codeInternal, "internal error")
}

func ofRefusal(r *omniflow.Refusal) *Problem {
	p := newProblem(refusalStatus(r.Code), r.Code, r.Detail)
	p.Rule, p.Message, p.Channels = r.Rule, r.Text(), r.Channels
	return p
}

func bodyTooLarge(limit int64) *Problem {
	return ofRefusal(omniflow.Refuse(omniflow.BodyTooLarge, "SYS-02", "the body is longer than %d bytes; nothing was stored", limit))
}

// ofSchema makes a Problem of what huma says about a request that breaks the
// schema. Values are not echoed: they may be a customer's.
func ofSchema(e *huma.ErrorModel) *Problem {
	code := omniflow.InvalidInput
	switch e.Status {
	case http.StatusRequestEntityTooLarge:
		code = omniflow.BodyTooLarge
	case http.StatusInternalServerError:
		code = codeInternal
	}
	detail := e.Detail
	if e.Status == http.StatusUnsupportedMediaType {
		detail = "the body is not taken as what the request says it is: send Content-Type: application/json"
	}
	p := newProblem(e.Status, code, detail)
	for _, d := range e.Errors {
		if d != nil {
			p.Errors = append(p.Errors, &huma.ErrorDetail{Message: readable(d), Location: d.Location})
		}
	}
	return p
}

// readable says in our words what is said about an id. Which field of a body it
// is in is not known here.
func readable(d *huma.ErrorDetail) string {
	if !strings.Contains(d.Message, "invalid UUID") {
		return d.Message
	}
	message := "must be an id such as 01a1f917-f04c-736b-8e47-429ded45f955, not a number or a name"
	if d.Location == "body" {
		return "has a field that " + message
	}
	return message
}

// writeProblem answers outside huma.
func writeProblem(w http.ResponseWriter, p *Problem) {
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	// A client that is gone cannot be told so.
	_ = json.NewEncoder(w).Encode(p)
}
