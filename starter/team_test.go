package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/keyring"
)

func TestNoTeam(t *testing.T) {
	t.Parallel()
	s := newShell(t, answer(200, `{}`))
	s.env["OMNIFLOW_TEAM"] = ""
	code, _, errs := s.run(context.Background(), "account", "list")
	require.Equal(t, 2, code)
	require.Contains(t, errs, "no team: give --team or set OMNIFLOW_TEAM")
	tokens, err := keyring.ParseTokens(keyring.NewKey("k1"))
	require.NoError(t, err)
	team := uuid.New()
	s.env["OMNIFLOW_TOKEN"] = memberToken(t, tokens, team)
	code, _, errs = s.run(context.Background(), "account", "list")
	require.Zero(t, code, errs)
	require.Equal(t, []string{"GET /v1/teams/" + team.String() + "/channel-accounts?limit=50"}, s.requests)
}

func memberToken(t *testing.T, tokens *keyring.Tokens, team uuid.UUID) string {
	t.Helper()
	token, err := tokens.Sign(keyring.Claims{Scope: keyring.ScopeMember, TeamID: team, ExpiresAt: time.Now()})
	require.NoError(t, err)
	return token
}

// TestOneTeam: what the command line or the environment says of the team is
// never overruled by the token without a word.
func TestOneTeam(t *testing.T) {
	t.Parallel()
	tokens, err := keyring.ParseTokens(keyring.NewKey("k1"))
	require.NoError(t, err)
	team, other := uuid.New(), uuid.New()
	member := memberToken(t, tokens, team)
	platform, err := tokens.Sign(keyring.Claims{Scope: keyring.ScopePlatform, ExpiresAt: time.Now()})
	require.NoError(t, err)
	for _, test := range []struct {
		name, env, token, args, refused string
	}{
		{"the token decides", other.String(), member, "conversation list", "OMNIFLOW_TEAM is " + other.String()},
		{"the path decides", other.String(), member, "member list", "OMNIFLOW_TEAM is " + other.String()},
		{"a flag", "", member, "member list --team " + other.String(), "--team is " + other.String()},
		{"a flag before the variable", other.String(), member, "member list --team " + team.String(), ""},
		{"the same", strings.ToUpper(team.String()), member, "conversation list", ""},
		{"the platform", other.String(), platform, "member list", ""},
		{"a machine key", other.String(), "omk_x", "conversation list", ""},
		{"the help of a group", other.String(), member, "conversation", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, answer(200, `{}`))
			s.env["OMNIFLOW_TEAM"], s.env["OMNIFLOW_TOKEN"] = test.env, test.token
			code, _, errs := s.run(t.Context(), strings.Fields(test.args)...)
			if test.refused == "" {
				require.Zero(t, code, errs)
				return
			}
			require.Equal(t, 2, code)
			require.Contains(t, errs, test.refused+", but OMNIFLOW_TOKEN is of a member of team "+team.String())
			require.Empty(t, s.requests)
		})
	}
}
