package main

import (
	"context"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

type moveConversationInput struct {
	ConversationPath
	Body *moveBody // none: nothing is said
}

type moveBody struct {
	Version    int64     `json:"version,omitempty" doc:"As it was shown: whoever was faster wins (D-CNV-5)."`
	ReceiverID uuid.UUID `json:"receiver_id,omitempty" doc:"Of a transfer."`
	Reason     string    `json:"reason,omitempty" maxLength:"500" doc:"For the audit log."`
}

func (s *service) addConversationMoves() {
	for _, r := range []struct {
		event   omniflow.Event
		summary string
	}{
		{omniflow.Follow, "Follow a pending conversation"}, {omniflow.TakeOver, "Take over a conversation that another member handles"},
		{omniflow.Transfer, "Hand a conversation to another member"}, {omniflow.End, "End a conversation"}, {omniflow.Reopen, "Reopen a closed conversation"},
	} {
		verb := strings.ReplaceAll(string(r.event), "_", "-")
		register(s, route{method: http.MethodPost, path: "/v1/conversations/{id}:" + verb, id: verb + "-conversation", summary: r.summary, access: memberOnly},
			func(ctx context.Context, in *moveConversationInput) (*conversationOutput, error) {
				return s.moveConversation(ctx, r.event, in)
			})
	}
}

// moveConversation makes a step and shows what came of it; who has handed a
// conversation on may not see it any more, and sees it once.
func (s *service) moveConversation(ctx context.Context, event omniflow.Event, in *moveConversationInput) (*conversationOutput, error) {
	who, said := identityOf(ctx), moveBody{}
	if in.Body != nil {
		said = *in.Body
	}
	if event == omniflow.Transfer && said.ReceiverID == uuid.Nil {
		return nil, badInput("receiver_id is required")
	}
	err := s.store.MoveConversation(ctx, postgres.ConversationMove{TeamID: who.TeamID, ConversationID: in.ID, ActorID: who.MemberID,
		ReceiverID: said.ReceiverID, Event: event, Version: said.Version, ActionID: newResourceID(ctx), Reason: said.Reason})
	if err != nil {
		return nil, err
	}
	c, err := s.store.ShowConversation(ctx, who.TeamID, who.MemberID, omniflow.Administrator, in.ID)
	if err != nil {
		return nil, err
	}
	return &conversationOutput{Body: bodyOfConversation(c, who.MemberID)}, nil
}
