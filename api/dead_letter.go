package main

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

type deadLetterBody struct {
	ID               uuid.UUID        `json:"id"`
	Channel          omniflow.Channel `json:"channel"`
	ChannelAccountID uuid.UUID        `json:"channel_account_id"`
	Reason           string           `json:"reason"`
	Event            json.RawMessage  `json:"event" doc:"As the provider sent it."`
	CreatedAt        time.Time        `json:"created_at"`
	ReplayedAt       *time.Time       `json:"replayed_at"`
}

type deadLetterOutput struct{ Body deadLetterBody }

type listDeadLettersInput struct{ PageInput }

type deadLetterListOutput struct{ Body listBody[deadLetterBody] }

type deadLetterPath struct {
	ID uuid.UUID `path:"id"`
}

func (s *service) addDeadLetters() {
	register(s, route{method: http.MethodGet, path: "/v1/dead-letters", id: "list-dead-letters", summary: "List events that belonged to nothing",
		access: memberOnly}, s.listDeadLetters)
	register(s, route{method: http.MethodPost, path: "/v1/dead-letters/{id}:replay", id: "replay-dead-letter", summary: "Give an event to the relay again",
		access: memberOnly}, s.replayDeadLetter)
}

// permitDeadLetters: a dead letter may hold what a customer wrote to anybody
// of the team, so only the admin-type roles see them.
func permitDeadLetters(who identity) error {
	if who.Actor.Role.AdminType() {
		return nil
	}
	return omniflow.Refuse(omniflow.PermissionDenied, "ROL-04", "only the admin-type roles see dead letters")
}

func (s *service) listDeadLetters(ctx context.Context, in *listDeadLettersInput) (*deadLetterListOutput, error) {
	who := identityOf(ctx)
	if err := permitDeadLetters(who); err != nil {
		return nil, err
	}
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	letters, err := s.store.ListDeadLetters(ctx, who.TeamID, postgres.Page{After: after, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &deadLetterListOutput{Body: listBody[deadLetterBody]{Items: make([]deadLetterBody, len(letters))}}
	for i, l := range letters {
		out.Body.Items[i] = showDeadLetter(l)
	}
	out.Body.Next = nextAfter(letters, in.Limit, func(l postgres.DeadLetter) string { return l.ID.String() })
	return out, nil
}

func (s *service) replayDeadLetter(ctx context.Context, in *deadLetterPath) (*deadLetterOutput, error) {
	who := identityOf(ctx)
	if err := permitDeadLetters(who); err != nil {
		return nil, err
	}
	l, err := s.store.ReplayDeadLetter(ctx, who.TeamID, in.ID, postgres.By{ActorID: who.MemberID}, envelopeOf)
	if err != nil {
		return nil, err
	}
	return &deadLetterOutput{Body: showDeadLetter(l)}, nil
}

func showDeadLetter(l postgres.DeadLetter) deadLetterBody {
	return deadLetterBody{ID: l.ID, Channel: l.Channel, ChannelAccountID: l.ChannelAccountID, Reason: l.Reason, Event: l.Event,
		CreatedAt: l.CreatedAt, ReplayedAt: l.ReplayedAt}
}
