package main

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

type addMemberInput struct {
	GroupPath
	Body struct {
		Phone string `json:"phone" doc:"With country code, such as +886912345678."`
	}
}

// GroupMemberPath is the path of one member of a group.
type GroupMemberPath struct {
	GroupPath
	MemberID uuid.UUID `path:"member_id"`
}

type groupMemberOutput struct{ Body groupMemberBody }

func (s *service) addGroupMembers() {
	const path = "/v1/groups/{id}/members/{member_id}"
	register(s, route{method: http.MethodPost, path: "/v1/groups/{id}/members", id: "add-group-member", summary: "Invite a number to a group",
		access: memberOnly, status: http.StatusAccepted}, func(ctx context.Context, in *addMemberInput) (*groupMemberOutput, error) {
		digits, no := readPhone(in.Body.Phone)
		if no != nil {
			return nil, no
		}
		team := identityOf(ctx).TeamID
		return s.orderMember(ctx, postgres.MemberOrder{GroupID: in.ID, Phone: digits, Hash: s.phoneHash(team, digits), Event: omniflow.MemberAdd})
	})
	for _, r := range []struct {
		method, action, id, summary string
		order                       postgres.MemberOrder
	}{
		{http.MethodDelete, "", "remove-group-member", "Remove a number from a group, for good", postgres.MemberOrder{Event: omniflow.MemberRemove}},
		{http.MethodPost, ":retry", "retry-group-member", "Try again what failed about a number", postgres.MemberOrder{Event: omniflow.MemberRetry}},
		{http.MethodPost, ":approve", "approve-group-member", "Let in who asks to join", postgres.MemberOrder{Decision: omniflow.JoinApprove}},
		{http.MethodPost, ":reject", "reject-group-member", "Do not let in who asks to join", postgres.MemberOrder{Decision: omniflow.JoinReject}},
	} {
		register(s, route{method: r.method, path: path + r.action, id: r.id, summary: r.summary, access: memberOnly, status: http.StatusAccepted},
			func(ctx context.Context, in *GroupMemberPath) (*groupMemberOutput, error) {
				order := r.order
				order.GroupID, order.MemberID = in.ID, in.MemberID
				return s.orderMember(ctx, order)
			})
	}
}

// orderMember applies an order about a member and shows what it left; the
// member's run hears of it.
func (s *service) orderMember(ctx context.Context, o postgres.MemberOrder) (*groupMemberOutput, error) {
	who, _, err := s.permitGroups(ctx)
	if err != nil {
		return nil, err
	}
	o.TeamID, o.ActorID = who.TeamID, who.MemberID
	id, err := s.store.OrderMember(ctx, o)
	if err != nil {
		return nil, err
	}
	g, err := s.store.ShowGroup(ctx, who.TeamID, who.MemberID, o.GroupID)
	if err != nil {
		return nil, err
	}
	for _, m := range g.Members {
		if m.ID == id {
			return &groupMemberOutput{Body: bodyOfMember(m, g.State, s.now())}, nil
		}
	}
	return &groupMemberOutput{Body: groupMemberBody{ID: id, State: omniflow.MemberRemoved, Avatar: "default", Since: s.now()}}, nil
}
