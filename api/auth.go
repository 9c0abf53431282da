package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"

	"omniflow/internal/keyring"
	"omniflow/internal/omniflow"
)

// access says who may ask for an operation.
type access string

const (
	platformOnly  access = "platform"   // a platform token
	teamAdmin     access = "teamAdmin"  // a platform token, or an administrator of the path's team
	teamMember    access = "teamMember" // a platform token, or any active member of the path's team
	memberOnly    access = "member"     // any active member; the handler asks for more
	machinePrefix        = "omk_"
)

// identity is who sent a request, as known when it came.
type identity struct {
	Platform bool
	TeamID   uuid.UUID // of the member; for the platform, of the path, if it names one
	MemberID uuid.UUID // zero: the platform
	Actor    omniflow.Actor
}

type identityKey struct{}

// identityOf is who sent the request; every operation has passed authorize.
func identityOf(ctx context.Context) identity {
	who, _ := ctx.Value(identityKey{}).(identity)
	return who
}

// authorize lets a request pass whose sender may ask for the operation.
func (s *service) authorize(a access) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		who, err := s.identify(ctx.Context(), ctx.Header("Authorization"))
		if err == nil {
			err = s.permit(ctx.Context(), a, &who, ctx.Param("team_id"))
		}
		if err != nil {
			_, w := humago.Unwrap(ctx)
			p := s.problem(ctx.Context(), err)
			if p.Status == http.StatusUnauthorized {
				w.Header().Set("WWW-Authenticate", `Bearer realm="omniflow"`)
			}
			writeProblem(w, p)
			return
		}
		noteOf(ctx.Context()).teamID = who.TeamID.String()
		next(huma.WithValue(ctx, identityKey{}, who))
	}
}

var errUnauthenticated = &Problem{Type: "about:blank", Title: http.StatusText(http.StatusUnauthorized), Status: http.StatusUnauthorized,
	Code: codeUnauthenticated, Detail: "a valid bearer token or machine key is required"}

// identify finds out who holds a bearer token, and what that member may do now.
func (s *service) identify(ctx context.Context, header string) (identity, error) {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return identity{}, errUnauthenticated
	}
	who, err := s.holder(ctx, token)
	if err != nil || who.Platform {
		return who, err
	}
	who.Actor, err = s.store.LoadActor(ctx, who.TeamID, who.MemberID)
	if isRefusal(err, omniflow.NotFound) {
		return identity{}, errUnauthenticated
	}
	if err != nil {
		return identity{}, err
	}
	if no := who.Actor.PermitActive(); no != nil {
		return identity{}, no
	}
	return who, nil
}

// holder is whom a token or key was given to.
func (s *service) holder(ctx context.Context, token string) (identity, error) {
	if strings.HasPrefix(token, machinePrefix) {
		sum := sha256.Sum256([]byte(token))
		teamID, memberID, err := s.store.FindMachineKey(ctx, sum[:])
		if isRefusal(err, omniflow.NotFound) {
			return identity{}, errUnauthenticated
		}
		return identity{TeamID: teamID, MemberID: memberID}, err
	}
	claims, err := s.tokens.Verify(token, s.now())
	if err != nil {
		return identity{}, errUnauthenticated
	}
	return identity{Platform: claims.Scope == keyring.ScopePlatform, TeamID: claims.TeamID, MemberID: claims.MemberID}, nil
}

// permit checks who against a and, where the path names a team, against that.
// Another team's id is not_found, whoever asks (SYS-13).
func (s *service) permit(ctx context.Context, a access, who *identity, pathTeam string) error {
	switch {
	case a == platformOnly && !who.Platform:
		return omniflow.Refuse(omniflow.PermissionDenied, "ROL-04", "only the platform may do this")
	case a == memberOnly && who.Platform:
		return omniflow.Refuse(omniflow.PermissionDenied, "ROL-04", "a member's token is required: the platform belongs to no team")
	case a != teamAdmin && a != teamMember:
		return nil
	}
	notFound := omniflow.Refuse(omniflow.NotFound, "SYS-13", "there is no team with this id")
	teamID, err := uuid.Parse(pathTeam)
	switch {
	case err != nil:
		return notFound
	case who.Platform:
		who.TeamID = teamID
		_, err := s.store.LoadTeam(ctx, teamID)
		return err
	case teamID != who.TeamID:
		return notFound
	case a == teamAdmin && who.Actor.Role != omniflow.Administrator:
		return omniflow.Refuse(omniflow.PermissionDenied, "ROL-04", "only an administrator of the team may do this")
	}
	return nil
}

// permitOperate says whether who may watch and steer broadcasts: the roles
// that may send them, and the admin-type roles, who answer for the team.
func permitOperate(who identity) error {
	if who.Actor.Role.AdminType() {
		return nil
	}
	if no := who.Actor.Permit(omniflow.Broadcast, omniflow.Relation{}); no != nil {
		return no
	}
	return nil
}

func isRefusal(err error, code omniflow.Code) bool {
	var refusal *omniflow.Refusal
	return errors.As(err, &refusal) && refusal.Code == code
}

// badInput is a request that no schema could refuse.
func badInput(format string, args ...any) error {
	return omniflow.Refuse(omniflow.InvalidInput, "SYS-02", format, args...)
}
