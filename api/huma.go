package main

import (
	"context"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"
)

// newHumaAPI makes the API that operations are registered with. Every answer
// that huma itself makes of a bad request becomes a Problem.
func newHumaAPI(mux humago.Mux) huma.API {
	config := huma.DefaultConfig("omniflow", "1")
	config.CreateHooks = nil // no $schema member in answers
	config.DocsPath = ""     // docs.go
	config.Info.Description = "Broadcasts, channel accounts and customers of an omnichannel messaging console."
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", Description: "A token of POST /v1/teams/{team_id}/tokens, or a machine key omk_…"},
	}
	config.Transformers = []huma.Transformer{func(_ huma.Context, _ string, v any) (any, error) {
		if e, ok := v.(*huma.ErrorModel); ok {
			return ofSchema(e), nil
		}
		return v, nil
	}}
	return humago.New(mux, config)
}

// maxBodyBytes bounds a JSON body: 100,000 conversation ids have 3.9 MB.
const maxBodyBytes = 8 << 20

// route is one operation of the API.
type route struct {
	method  string
	path    string
	id      string
	summary string
	access  access
	status  int   // of a success; 0 is 200
	maxBody int64 // 0 is maxBodyBytes
	raw     bool  // the handler reads the body itself
	form    bool  // and the body is a form with one file, not CSV
}

// register adds one operation: who may ask, idempotency, schema, handler.
func register[I, O any](s *service, r route, handle func(context.Context, *I) (*O, error)) {
	if r.maxBody == 0 {
		r.maxBody = maxBodyBytes
	}
	operation := huma.Operation{
		OperationID: r.id, Method: r.method, Path: r.path, Summary: r.summary, DefaultStatus: r.status,
		Tags: []string{tagOf(r.path)}, Security: []map[string][]string{{"bearer": {}}},
		MaxBodyBytes: r.maxBody, BodyReadTimeout: 20 * time.Second,
		Middlewares: huma.Middlewares{s.authorize(r.access), s.limitBody(r.maxBody), s.idempotent},
		Responses:   map[string]*huma.Response{"default": problemResponse(s.api)},
	}
	if r.raw {
		operation.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}}}
		operation.Middlewares = append(operation.Middlewares, passBody)
	}
	huma.Register(s.api, operation, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return out, nil
	})
	if r.form {
		// Only now: of an object huma would read and check the body itself.
		operation.RequestBody.Content = fileForm
	}
}

// fileForm is the schema of a form with one file.
var fileForm = map[string]*huma.MediaType{"multipart/form-data": {Schema: &huma.Schema{Type: huma.TypeObject, Required: []string{"file"},
	Properties: map[string]*huma.Schema{"file": {Type: huma.TypeString, Format: "binary"}}}}}

// tagOf groups operations by the noun in their path.
func tagOf(path string) string {
	parts := strings.Split(strings.TrimPrefix(path, "/v1/"), "/")
	if len(parts) > 2 && parts[0] == "teams" {
		parts = parts[2:]
	}
	noun, _, _ := strings.Cut(parts[0], ":")
	return noun
}

func problemResponse(api huma.API) *huma.Response {
	schema := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	return &huma.Response{Description: "A problem", Content: map[string]*huma.MediaType{"application/problem+json": {Schema: schema}}}
}

// limitBody refuses a body that says it is too long before reading any of it,
// and one that turns out to be while it is read.
func (s *service) limitBody(limit int64) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		if r.ContentLength > limit {
			w.Header().Set("Connection", "close")
			writeProblem(w, s.problem(ctx.Context(), bodyTooLarge(limit)))
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		next(ctx)
	}
}

type bodyKey struct{}

// passBody hands the request itself to a handler that reads the body, within
// importBudget.
func passBody(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	// A writer without deadlines holds a body that is read already.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(importBudget))
	next(huma.WithValue(ctx, bodyKey{}, r))
}

// PageInput is the query of a list.
type PageInput struct {
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"Items at most."`
	After string `query:"after" doc:"The next of the page before."`
}

// listBody is one page of a list.
type listBody[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next" doc:"Empty on the last page."`
}

// after reads a cursor that is an id.
func (p PageInput) after() (uuid.UUID, error) {
	if p.After == "" {
		return uuid.Nil, nil
	}
	id, err := uuid.Parse(p.After)
	if err != nil {
		return uuid.Nil, badInput("after is not the next of a page")
	}
	return id, nil
}

// nextAfter is the cursor behind the last of items, "" on the last page.
func nextAfter[T any](items []T, limit int, cursor func(T) string) string {
	if len(items) < limit || len(items) == 0 {
		return ""
	}
	return cursor(items[len(items)-1])
}
