package main

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/keyring"
	"omniflow/internal/omniflow"
)

type createTokenInput struct {
	TeamPath
	Body struct {
		MemberID         uuid.UUID `json:"member_id"`
		ExpiresInSeconds int       `json:"expires_in_seconds,omitempty" minimum:"1" maximum:"2592000" default:"86400"`
	}
}

type tokenOutput struct {
	Body struct {
		Token     string    `json:"token"`
		ExpiresAt time.Time `json:"expires_at"`
	}
}

func (s *service) addTokens() {
	register(s, route{method: http.MethodPost, path: "/v1/teams/{team_id}/tokens", id: "create-token", summary: "Mint a token that acts as a member",
		access: teamAdmin, status: http.StatusCreated}, s.createToken)
}

func (s *service) createToken(ctx context.Context, in *createTokenInput) (*tokenOutput, error) {
	member, err := s.store.LoadMember(ctx, in.TeamID, in.Body.MemberID)
	if err != nil {
		return nil, err
	}
	if no := (omniflow.Actor{State: member.State}).PermitActive(); no != nil {
		return nil, no
	}
	expires := s.now().Add(time.Duration(in.Body.ExpiresInSeconds) * time.Second).UTC().Truncate(time.Second)
	token, err := s.tokens.Sign(keyring.Claims{Scope: keyring.ScopeMember, TeamID: in.TeamID, MemberID: member.ID, ExpiresAt: expires})
	if err != nil {
		return nil, err
	}
	out := &tokenOutput{}
	out.Body.Token, out.Body.ExpiresAt = token, expires
	return out, nil
}
