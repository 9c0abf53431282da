package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

// ConversationPath is the path of one conversation.
type ConversationPath struct {
	ID uuid.UUID `path:"id"`
}

type listConversationsInput struct {
	PageInput
	View         string `query:"view" doc:"my_handling, team_handling, pending_human, pending_bot, my_closed or team_closed; without it: all (SRC-02)."`
	Channel      string `query:"channel"`
	Type         string `query:"type" doc:"one_to_one, whatsapp_group, line_group, or group for any."`
	Follow       string `query:"follow" doc:"followed: a follower and nobody else; collaborative."`
	Waiting      bool   `query:"waiting" doc:"Only where the customer has waited for a person for 30 minutes or longer; the longest first, unless sort says otherwise."`
	Unread       bool   `query:"unread" doc:"Only with messages that the asker has not read."`
	Search       string `query:"search" doc:"In name, phone, email, note, tag and messages, whatever the case."`
	Tag          string `query:"tag"`
	Member       string `query:"member" doc:"Id of the follower."`
	MemberRole   string `query:"member_role" doc:"Of the follower."`
	MemberStore  string `query:"member_store" doc:"Of the follower."`
	MemberRegion string `query:"member_region" doc:"Of the follower."`
	Sort         string `query:"sort" doc:"-last_message (new to old, the default), last_message, -followed, followed, or waiting: longest first."`
}

type conversationListOutput struct{ Body listBody[conversationBody] }

type conversationOutput struct{ Body conversationBody }

type conversationLogOutput struct {
	Body struct {
		Items []groupLogBody `json:"items"`
	}
}

func (s *service) addConversations() {
	const one = "/v1/conversations/{id}"
	register(s, route{method: http.MethodGet, path: "/v1/conversations", id: "list-conversations", summary: "List the conversations that I may see", access: memberOnly},
		s.listConversations)
	register(s, route{method: http.MethodGet, path: one, id: "get-conversation", summary: "Show a conversation", access: memberOnly},
		func(ctx context.Context, in *ConversationPath) (*conversationOutput, error) {
			return s.showConversation(ctx, in.ID)
		})
	register(s, route{method: http.MethodGet, path: one + "/log", id: "get-conversation-log", summary: "Show the event state log of a conversation", access: memberOnly},
		s.conversationLog)
	register(s, route{method: http.MethodPost, path: one + ":view", id: "view-conversation", summary: "Look at a conversation: under \"my\" that reads it", access: memberOnly},
		s.viewConversation)
	for name, pin := range map[string]bool{"pin": true, "unpin": false} {
		register(s, route{method: http.MethodPost, path: one + ":" + name, id: name + "-conversation", summary: name + " a conversation of my handling", access: memberOnly},
			func(ctx context.Context, in *ConversationPath) (*conversationOutput, error) {
				who := identityOf(ctx)
				if err := s.store.SetPin(ctx, who.TeamID, in.ID, who.MemberID, pin); err != nil {
					return nil, err
				}
				return s.showConversation(ctx, in.ID)
			})
	}
	s.addConversationMoves()
	s.addConversationCreation()
	s.addCollaborators()
}

func (s *service) showConversation(ctx context.Context, id uuid.UUID) (*conversationOutput, error) {
	who := identityOf(ctx)
	c, err := s.store.ShowConversation(ctx, who.TeamID, who.MemberID, who.Actor.Role, id)
	if err != nil {
		return nil, err
	}
	return &conversationOutput{Body: bodyOfConversation(c, who.MemberID)}, nil
}

