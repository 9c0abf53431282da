package apiclient

import (
	"context"
	"net/http"
)

// The steps of a collaborator's own.
const (
	JoinStep  = "join"
	LeaveStep = "leave"
)

// collaborators names members of a team.
type collaborators struct {
	MemberIDs []string `json:"member_ids"`
}

// AddCollaborators adds members to a conversation or a group, all or none.
func (c *Client) AddCollaborators(ctx context.Context, id string, members []string) (Conversation, error) {
	var out Conversation
	err := c.do(ctx, request{method: http.MethodPost, path: conversationPath(id, "/collaborators"), body: collaborators{members}, out: &out})
	return out, err
}

// RemoveCollaborators removes members from a conversation or a group, all or none.
func (c *Client) RemoveCollaborators(ctx context.Context, id string, members []string) (Conversation, error) {
	var out Conversation
	err := c.do(ctx, request{method: http.MethodPost, path: conversationPath(id, "/collaborators:remove"), body: collaborators{members}, out: &out})
	return out, err
}
