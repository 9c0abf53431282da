package main

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

type collaboratorsInput struct {
	ConversationPath
	Body struct {
		MemberIDs []uuid.UUID `json:"member_ids" nullable:"false" minItems:"1" maxItems:"100" doc:"All or none; at most five collaborate (COL-04)."`
	}
}

// CollaboratorPath is the path of one collaborator of a conversation.
type CollaboratorPath struct {
	ConversationPath
	MemberID uuid.UUID `path:"member_id"`
}

// addCollaborators serves collaborators of every conversation, and under
// /v1/groups those of groups; the answer is the conversation.
func (s *service) addCollaborators() {
	for _, of := range []struct{ path, id, noun string }{
		{"/v1/conversations/{id}", "conversation", "a conversation"}, {"/v1/groups/{id}", "group", "a group"},
	} {
		path := of.path + "/collaborators"
		register(s, route{method: http.MethodPost, path: path, id: "add-" + of.id + "-collaborators", summary: "Add collaborators to " + of.noun, access: memberOnly},
			func(ctx context.Context, in *collaboratorsInput) (*conversationOutput, error) {
				return s.collaborate(ctx, in.ID, omniflow.AddMembers, in.Body.MemberIDs)
			})
		register(s, route{method: http.MethodPost, path: path + ":remove", id: "remove-" + of.id + "-collaborators", summary: "Remove several collaborators of " + of.noun, access: memberOnly},
			func(ctx context.Context, in *collaboratorsInput) (*conversationOutput, error) {
				return s.collaborate(ctx, in.ID, omniflow.RemoveMembers, in.Body.MemberIDs)
			})
		register(s, route{method: http.MethodDelete, path: path + "/{member_id}", id: "remove-" + of.id + "-collaborator", summary: "Remove a collaborator of " + of.noun, access: memberOnly},
			func(ctx context.Context, in *CollaboratorPath) (*conversationOutput, error) {
				return s.collaborate(ctx, in.ID, omniflow.RemoveMembers, []uuid.UUID{in.MemberID})
			})
		for op, summary := range map[omniflow.Collaboration]string{omniflow.JoinMembers: "Become a collaborator of ", omniflow.LeaveMembers: "Collaborate no more in "} {
			register(s, route{method: http.MethodPost, path: of.path + ":" + string(op), id: string(op) + "-" + of.id, summary: summary + of.noun, access: memberOnly},
				func(ctx context.Context, in *ConversationPath) (*conversationOutput, error) {
					return s.collaborate(ctx, in.ID, op, nil)
				})
		}
	}
}

// collaborate changes the collaborators and shows what came of it; who has left
// may not see the conversation any more, and sees it once.
func (s *service) collaborate(ctx context.Context, id uuid.UUID, op omniflow.Collaboration, members []uuid.UUID) (*conversationOutput, error) {
	who := identityOf(ctx)
	err := s.store.Collaborate(ctx, postgres.CollaborationChange{TeamID: who.TeamID, ConversationID: id, ActorID: who.MemberID,
		Operation: op, MemberIDs: members, ActionID: newResourceID(ctx)})
	if err != nil {
		return nil, err
	}
	c, err := s.store.ShowConversation(ctx, who.TeamID, who.MemberID, omniflow.Administrator, id)
	if err != nil {
		return nil, err
	}
	return &conversationOutput{Body: bodyOfConversation(c, who.MemberID)}, nil
}
