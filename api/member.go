package main

import (
	"context"
	"net/http"
	"net/mail"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

type createMemberInput struct {
	TeamPath
	Body struct {
		Name   string `json:"name" minLength:"1" maxLength:"200"`
		Email  string `json:"email,omitempty" maxLength:"320" doc:"An address such as jess@shop.example, or none."`
		Role   string `json:"role" doc:"One of the eight roles of ROL-01."`
		Store  string `json:"store,omitempty" maxLength:"200" doc:"The store to which a sales role is bound."`
		Region string `json:"region,omitempty" maxLength:"200" doc:"The region of that store."`
	}
}

type memberBody struct {
	ID        uuid.UUID            `json:"id"`
	TeamID    uuid.UUID            `json:"team_id"`
	Name      string               `json:"name"`
	Email     string               `json:"email,omitempty" doc:"For administrators only."`
	Role      omniflow.Role        `json:"role"`
	Store     string               `json:"store"`
	Region    string               `json:"region"`
	State     omniflow.MemberState `json:"state" doc:"Conversations are handed to active members only."`
	CreatedAt *time.Time           `json:"created_at,omitempty" doc:"For administrators only."`
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
	register(s, route{method: http.MethodGet, path: "/v1/teams/{team_id}/members", id: "list-members", summary: "List the members: to administrators with their e-mail addresses",
		access: teamMember}, s.listMembers)
}

func (s *service) createMember(ctx context.Context, in *createMemberInput) (*memberOutput, error) {
	role, no := omniflow.ParseRole(in.Body.Role)
	if no != nil {
		return nil, no
	}
	if no := checkEmail(in.Body.Email); no != nil {
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
	return &memberOutput{Body: colleague(m, true)}, nil
}

// checkEmail refuses with email_invalid what is no bare address; "" is none.
func checkEmail(email string) *omniflow.Refusal {
	if email == "" {
		return nil
	}
	if a, err := mail.ParseAddress(email); err != nil || a.Address != email {
		return omniflow.Refuse(omniflow.EmailInvalid, "SYS-02", "email must be an address such as jess@shop.example, or be left out")
	}
	return nil
}

// listMembers shows a team to whoever is in it: a follower must be able to find
// a receiver (CNV-12). What only administrators need is left out for the rest.
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
	who := identityOf(ctx)
	for i, m := range members {
		out.Body.Items[i] = colleague(m, who.Platform || who.Actor.Role == omniflow.Administrator)
	}
	out.Body.Next = nextAfter(members, in.Limit, func(m postgres.Member) string { return m.ID.String() })
	return out, nil
}

// colleague shows a member, all of it or what colleagues may see.
func colleague(m postgres.Member, all bool) memberBody {
	b := memberBody{ID: m.ID, TeamID: m.TeamID, Name: m.Name, Role: m.Role, Store: m.Store, Region: m.Region, State: m.State}
	if all {
		b.Email, b.CreatedAt = m.Email, &m.CreatedAt
	}
	return b
}
