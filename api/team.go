package main

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

// TeamPath (exported because huma looks into exported fields only) is the path of everything that belongs to one team.
type TeamPath struct {
	TeamID uuid.UUID `path:"team_id"`
}

type createTeamInput struct {
	Body struct {
		Name                  string   `json:"name" minLength:"1" maxLength:"200"`
		Plan                  string   `json:"plan" doc:"standard or omo; broadcasts need omo (BRD-01)."`
		Flags                 []string `json:"flags,omitempty" doc:"Functions that are switched on (ROL-06)."`
		Timezone              string   `json:"timezone,omitempty" doc:"IANA name; default Asia/Taipei."`
		OnUnknown             string   `json:"on_unknown,omitempty" doc:"prove (default), fail or resend: what to do about a message whose outcome was never learned."`
		ReconcileAfterSeconds int      `json:"reconcile_after_seconds,omitempty" maximum:"2592000" doc:"When on_unknown is applied; at least 15, default 600."`
		GiveUpAfterSeconds    int      `json:"give_up_after_seconds,omitempty" maximum:"2592000" doc:"When an unproven message counts as failed; default 86400."`
		StopFailurePercent    int      `json:"stop_failure_percent,omitempty" minimum:"1" maximum:"100" doc:"A broadcast's lane stops when more than this of its last 500 outcomes failed; default 50, 100 is never. A broadcast may set its own."`
	}
}

type teamBody struct {
	TeamID                uuid.UUID              `json:"team_id"`
	Name                  string                 `json:"name"`
	Plan                  omniflow.Plan          `json:"plan"`
	Flags                 []string               `json:"flags"`
	Timezone              string                 `json:"timezone"`
	OnUnknown             omniflow.UnknownPolicy `json:"on_unknown"`
	ReconcileAfterSeconds int                    `json:"reconcile_after_seconds"`
	GiveUpAfterSeconds    int                    `json:"give_up_after_seconds"`
	StopFailurePercent    int                    `json:"stop_failure_percent"`
	CreatedAt             time.Time              `json:"created_at"`
}

type teamOutput struct{ Body teamBody }

func (s *service) addTeams() {
	register(s, route{method: http.MethodPost, path: "/v1/teams", id: "create-team", summary: "Make a team",
		access: platformOnly, status: http.StatusCreated}, s.createTeam)
	register(s, route{method: http.MethodGet, path: "/v1/teams/{team_id}", id: "get-team", summary: "Show a team", access: teamAdmin}, s.getTeam)
}

func (s *service) createTeam(ctx context.Context, in *createTeamInput) (*teamOutput, error) {
	t, err := newTeam(in)
	if err != nil {
		return nil, err
	}
	t.TeamID = newResourceID(ctx)
	stored, err := s.store.CreateTeam(ctx, t)
	if err != nil {
		return nil, err
	}
	return &teamOutput{Body: showTeam(stored)}, nil
}

// newTeam checks a request and fills in the defaults.
func newTeam(in *createTeamInput) (postgres.Team, error) {
	b := in.Body
	plan, no := omniflow.ParsePlan(b.Plan)
	if no != nil {
		return postgres.Team{}, no
	}
	policy, no := omniflow.ParseUnknownPolicy(b.OnUnknown)
	if no != nil {
		return postgres.Team{}, no
	}
	flags, no := omniflow.ParseFlags(b.Flags)
	if no != nil {
		return postgres.Team{}, no
	}
	t := postgres.Team{Name: b.Name, Plan: plan, OnUnknown: policy, Flags: []string{}, Timezone: b.Timezone,
		ReconcileAfter: time.Duration(b.ReconcileAfterSeconds) * time.Second, GiveUpAfter: time.Duration(b.GiveUpAfterSeconds) * time.Second, StopFailurePercent: b.StopFailurePercent}
	for _, f := range flags {
		t.Flags = append(t.Flags, string(f))
	}
	if t.Timezone == "" {
		t.Timezone = omniflow.DefaultTimezone
	}
	if t.ReconcileAfter == 0 {
		t.ReconcileAfter = omniflow.DefaultReconcileAfter
	}
	if t.GiveUpAfter == 0 {
		t.GiveUpAfter = max(omniflow.DefaultGiveUpAfter, t.ReconcileAfter)
	}
	if t.StopFailurePercent == 0 {
		t.StopFailurePercent = omniflow.DefaultStopFailurePercent
	}
	return t, checkTeam(t)
}

func checkTeam(t postgres.Team) error {
	if _, err := time.LoadLocation(t.Timezone); err != nil || t.Timezone == "Local" {
		return badInput("timezone must be an IANA name such as Asia/Taipei")
	}
	if t.ReconcileAfter < omniflow.MinReconcileAfter {
		return badInput("reconcile_after_seconds must be at least %d", int(omniflow.MinReconcileAfter.Seconds()))
	}
	if t.GiveUpAfter < t.ReconcileAfter {
		return badInput("give_up_after_seconds must not be less than reconcile_after_seconds")
	}
	return nil
}

func (s *service) getTeam(ctx context.Context, in *TeamPath) (*teamOutput, error) {
	t, err := s.store.LoadTeam(ctx, in.TeamID)
	if err != nil {
		return nil, err
	}
	return &teamOutput{Body: showTeam(t)}, nil
}

func showTeam(t postgres.Team) teamBody {
	return teamBody{TeamID: t.TeamID, Name: t.Name, Plan: t.Plan, Flags: t.Flags, Timezone: t.Timezone, OnUnknown: t.OnUnknown,
		ReconcileAfterSeconds: int(t.ReconcileAfter.Seconds()), GiveUpAfterSeconds: int(t.GiveUpAfter.Seconds()),
		StopFailurePercent: t.StopFailurePercent, CreatedAt: t.CreatedAt}
}
