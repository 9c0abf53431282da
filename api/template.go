package main

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

// templateApproved is the state of a template that may be sent (BRD-10).
const templateApproved = "approved"

type createTemplateInput struct {
	TeamPath
	Body struct {
		WABAID     string   `json:"waba_id" minLength:"1" maxLength:"200"`
		Name       string   `json:"name" minLength:"1" maxLength:"512"`
		Language   string   `json:"language" minLength:"2" maxLength:"16" doc:"Such as zh_TW."`
		BodyParams int      `json:"body_params" minimum:"0" maximum:"100" doc:"How many parameters its body takes."`
		Header     string   `json:"header,omitempty" enum:"image,video,file" doc:"The kind of file at its head; left out where there is none."`
		Components []string `json:"components,omitempty" enum:"URL,PHONE_NUMBER,QUICK_REPLY,FLOW,CATALOG,COPY_CODE" doc:"Its buttons; a group takes only URL and PHONE_NUMBER (GRP-25)."`
		State      string   `json:"state,omitempty" enum:"approved,pending,rejected,paused,disabled" default:"approved"`
	}
}

type templateBody struct {
	ID         uuid.UUID `json:"id"`
	WABAID     string    `json:"waba_id"`
	Name       string    `json:"name"`
	Language   string    `json:"language"`
	BodyParams int       `json:"body_params"`
	Header     string    `json:"header"`
	State      string    `json:"state"`
	Components []string  `json:"components"`
}

type templateOutput struct{ Body templateBody }

func (s *service) addTemplates() {
	register(s, route{method: http.MethodPost, path: "/v1/teams/{team_id}/templates", id: "save-template", summary: "Register a WhatsApp template",
		access: teamAdmin, status: http.StatusCreated}, s.saveTemplate)
}

func (s *service) saveTemplate(ctx context.Context, in *createTemplateInput) (*templateOutput, error) {
	b := in.Body
	probe := omniflow.Content{Kind: omniflow.TemplateKind, Template: &omniflow.Template{Name: b.Name, Language: b.Language}}
	if no := probe.Check(); no != nil {
		return nil, no
	}
	t, err := s.store.SaveTemplate(ctx, postgres.Template{ID: newResourceID(ctx), TeamID: in.TeamID, WABAID: b.WABAID,
		Name: b.Name, Language: b.Language, BodyParams: b.BodyParams, State: b.State, Components: b.Components, Header: omniflow.MessageKind(b.Header)})
	if err != nil {
		return nil, err
	}
	return &templateOutput{Body: templateBody{ID: t.ID, WABAID: t.WABAID, Name: t.Name, Language: t.Language, BodyParams: t.BodyParams, Header: string(t.Header), State: t.State,
		Components: append([]string{}, t.Components...)}}, nil
}
