package apiclient

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// NewMember asks for a member of a team.
type NewMember struct {
	Name   string `json:"name"`
	Email  string `json:"email,omitempty"`
	Role   string `json:"role"` // such as sales_staff
	Store  string `json:"store,omitempty"`
	Region string `json:"region,omitempty"`
}

// Member is a person of a team.
type Member struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Email  string `json:"email"`
	Role   string `json:"role"`
	Store  string `json:"store"`
	Region string `json:"region"`
	State  string `json:"state"`
}

// CreateMember adds a member; an unknown role is role_invalid.
func (c *Client) CreateMember(ctx context.Context, teamID string, m NewMember) (Member, error) {
	var member Member
	err := c.do(ctx, request{method: http.MethodPost, path: teamPath(teamID, "/members"), body: m, out: &member})
	return member, err
}

// Members lists the members of a team.
func (c *Client) Members(ctx context.Context, teamID string, page Page) (List[Member], error) {
	var list List[Member]
	err := c.do(ctx, request{method: http.MethodGet, path: teamPath(teamID, "/members"), query: page.query(), out: &list})
	return list, err
}

// Token lets its bearer act as a member until it expires.
type Token struct {
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expires_at"`
}

// CreateToken mints a member's token that lives for so long; 0 is a day.
func (c *Client) CreateToken(ctx context.Context, teamID, memberID string, lives time.Duration) (Token, error) {
	body := struct {
		MemberID         string `json:"member_id"`
		ExpiresInSeconds int    `json:"expires_in_seconds,omitempty"`
	}{memberID, int(lives / time.Second)}
	var token Token
	err := c.do(ctx, request{method: http.MethodPost, path: teamPath(teamID, "/tokens"), body: body, out: &token})
	return token, err
}

// MachineKey is a lasting key that acts as one member. Key is shown once.
type MachineKey struct {
	ID  string `json:"id"`
	Key string `json:"key"`
}

// CreateMachineKey makes a key for a program.
func (c *Client) CreateMachineKey(ctx context.Context, teamID, memberID, name string) (MachineKey, error) {
	body := struct {
		MemberID string `json:"member_id"`
		Name     string `json:"name"`
	}{memberID, name}
	var key MachineKey
	err := c.do(ctx, request{method: http.MethodPost, path: teamPath(teamID, "/machine-keys"), body: body, out: &key})
	return key, err
}

// segment makes a value one segment of a path, whatever is in it.
func segment(value string) string { return url.PathEscape(value) }
