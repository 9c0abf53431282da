package main

import (
	"context"
	"net/http"
	"time"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

// longestGroupWait bounds the time-outs of groups.
const longestGroupWait = 90 * 24 * time.Hour

type teamGroupsBody struct {
	ReviewTimeoutSeconds     int    `json:"review_timeout_seconds" doc:"How long the provider may review a new group; default 86400 (D-GRP-4)."`
	InvitationTimeoutSeconds int    `json:"invitation_timeout_seconds" doc:"How long somebody may take to join; default 604800 (D-MEM-3)."`
	RemovalTimeoutSeconds    int    `json:"removal_timeout_seconds" doc:"How long the provider may take to remove somebody; default 86400."`
	InviteTemplate           string `json:"invite_template" doc:"The template that invites; its body's first parameter is the group."`
	InviteLanguage           string `json:"invite_language"`
	ApproveInvited           bool   `json:"approve_invited" doc:"An invited number that asks to join is let in at once."`
}

type teamGroupsInput struct {
	TeamPath
	Body teamGroupsBody
}

type teamGroupsOutput struct{ Body teamGroupsBody }

func (s *service) addGroupSettings() {
	const path = "/v1/teams/{team_id}/group-settings"
	register(s, route{method: http.MethodGet, path: path, id: "get-group-settings", summary: "Show what a team has set for its groups", access: teamAdmin},
		func(ctx context.Context, in *TeamPath) (*teamGroupsOutput, error) {
			g, err := s.store.LoadGroupSettings(ctx, in.TeamID)
			return &teamGroupsOutput{Body: teamGroupsBody{ReviewTimeoutSeconds: int(g.GroupReviewTimeout.Seconds()),
				InvitationTimeoutSeconds: int(g.InvitationTimeout.Seconds()), RemovalTimeoutSeconds: int(g.RemovalTimeout.Seconds()),
				InviteTemplate: g.InviteTemplate, InviteLanguage: g.InviteLanguage, ApproveInvited: g.ApproveInvited}}, err
		})
	register(s, route{method: http.MethodPut, path: path, id: "set-group-settings", summary: "Set how a team's groups work", access: teamAdmin}, s.saveGroupSettings)
}

func (s *service) saveGroupSettings(ctx context.Context, in *teamGroupsInput) (*teamGroupsOutput, error) {
	b := in.Body
	g := postgres.GroupSettings{GroupReviewTimeout: seconds(b.ReviewTimeoutSeconds), InvitationTimeout: seconds(b.InvitationTimeoutSeconds),
		RemovalTimeout: seconds(b.RemovalTimeoutSeconds), InviteTemplate: b.InviteTemplate, InviteLanguage: b.InviteLanguage, ApproveInvited: b.ApproveInvited}
	for name, d := range map[string]time.Duration{"review": g.GroupReviewTimeout, "invitation": g.InvitationTimeout, "removal": g.RemovalTimeout} {
		if d < time.Second || d > longestGroupWait {
			return nil, badInput("%s_timeout_seconds must be 1 to %d", name, int(longestGroupWait.Seconds()))
		}
	}
	probe := omniflow.Content{Kind: omniflow.TemplateKind, Template: &omniflow.Template{Name: b.InviteTemplate, Language: b.InviteLanguage}}
	if no := probe.Check(); no != nil {
		return nil, no
	}
	if err := s.store.SaveGroupSettings(ctx, in.TeamID, g, postgres.By{ActorID: identityOf(ctx).MemberID}); err != nil {
		return nil, err
	}
	return &teamGroupsOutput{Body: b}, nil
}
