package main

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

type groupSettingsInput struct {
	GroupPath
	Body struct {
		Name        string `json:"name,omitempty" doc:"Empty leaves it alone."`
		Description string `json:"description,omitempty" doc:"Empty leaves it alone."`
	}
}

type changeOutput struct {
	Body struct {
		ID         uuid.UUID `json:"id"`
		WorkflowID string    `json:"workflow_id"`
		Kind       string    `json:"kind"`
		State      string    `json:"state"`
	}
}

func (s *service) addGroupChanges() {
	register(s, route{method: http.MethodPost, path: "/v1/groups/{id}:settings", id: "set-group", summary: "Change a group's name or description", access: memberOnly,
		status: http.StatusAccepted}, s.setGroup)
	register(s, route{method: http.MethodPost, path: "/v1/groups/{id}:reset-link", id: "reset-group-link", summary: "Make a new invite link; the old one dies", access: memberOnly,
		status: http.StatusAccepted}, func(ctx context.Context, in *GroupPath) (*changeOutput, error) {
		return s.changeGroup(ctx, postgres.NewGroupChange{GroupID: in.ID, Kind: omniflow.ChangeResetLink})
	})
	register(s, route{method: http.MethodPost, path: "/v1/groups/{id}:delete", id: "delete-group", summary: "Delete a group at its provider; its conversation stays",
		access: memberOnly, status: http.StatusAccepted}, func(ctx context.Context, in *GroupPath) (*changeOutput, error) {
		return s.changeGroup(ctx, postgres.NewGroupChange{GroupID: in.ID, Kind: omniflow.ChangeDelete})
	})
}

func (s *service) setGroup(ctx context.Context, in *groupSettingsInput) (*changeOutput, error) {
	name, description := omniflow.GroupText(in.Body.Name), omniflow.GroupText(in.Body.Description)
	if in.Body.Name == "" && description == "" {
		return nil, badInput("give a name or a description")
	}
	if in.Body.Name != "" {
		if no := omniflow.CheckGroupName(name); no != nil {
			return nil, no
		}
	}
	if no := omniflow.CheckGroupDescription(description); no != nil {
		return nil, no
	}
	return s.changeGroup(ctx, postgres.NewGroupChange{GroupID: in.ID, Kind: omniflow.ChangeSettings, Name: name, Description: description})
}

// changeGroup stores a change with the promise of its run.
func (s *service) changeGroup(ctx context.Context, c postgres.NewGroupChange) (*changeOutput, error) {
	who, _, err := s.permitGroups(ctx)
	if err != nil {
		return nil, err
	}
	c.ID, c.TeamID, c.ActorID = newResourceID(ctx), who.TeamID, who.MemberID
	start, err := s.store.CreateGroupChange(ctx, c)
	if err != nil {
		return nil, err
	}
	s.startSoon(ctx, start)
	out := &changeOutput{}
	out.Body.ID, out.Body.Kind, out.Body.State = c.ID, c.Kind, omniflow.ChangePending
	out.Body.WorkflowID = omniflow.ChangeGroupID(c.TeamID, c.ID)
	return out, nil
}
