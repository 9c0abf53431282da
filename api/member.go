package main

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

type createMemberInput struct {
	TeamPath
	Body struct {
		Name   string `json:"name" minLength:"1" maxLength:"200"`
		Email  string `json:"email,omitempty" maxLength:"320"`
		Role   string `json:"role" doc:"One of the eight roles of ROL-01."`
		Store  string `json:"store,omitempty" maxLength:"200" doc:"The store to which a sales role is bound."`
		Region string `json:"region,omitempty" maxLength:"200" doc:"The region of that store."`
	}
}

type memberBody struct {
	ID        uuid.UUID            `json:"id"`
	TeamID    uuid.UUID            `json:"team_id"`
	Name      string               `json:"name"`
	Email     string               `json:"email"`
	Role      omniflow.Role        `json:"role"`
	Store     string               `json:"store"`
	Region    string               `json:"region"`
	State     omniflow.MemberState `json:"state"`
	CreatedAt time.Time            `json:"created_at"`
}

type memberOutput struct{ Body memberBody }

type listMembersInput struct {
	TeamPath
	PageInput
}

type memberListOutput struct{ Body listBody[memberBody] }

func (s *service) addMembers() {
	register(s, route{method: http.MethodPost, path: "/v1/teams/{team_id}/members", id: "create-member", summary: "Add a member",
		access: teamAdmin, status: http.StatusCreated}, s.createMember)
	register(s, route{method: http.MethodGet, path: "/v1/teams/{team_id}/members", id: "list-members", summary: "List the members",
		access: teamAdmin}, s.listMembers)
}

func (s *service) createMember(ctx context.Context, in *createMemberInput) (*memberOutput, error) {
	role, no := omniflow.ParseRole(in.Body.Role)
	if no != nil {
		return nil, no
	}
	team, err := s.store.LoadTeam(ctx, in.TeamID)
	if err != nil {
		return nil, err
	}
	if no := (omniflow.Team{Plan: team.Plan}).PermitRole(role); no != nil {
		return nil, no
	}
	m, err := s.store.CreateMember(ctx, postgres.Member{ID: newResourceID(ctx), TeamID: in.TeamID, Name: in.Body.Name, Email: in.Body.Email, Role: role,
		Store: in.Body.Store, Region: in.Body.Region})
	if err != nil {
		return nil, err
	}
	return &memberOutput{Body: memberBody(m)}, nil
}

func (s *service) listMembers(ctx context.Context, in *listMembersInput) (*memberListOutput, error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	members, err := s.store.ListMembers(ctx, in.TeamID, postgres.Page{After: after, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &memberListOutput{Body: listBody[memberBody]{Items: make([]memberBody, len(members))}}
	for i, m := range members {
		out.Body.Items[i] = memberBody(m)
	}
	out.Body.Next = nextAfter(members, in.Limit, func(m postgres.Member) string { return m.ID.String() })
	return out, nil
}
