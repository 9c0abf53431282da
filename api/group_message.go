package main

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

type groupMessageInput struct {
	GroupPath
	Body struct {
		Kind     omniflow.MessageKind `json:"kind" doc:"text, emoji, shopping_link, image, video, file or template; other kinds are refused with the reason (GRP-25)."`
		Text     string               `json:"text,omitempty"`
		Template *omniflow.Template   `json:"template,omitempty"`
		MediaID  uuid.UUID            `json:"media_id,omitzero" required:"false" doc:"Of POST /v1/media, for image, video and file."`
		QuotedID uuid.UUID            `json:"quoted_message_id,omitzero" required:"false" doc:"The message of this group that it answers, a member's or your own (QUO-02)."`
	}
}

type sentMessageOutput struct {
	Body struct {
		ID         uuid.UUID             `json:"id"`
		WorkflowID string                `json:"workflow_id"`
		State      omniflow.MessageState `json:"state"`
	}
}

type groupMessagesInput struct {
	GroupPath
	Limit int `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type groupMessageBody struct {
	ID        uuid.UUID `json:"id"`
	Direction string    `json:"direction" doc:"in or out"`
	Kind      string    `json:"kind"`
	Text      string    `json:"text" doc:"Of a template its name."`
	State     string    `json:"state" doc:"out: queued, sending, sent, received, read, failed, skipped or unknown"`
	Code      string    `json:"code" doc:"Why it failed or was skipped."`
	At        time.Time `json:"at"`
	Members   int       `json:"members" doc:"out: whom it went to. It is received, or read, when it is so by all of these who are still in the group."`
	Received  int       `json:"received" doc:"out: how many of them have received it."`
	Read      int       `json:"read" doc:"out: how many have read it."`

	QuotedID *uuid.UUID `json:"quoted_message_id" doc:"The message that it answers."`
	Quoted   string     `json:"quoted_text"`

	Media []omniflow.InboundMedia `json:"media" doc:"in: the files of the member's message."`
}

type groupMessagePath struct {
	GroupPath
	MessageID uuid.UUID `path:"message_id"`
}

type groupMessagesOutput struct {
	Body struct {
		Items []groupMessageBody `json:"items"`
	}
}

func (s *service) addGroupMessages() {
	const path = "/v1/groups/{id}/messages"
	register(s, route{method: http.MethodPost, path: path, id: "send-group-message", summary: "Send a message to a group", access: memberOnly,
		status: http.StatusAccepted}, s.sendGroupMessage)
	register(s, route{method: http.MethodGet, path: path, id: "list-group-messages", summary: "List the latest messages of a group, newest first",
		access: memberOnly}, s.listGroupMessages)
	register(s, route{method: http.MethodPost, path: path + "/{message_id}:resend", id: "resend-group-message", summary: "Send a failed message again",
		access: memberOnly, status: http.StatusAccepted}, s.resendGroupMessage)
}

// sendGroupMessage checks a message against GRP-25, VAR-04 and WIN-03,
// queues it, and tells the run of the group's conversation.
func (s *service) sendGroupMessage(ctx context.Context, in *groupMessageInput) (*sentMessageOutput, error) {
	who, _, err := s.permitGroups(ctx)
	if err != nil {
		return nil, err
	}
	g, err := s.store.ShowGroup(ctx, who.TeamID, who.MemberID, in.ID)
	if err != nil {
		return nil, err
	}
	m := postgres.NewGroupMessage{ID: newResourceID(ctx), TeamID: who.TeamID, GroupID: in.ID, ActorID: who.MemberID,
		Content:  omniflow.Content{Kind: in.Body.Kind, Text: in.Body.Text, Template: in.Body.Template, MediaID: in.Body.MediaID},
		QuotedID: in.Body.QuotedID}
	if g.State != omniflow.GroupCreated {
		// What the input box of a group that is not there says comes first.
		return nil, omniflow.Group{State: g.State}.Usable()
	}
	if err := s.checkGroupContent(ctx, who, g.ChannelAccountID, &m.Content); err != nil {
		return nil, err
	}
	signal, err := s.store.SendGroupMessage(ctx, m)
	if err != nil {
		return nil, err
	}
	s.signalSoon(ctx, signal)
	return acceptedMessage(m.TeamID, m.GroupID, m.ID), nil
}

// resendGroupMessage sends a failed message again; a second click finds it
// queued and is refused.
func (s *service) resendGroupMessage(ctx context.Context, in *groupMessagePath) (*sentMessageOutput, error) {
	if _, _, err := s.permitGroups(ctx); err != nil {
		return nil, err
	}
	return s.resendConversationMessage(ctx, &resendInput{ConversationPath: ConversationPath(in.GroupPath), MessageID: in.MessageID})
}

// checkGroupContent is every rule about what a group may be sent. It freezes a
// file into c; emoji and shopping links are texts to the provider.
func (s *service) checkGroupContent(ctx context.Context, who identity, accountID uuid.UUID, c *omniflow.Content) error {
	if no := omniflow.CheckGroupContent(c.Kind, nil); no != nil {
		return no
	}
	switch c.Kind {
	case omniflow.Text, omniflow.Emoji, omniflow.LinkMessage:
		c.Kind = omniflow.Text
		if no := firstRefusal(omniflow.CheckText(omniflow.WhatsApp, c.Text), omniflow.CheckVariables(omniflow.WhatsAppGroup, c.Text)); no != nil {
			return no
		}
		return nil
	case omniflow.TemplateKind:
		if no := c.Check(); no != nil {
			return no
		}
		return s.checkGroupTemplate(ctx, accountID, who.TeamID, *c.Template)
	}
	if no := c.Check(); no != nil {
		return no
	}
	if err := s.freezeMedia(ctx, who, c); err != nil {
		return err
	}
	if no := omniflow.CheckMedia(omniflow.WhatsApp, c.Kind, *c.Media); no != nil {
		return no
	}
	return nil
}

// checkGroupTemplate refuses a template that may not be sent, and one with a
// quick reply or a FLOW (GRP-25).
func (s *service) checkGroupTemplate(ctx context.Context, accountID, teamID uuid.UUID, t omniflow.Template) error {
	known, err := s.store.GroupTemplate(ctx, teamID, accountID, t.Name, t.Language)
	switch {
	case isRefusal(err, omniflow.NotFound):
		return omniflow.Refuse(omniflow.TemplateInvalid, "BRD-10", "the WhatsApp business account has no such template in this language")
	case err != nil:
		return err
	case known.State != templateApproved:
		return omniflow.Refuse(omniflow.TemplateInvalid, "BRD-10", "the template is not approved: %s", known.State)
	case known.BodyParams != len(t.Params):
		return omniflow.Refuse(omniflow.TemplateInvalid, "BRD-10", "the template takes %d parameters, not %d", known.BodyParams, len(t.Params))
	case known.Header != "" || t.Header != nil:
		return omniflow.Refuse(omniflow.ContentUnsupported, "GRP-25", "a template with a file at its head goes by broadcast only")
	}
	for _, p := range t.Params {
		if no := omniflow.CheckVariables(omniflow.WhatsAppGroup, p); no != nil {
			return no
		}
	}
	if no := omniflow.CheckGroupContent(omniflow.TemplateKind, known.Components); no != nil {
		return no
	}
	return nil
}

func (s *service) listGroupMessages(ctx context.Context, in *groupMessagesInput) (*groupMessagesOutput, error) {
	if _, err := s.showGroup(ctx, in.ID); err != nil {
		return nil, err
	}
	messages, err := s.store.GroupMessages(ctx, identityOf(ctx).TeamID, in.ID, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &groupMessagesOutput{}
	out.Body.Items = make([]groupMessageBody, len(messages))
	for i, m := range messages {
		out.Body.Items[i] = groupMessageBody(m)
	}
	return out, nil
}