func (s *service) listConversations(ctx context.Context, in *listConversationsInput) (*conversationListOutput, error) {
	who := identityOf(ctx)
	q := postgres.ConversationQuery{TeamID: who.TeamID, ViewerID: who.MemberID, Role: who.Actor.Role, Limit: in.Limit,
		ConversationFilter: omniflow.ConversationFilter{View: omniflow.View(in.View), Channel: omniflow.Channel(in.Channel), Type: in.Type, Follow: in.Follow,
			Waiting: in.Waiting, Unread: in.Unread, Search: in.Search, Tag: in.Tag, MemberRole: omniflow.Role(in.MemberRole), MemberStore: in.MemberStore,
			MemberRegion: in.MemberRegion, Sort: omniflow.ConversationSort(in.Sort)}}
	if !q.Role.Handles() {
		return nil, omniflow.Refuse(omniflow.PermissionDenied, "ROL-04", "the role %q has nothing to do with conversations", q.Role)
	}
	if no := q.Check(); no != nil {
		return nil, no
	}
	if err := readConversationQuery(in, &q); err != nil {
		return nil, err
	}
	team, err := s.store.LoadTeam(ctx, who.TeamID)
	if err != nil {
		return nil, err
	}
	q.Groups = slices.Contains(team.Flags, string(omniflow.WhatsAppGroupEnabled)) && omniflow.Permit(omniflow.UseWhatsAppGroups, q.Role, omniflow.Relation{}) == nil
	found, err := s.store.ListConversations(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &conversationListOutput{Body: listBody[conversationBody]{Items: make([]conversationBody, len(found))}}
	for i, c := range found {
		out.Body.Items[i] = bodyOfConversation(c, who.MemberID)
	}
	out.Body.Next = nextAfter(found, in.Limit, func(c postgres.ConversationView) string { return cursorOf(c, q) })
	return out, nil
}

// readConversationQuery reads what has a form of its own: the member and the
// cursor.
func readConversationQuery(in *listConversationsInput, q *postgres.ConversationQuery) error {
	if in.Member != "" {
		id, err := uuid.Parse(in.Member)
		if err != nil {
			return omniflow.Refuse(omniflow.BadQuery, "SRC-04", "member is the id of a member")
		}
		q.Member = id
	}
	if in.After == "" {
		return nil
	}
	cursor, err := readCursor(in.After, *q)
	q.After = cursor
	return err
}

// cursorOf is the place of a conversation in the list of q.
func cursorOf(c postgres.ConversationView, q postgres.ConversationQuery) string {
	pinned := c.Pinned && q.View == omniflow.MyHandling
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s %t %d %s", q.Sort, pinned, c.SortKey.UnixMicro(), c.ID))
}

func readCursor(text string, q postgres.ConversationQuery) (*postgres.ConversationCursor, error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	parts := strings.Split(string(raw), " ")
	if err != nil || len(parts) != 4 || parts[0] != string(q.Sort) {
		return nil, badInput("after is not the next of a page of this list")
	}
	pinned, pinErr := strconv.ParseBool(parts[1])
	at, atErr := strconv.ParseInt(parts[2], 10, 64)
	id, idErr := uuid.Parse(parts[3])
	key := time.UnixMicro(at).UTC()
	if errors.Join(pinErr, atErr, idErr) != nil || key.Year() < 1 || key.Year() > 9999 {
		return nil, badInput("after is not the next of a page of this list")
	}
	return &postgres.ConversationCursor{Pinned: pinned, Key: key, ID: id}, nil
}

func (s *service) conversationLog(ctx context.Context, in *ConversationPath) (*conversationLogOutput, error) {
	if _, err := s.showConversation(ctx, in.ID); err != nil {
		return nil, err
	}
	items, err := s.store.ConversationLog(ctx, identityOf(ctx).TeamID, in.ID)
	if err != nil {
		return nil, err
	}
	out := &conversationLogOutput{}
	out.Body.Items = make([]groupLogBody, len(items))
	for i, item := range items {
		out.Body.Items[i] = groupLogBody(item)
	}
	return out, nil
}

func (s *service) viewConversation(ctx context.Context, in *ConversationPath) (*conversationOutput, error) {
	who := identityOf(ctx)
	if err := s.store.ViewConversation(ctx, who.TeamID, in.ID, who.MemberID); err != nil {
		return nil, err
	}
	return s.showConversation(ctx, in.ID)
}
