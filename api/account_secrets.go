package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"omniflow/internal/channel"
	"omniflow/internal/keyring"
	"omniflow/internal/postgres"
)

type accountSecretsInput struct {
	AccountPath
	Body struct {
		Secrets secretsBody `json:"secrets"`
		Reason  string      `json:"reason" minLength:"1" maxLength:"1000" doc:"Kept in the audit log."`
	}
}

func (s *service) addAccountSecrets() {
	register(s, route{method: http.MethodPut, path: "/v1/teams/{team_id}/channel-accounts/{id}/secrets", id: "set-channel-account-secrets",
		summary: "Replace an account's secrets: a new token after the old one ended, or to seal them with the newest key", access: teamAdmin}, s.setAccountSecrets)
}

func (s *service) setAccountSecrets(ctx context.Context, in *accountSecretsInput) (*accountOutput, error) {
	b := in.Body.Secrets
	if err := b.check(""); err != nil { // web chat has none to replace
		return nil, err
	}
	plain, err := json.Marshal(channel.Secrets{Token: b.Token, AppSecret: b.AppSecret, VerifyToken: b.VerifyToken, AppID: b.AppID})
	if err != nil {
		return nil, fmt.Errorf("write secrets: %w", err)
	}
	by := postgres.By{ActorID: identityOf(ctx).MemberID, Reason: in.Body.Reason}
	if err := s.store.SetAccountSecrets(ctx, in.TeamID, in.ID, s.keys.Seal(plain, keyring.AccountSecrets(in.ID)), by); err != nil {
		return nil, err
	}
	s.accounts.forget(in.ID)
	return s.showAccount(ctx, in.TeamID, in.ID)
}
