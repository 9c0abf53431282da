package keyring

import (
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// Scope says what a bearer token may act as.
type Scope string

// The scopes: a member of one team, or the platform that makes teams.
const (
	ScopeMember   Scope = "member"
	ScopePlatform Scope = "platform"
)

// ErrToken is returned for a bearer token that is not ours, changed or expired.
var ErrToken = errors.New("verify token")

// Claims is what a bearer token says. A platform token names no team and no member.
type Claims struct {
	Scope     Scope
	TeamID    uuid.UUID
	MemberID  uuid.UUID
	ExpiresAt time.Time
}

// claims is Claims as it travels: sub is the member, team the team.
type claims struct {
	jwt.RegisteredClaims
	Team  string `json:"team,omitempty"`
	Scope Scope  `json:"scope"`
}

// Tokens signs with the first key and verifies with any (HS256, header kid).
// It is safe for concurrent use.
type Tokens struct {
	first Key
	keys  map[string][]byte
}

// ParseTokens makes Tokens of keys written as ParseKeys says, each of 32 bytes
// or more. The error names every fault.
func ParseTokens(s string) (*Tokens, error) {
	keys, err := ParseKeys(s, KeyBytes)
	if err != nil {
		return nil, fmt.Errorf("parse token keys: %w", err)
	}
	t := &Tokens{first: keys[0], keys: make(map[string][]byte, len(keys))}
	for _, key := range keys {
		t.keys[key.ID] = key.Secret
	}
	return t, nil
}

// Sign makes a bearer token that says c.
func (t *Tokens) Sign(c Claims) (string, error) {
	out := claims{Scope: c.Scope, RegisteredClaims: jwt.RegisteredClaims{ExpiresAt: jwt.NewNumericDate(c.ExpiresAt)}}
	if c.Scope == ScopeMember {
		out.Subject, out.Team = c.MemberID.String(), c.TeamID.String()
	}
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, out)
	token.Header["kid"] = t.first.ID
	signed, err := token.SignedString(t.first.Secret)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return signed, nil
}

// Verify reads a bearer token. Error: ErrToken.
func (t *Tokens) Verify(token string, now time.Time) (Claims, error) {
	var in claims
	_, err := jwt.ParseWithClaims(token, &in, t.key, jwt.WithValidMethods([]string{"HS256"}),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(func() time.Time { return now }))
	if err != nil {
		return Claims{}, fmt.Errorf("%w: %w", ErrToken, err)
	}
	out := Claims{Scope: in.Scope, ExpiresAt: in.ExpiresAt.Time}
	switch in.Scope {
	case ScopePlatform:
		return out, nil
	case ScopeMember:
		var teamErr, memberErr error
		out.TeamID, teamErr = uuid.Parse(in.Team)
		out.MemberID, memberErr = uuid.Parse(in.Subject)
		if teamErr != nil || memberErr != nil {
			return Claims{}, fmt.Errorf("%w: team or member is not an id", ErrToken)
		}
		return out, nil
	}
	return Claims{}, fmt.Errorf("%w: unknown scope", ErrToken)
}

func (t *Tokens) key(token *jwt.Token) (any, error) {
	kid, _ := token.Header["kid"].(string)
	secret, ok := t.keys[kid]
	if !ok {
		return nil, errors.New("unknown kid")
	}
	return secret, nil
}
