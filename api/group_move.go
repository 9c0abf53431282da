package main

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

type moveGroupInput struct {
	GroupPath
	Body struct {
		Version    int64     `json:"version,omitempty" doc:"As it was shown: whoever was faster wins (D-CNV-5)."`
		ReceiverID uuid.UUID `json:"receiver_id,omitempty" doc:"Of a transfer."`
	}
}

type bulkTransferInput struct {
	Body struct {
		GroupIDs   []uuid.UUID `json:"group_ids" nullable:"false"`
		ReceiverID uuid.UUID   `json:"receiver_id"`
	}
}

type groupLogOutput struct {
	Body struct {
		Items []groupLogBody `json:"items"`
	}
}

type groupLogBody struct {
	At    time.Time `json:"at"`
	Kind  string    `json:"kind" doc:"log, or system: a message inside the conversation."`
	Event string    `json:"event"`
	Text  string    `json:"text"`

	From     omniflow.ConversationState `json:"from" doc:"The state before a transition; empty for none."`
	To       omniflow.ConversationState `json:"to"`
	Actor    string                     `json:"actor" doc:"Name of the member, 系統 for the system; empty for what the customer did."`
	Follower string                     `json:"follower" doc:"Name of who follows the conversation since; empty for nobody, or where nothing changed."`
}

func (s *service) addGroupMoves() {
	for _, r := range []struct {
		event   omniflow.Event
		summary string
	}{
		{omniflow.Follow, "Follow a group, or take it over"}, {omniflow.Transfer, "Hand a group to another member"},
		{omniflow.End, "End a group's conversation"}, {omniflow.Reopen, "Reopen a group's conversation"},
	} {
		register(s, route{method: http.MethodPost, path: "/v1/groups/{id}:" + string(r.event), id: string(r.event) + "-group", summary: r.summary, access: memberOnly},
			func(ctx context.Context, in *moveGroupInput) (*groupOutput, error) {
				return s.moveGroup(ctx, r.event, in)
			})
	}
	register(s, route{method: http.MethodPost, path: "/v1/groups/transfers", id: "transfer-groups", summary: "Refused: groups are transferred one by one", access: memberOnly},
		func(context.Context, *bulkTransferInput) (*groupOutput, error) {
			r := omniflow.Refuse(omniflow.BulkTransferUnsupported, "GRP-20", "a group is transferred alone")
			r.Key = omniflow.TextBulkTransferUnsupported
			return nil, r
		})
	register(s, route{method: http.MethodGet, path: "/v1/groups/{id}/log", id: "get-group-log", summary: "Show the event state log of a group", access: memberOnly},
		s.groupLog)
}

func (s *service) moveGroup(ctx context.Context, event omniflow.Event, in *moveGroupInput) (*groupOutput, error) {
	who, _, err := s.permitGroups(ctx)
	if err != nil {
		return nil, err
	}
	if event == omniflow.Transfer && in.Body.ReceiverID == uuid.Nil {
		return nil, badInput("receiver_id is required")
	}
	err = s.store.MoveGroup(ctx, postgres.GroupMove{TeamID: who.TeamID, GroupID: in.ID, ActorID: who.MemberID, ReceiverID: in.Body.ReceiverID,
		Event: event, Version: in.Body.Version, ActionID: newResourceID(ctx)})
	if err != nil {
		return nil, err
	}
	return s.showGroup(ctx, in.ID)
}

func (s *service) groupLog(ctx context.Context, in *GroupPath) (*groupLogOutput, error) {
	if _, err := s.showGroup(ctx, in.ID); err != nil {
		return nil, err
	}
	items, err := s.store.ConversationLog(ctx, identityOf(ctx).TeamID, in.ID)
	if err != nil {
		return nil, err
	}
	out := &groupLogOutput{}
	out.Body.Items = make([]groupLogBody, len(items))
	for i, item := range items {
		out.Body.Items[i] = groupLogBody(item)
	}
	return out, nil
}
