package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"omniflow/internal/postgres"
)

type menuTextsInput struct {
	AccountPath
	Body struct {
		Texts []string `json:"texts" maxItems:"100" doc:"What the text buttons of the rich menu set in LINE say. LINE sends a tap on one as a message like any other: only this list tells it from a typed text."`
	}
}

type originsInput struct {
	AccountPath
	Body struct {
		Origins []string `json:"origins" maxItems:"100" doc:"Origins whose pages may show the widget, such as https://shop.example."`
	}
}

func (s *service) addAccountSettings() {
	const path = "/v1/teams/{team_id}/channel-accounts/{id}"
	register(s, route{method: http.MethodPut, path: path + "/menu-texts", id: "set-menu-texts", summary: "List the texts of the rich menu set in LINE", access: teamAdmin}, s.setMenuTexts)
	register(s, route{method: http.MethodPut, path: path + "/allowed-origins", id: "set-allowed-origins", summary: "List the sites that may show a web chat's widget", access: teamAdmin}, s.setAllowedOrigins)
}

func (s *service) setMenuTexts(ctx context.Context, in *menuTextsInput) (*accountOutput, error) {
	texts := make([]string, len(in.Body.Texts))
	for i, text := range in.Body.Texts {
		if texts[i] = strings.TrimSpace(text); texts[i] == "" || len(texts[i]) > 1000 {
			return nil, badInput("text %d is empty or longer than 1000 bytes", i+1)
		}
	}
	if err := s.store.SetMenuTexts(ctx, in.TeamID, in.ID, texts, postgres.By{ActorID: identityOf(ctx).MemberID}); err != nil {
		return nil, err
	}
	return s.showAccount(ctx, in.TeamID, in.ID)
}

func (s *service) setAllowedOrigins(ctx context.Context, in *originsInput) (*accountOutput, error) {
	origins := make([]string, len(in.Body.Origins))
	for i, origin := range in.Body.Origins {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || origin != u.Scheme+"://"+u.Host {
			return nil, badInput("origin %d must look like https://shop.example", i+1)
		}
		origins[i] = origin
	}
	if err := s.store.SetAllowedOrigins(ctx, in.TeamID, in.ID, origins, postgres.By{ActorID: identityOf(ctx).MemberID}); err != nil {
		return nil, err
	}
	return s.showAccount(ctx, in.TeamID, in.ID)
}
