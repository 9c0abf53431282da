package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"

	"github.com/google/uuid"

	"omniflow/internal/postgres"
)

type createMachineKeyInput struct {
	TeamPath
	Body struct {
		MemberID uuid.UUID `json:"member_id" doc:"The member that the key acts as."`
		Name     string    `json:"name" minLength:"1" maxLength:"200"`
	}
}

type machineKeyOutput struct {
	Body struct {
		ID  uuid.UUID `json:"id"`
		Key string    `json:"key" doc:"Shown once: only its digest is kept."`
	}
}

func (s *service) addMachineKeys() {
	register(s, route{method: http.MethodPost, path: "/v1/teams/{team_id}/machine-keys", id: "create-machine-key", summary: "Make a key for a program",
		access: teamAdmin, status: http.StatusCreated}, s.createMachineKey)
}

func (s *service) createMachineKey(ctx context.Context, in *createMachineKeyInput) (*machineKeyOutput, error) {
	secret := make([]byte, 32)
	rand.Read(secret) // never fails: crypto/rand ends the program instead
	key := machinePrefix + base64.RawURLEncoding.EncodeToString(secret)
	sum := sha256.Sum256([]byte(key))
	k := postgres.MachineKey{ID: newResourceID(ctx), TeamID: in.TeamID, MemberID: in.Body.MemberID, Name: in.Body.Name, SHA256: sum[:]}
	if err := s.store.CreateMachineKey(ctx, k); err != nil {
		return nil, err
	}
	out := &machineKeyOutput{}
	out.Body.ID, out.Body.Key = k.ID, key
	return out, nil
}
