package main

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/postgres"
)

type bindInput struct {
	TeamPath
	Body struct {
		MemberID   uuid.UUID `json:"member_id"`
		CustomerID string    `json:"customer_id" minLength:"1" maxLength:"200"`
	}
}

type unbindInput struct {
	TeamPath
	MemberID   uuid.UUID `query:"member_id" required:"true"`
	CustomerID string    `query:"customer_id" required:"true"`
}

type listBindingsInput struct {
	TeamPath
	PageInput
	MemberID uuid.UUID `query:"member_id" required:"true"`
}

type bindingBody struct {
	MemberID   uuid.UUID `json:"member_id"`
	ContactID  uuid.UUID `json:"contact_id"`
	CustomerID string    `json:"customer_id"`
	CreatedAt  time.Time `json:"created_at"`
}

type bindingOutput struct{ Body bindingBody }

type bindingListOutput struct{ Body listBody[bindingBody] }

func (s *service) addBindings() {
	const path = "/v1/teams/{team_id}/bindings"
	register(s, route{method: http.MethodPost, path: path, id: "bind-customer", summary: "Bind a customer to a member",
		access: teamAdmin, status: http.StatusCreated}, s.bindCustomer)
	register(s, route{method: http.MethodGet, path: path, id: "list-bindings", summary: "List the customers bound to a member", access: teamAdmin}, s.listBindings)
	register(s, route{method: http.MethodDelete, path: path, id: "unbind-customer", summary: "End a binding",
		access: teamAdmin, status: http.StatusNoContent}, s.unbindCustomer)
}

func (s *service) bindCustomer(ctx context.Context, in *bindInput) (*bindingOutput, error) {
	b, err := s.store.BindCustomer(ctx, in.TeamID, in.Body.MemberID, in.Body.CustomerID)
	if err != nil {
		return nil, err
	}
	return &bindingOutput{Body: bindingBody(b)}, nil
}

func (s *service) unbindCustomer(ctx context.Context, in *unbindInput) (*struct{}, error) {
	return nil, s.store.UnbindCustomer(ctx, in.TeamID, in.MemberID, in.CustomerID)
}

func (s *service) listBindings(ctx context.Context, in *listBindingsInput) (*bindingListOutput, error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	list, err := s.store.ListBindings(ctx, in.TeamID, in.MemberID, postgres.Page{After: after, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &bindingListOutput{Body: listBody[bindingBody]{Items: make([]bindingBody, len(list))}}
	for i, b := range list {
		out.Body.Items[i] = bindingBody(b)
	}
	out.Body.Next = nextAfter(list, in.Limit, func(b postgres.Binding) string { return b.ContactID.String() })
	return out, nil
}
