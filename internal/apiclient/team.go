package apiclient

import (
	"context"
	"net/http"
)

// NewTeam asks for a team. Zero values take the API's defaults.
type NewTeam struct {
	Name      string   `json:"name"`
	Plan      string   `json:"plan"` // standard or omo
	Flags     []string `json:"flags,omitempty"`
	Timezone  string   `json:"timezone,omitempty"`
	OnUnknown string   `json:"on_unknown,omitempty"` // prove, fail or resend
	// ReconcileAfterSeconds is at least 30.
	ReconcileAfterSeconds int `json:"reconcile_after_seconds,omitempty"`
	GiveUpAfterSeconds    int `json:"give_up_after_seconds,omitempty"`
	// StopFailurePercent of a lane's last outcomes may fail before it stops; 100 is never.
	StopFailurePercent int `json:"stop_failure_percent,omitempty"`
}

// Team is a team as the API shows it.
type Team struct {
	TeamID                string   `json:"team_id"`
	Name                  string   `json:"name"`
	Plan                  string   `json:"plan"`
	Flags                 []string `json:"flags"`
	Timezone              string   `json:"timezone"`
	OnUnknown             string   `json:"on_unknown"`
	ReconcileAfterSeconds float64  `json:"reconcile_after_seconds"`
	GiveUpAfterSeconds    float64  `json:"give_up_after_seconds"`
	StopFailurePercent    int      `json:"stop_failure_percent"`
}

// CreateTeam needs a platform token.
func (c *Client) CreateTeam(ctx context.Context, t NewTeam) (Team, error) {
	var team Team
	err := c.do(ctx, request{method: http.MethodPost, path: "/v1/teams", body: t, out: &team})
	return team, err
}

// Team shows one team.
func (c *Client) Team(ctx context.Context, teamID string) (Team, error) {
	var team Team
	err := c.do(ctx, request{method: http.MethodGet, path: teamPath(teamID, ""), out: &team})
	return team, err
}

func teamPath(teamID, rest string) string { return "/v1/teams/" + segment(teamID) + rest }
