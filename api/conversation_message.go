package main

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
	"omniflow/internal/temporalclient"
)

type sendMessageInput struct {
	ConversationPath
	Body struct {
		Kind            omniflow.MessageKind `json:"kind" enum:"text,shopping_link,image,video,audio,file,template,saved_reply,coupon" doc:"shopping_link is a text with a link, and promotional (WIN-02). coupon is refused: no system of coupons is connected."`
		Text            string               `json:"text,omitempty" doc:"May hold {{system:customer_name}}; beside a file on WhatsApp its caption."`
		Template        *omniflow.Template   `json:"template,omitempty"`
		MediaID         uuid.UUID            `json:"media_id,omitzero" required:"false" doc:"Of POST /v1/media."`
		SavedReplyID    uuid.UUID            `json:"saved_reply_id,omitzero" required:"false" doc:"Its messages are sent in order."`
		QuotedMessageID uuid.UUID            `json:"quoted_message_id,omitzero" required:"false" doc:"Of a message of this conversation, on WhatsApp (QUO-02)."`
	}
}

type listMessagesInput struct {
	ConversationPath
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"Items at most."`
	After string `query:"after" doc:"The next of the page before."`
}

type conversationMessageBody struct {
	ID         uuid.UUID          `json:"id"`
	Direction  string             `json:"direction" enum:"in,out"`
	At         time.Time          `json:"at"`
	Kind       string             `json:"kind"`
	Text       string             `json:"text" doc:"Of a template its name."`
	Contents   []omniflow.Content `json:"contents,omitempty" doc:"out: what was sent, in one call."`
	Origin     omniflow.Origin    `json:"origin" doc:"out: agent, auto_reply, reminder, survey; empty for a broadcast."`
	SenderID   *uuid.UUID         `json:"sender_id"`
	Sender     string             `json:"sender"`
	QuotedID   string             `json:"quoted_id" doc:"The provider's id of the message it answers."`
	ProviderID string             `json:"provider_id"`
	State      string             `json:"state" doc:"out: queued, sending, sent, received, read, failed, skipped or unknown"`
	Code       string             `json:"code" doc:"Why it failed, or what it waits for."`
	Reason     string             `json:"reason" doc:"The same in Chinese, where the console has a text."`
	SentAt     *time.Time         `json:"sent_at"`
	ReceivedAt *time.Time         `json:"received_at"`
	ReadAt     *time.Time         `json:"read_at"`

	QuotedMessageID *uuid.UUID `json:"quoted_message_id" doc:"The message of this conversation that it answers, ours or the customer's (QUO-01, QUO-02)."`
	QuotedText      string     `json:"quoted_text" doc:"What that says; not on LINE, which shows an answer without it."`

	Media   []omniflow.InboundMedia `json:"media" doc:"in: the files of the customer's message, each with what became of it."`
	Sticker *omniflow.LINESticker   `json:"sticker,omitempty" doc:"in: of LINE, which gives no file of it."`
}

type listMessagesOutput struct {
	Body listBody[conversationMessageBody]
}

type resendInput struct {
	ConversationPath
	MessageID uuid.UUID `path:"message_id"`
}

func (s *service) addConversationMessages() {
	const path = "/v1/conversations/{id}/messages"
	register(s, route{method: http.MethodPost, path: path, id: "send-message", summary: "Send a message in a conversation", access: memberOnly,
		status: http.StatusAccepted}, s.sendConversationMessage)
	register(s, route{method: http.MethodGet, path: path, id: "list-messages", summary: "List the messages of a conversation, in and out, newest first",
		access: memberOnly}, s.listConversationMessages)
	register(s, route{method: http.MethodPost, path: path + "/{message_id}:resend", id: "resend-message", summary: "Send a failed message again",
		access: memberOnly, status: http.StatusAccepted}, s.resendConversationMessage)
}

// sendConversationMessage checks a message as far as it can be known now, queues
// it behind those before it, and tells the run at once.
func (s *service) sendConversationMessage(ctx context.Context, in *sendMessageInput) (*sentMessageOutput, error) {
	who, b := identityOf(ctx), in.Body
	c := omniflow.Content{Kind: b.Kind, Text: b.Text, Template: b.Template, MediaID: b.MediaID, SavedReplyID: b.SavedReplyID}
	target, err := s.store.FindReplyTarget(ctx, who.TeamID, in.ID, who.MemberID)
	if err != nil {
		return nil, err
	}
	if c, err = s.freezeReply(ctx, who, target, c); err != nil {
		return nil, err
	}
	m := postgres.NewConversationMessage{ID: newResourceID(ctx), TeamID: who.TeamID, ConversationID: in.ID, ActorID: who.MemberID,
		Contents: []omniflow.Content{c}, QuotedID: b.QuotedMessageID}
	signal, err := s.store.SendConversationMessage(ctx, m)
	if err != nil {
		return nil, err
	}
	s.signalSoon(ctx, signal)
	return acceptedMessage(who.TeamID, in.ID, m.ID), nil
}

// freezeReply puts into a content what it names, as it is now, and checks it for
// the conversation's channel.
func (s *service) freezeReply(ctx context.Context, who identity, to postgres.ReplyTarget, c omniflow.Content) (omniflow.Content, error) {
	if c.Kind == omniflow.LinkMessage {
		link, no := omniflow.ShoppingLink(to.Channel, c.Text)
		if no != nil {
			return c, no
		}
		return link, nil
	}
	if c.Kind == omniflow.TemplateKind && to.Channel == omniflow.WhatsApp {
		if no := c.Check(); no != nil {
			return c, no
		}
		if err := s.checkTemplate(ctx, who.TeamID, []string{to.WABAID}, *c.Template); err != nil {
			return c, err
		}
	}
	messages := []omniflow.Content{c}
	var facts []omniflow.ContentFacts
	var err error
	if c.Kind == omniflow.Audio && c.MediaID != uuid.Nil {
		err = s.freezeMedia(ctx, who, &messages[0])
	} else if no := c.Check(); no == nil {
		facts, err = s.freeze(ctx, who, messages)
	}
	if err != nil {
		return c, err
	}
	for _, f := range facts {
		if f.BotModule {
			return c, omniflow.Refuse(omniflow.ContentUnsupported, "RPL-04", "a bot module is run by another system: send a custom saved reply")
		}
	}
	if no := omniflow.CheckConversationContent(to.Channel, messages[0]); no != nil {
		return c, no
	}
	return messages[0], nil
}

func acceptedMessage(teamID, conversationID, id uuid.UUID) *sentMessageOutput {
	out := &sentMessageOutput{}
	out.Body.ID, out.Body.WorkflowID, out.Body.State = id, omniflow.ServeConversationID(teamID, conversationID), omniflow.Queued
	return out
}

// signalBudget is how long an accepted request waits for its run to hear of it;
// the relay tells it otherwise.
const signalBudget = time.Second

// signalSoon delivers a promised signal, or leaves it to the relay. Twice is
// once: the engine knows it by its id.
func (s *service) signalSoon(ctx context.Context, signal *postgres.Signal) {
	if signal == nil {
		return // the run is about to look
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), signalBudget)
	defer cancel()
	err := s.engine.Signal(ctx, temporalclient.OutboxSignal(*signal))
	if err == nil {
		err = s.store.KeepSignal(ctx, *signal)
	}
	if err != nil {
		s.log.WarnContext(ctx, "signal run later", "workflow_id", signal.WorkflowID, "error", err)
	}
}

func (s *service) resendConversationMessage(ctx context.Context, in *resendInput) (*sentMessageOutput, error) {
	who := identityOf(ctx)
	signal, err := s.store.ResendConversationMessage(ctx, omniflow.ResendInput{
		ConversationRef: omniflow.ConversationRef{TeamID: who.TeamID, ConversationID: in.ID}, MessageID: in.MessageID, ActorID: who.MemberID})
	if err != nil {
		return nil, err
	}
	s.signalSoon(ctx, signal)
	return acceptedMessage(who.TeamID, in.ID, in.MessageID), nil
}

func (s *service) listConversationMessages(ctx context.Context, in *listMessagesInput) (*listMessagesOutput, error) {
	who := identityOf(ctx)
	before, err := parseCursor(in.After)
	if err != nil {
		return nil, err
	}
	items, err := s.store.ConversationMessages(ctx, who.TeamID, in.ID, who.MemberID, before, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &listMessagesOutput{Body: listBody[conversationMessageBody]{Items: make([]conversationMessageBody, len(items))}}
	for i, m := range items {
		out.Body.Items[i] = bodyOfMessage(m)
	}
	out.Body.Next = nextAfter(items, in.Limit, func(m postgres.ConversationItem) string {
		return strconv.FormatInt(m.At.UnixMicro(), 10) + "_" + m.ID.String()
	})
	return out, nil
}

// parseCursor reads the next of a page: microseconds and an id.
func parseCursor(s string) (postgres.Cursor, error) {
	if s == "" {
		return postgres.Cursor{}, nil
	}
	at, id, _ := strings.Cut(s, "_")
	micros, err := strconv.ParseInt(at, 10, 64)
	parsed, bad := uuid.Parse(id)
	if err != nil || bad != nil || parsed == uuid.Nil {
		return postgres.Cursor{}, badInput("after is not the next of a page")
	}
	return postgres.Cursor{At: time.UnixMicro(micros), ID: parsed}, nil
}

func bodyOfMessage(m postgres.ConversationItem) conversationMessageBody {
	out := conversationMessageBody{ID: m.ID, Direction: m.Direction, At: m.At, Kind: m.Kind, Text: m.Text, Contents: m.Contents, Origin: m.Origin,
		SenderID: m.SenderID, Sender: m.Sender, QuotedID: m.QuotedID, ProviderID: m.ProviderID, State: m.State, Code: m.Code,
		Reason: omniflow.Code(m.Code).Text(), SentAt: m.SentAt, ReceivedAt: m.ReceivedAt, ReadAt: m.ReadAt,
		QuotedMessageID: m.Quoted, QuotedText: m.QuotedText, Media: m.Media, Sticker: m.Sticker}
	if m.Text == "" && m.Kind == string(omniflow.AskedForHuman) {
		out.Text = "asks for a person" // a tap, which has no words of its own
	}
	return out
}
