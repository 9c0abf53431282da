package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

type listRecipientsInput struct {
	BroadcastPath
	PageInput
	State   string `query:"state" doc:"Only rows in this state."`
	Channel string `query:"channel"`
	Code    string `query:"code" doc:"Only rows with this reason."`
}

type recipientBody struct {
	MessageID      uuid.UUID             `json:"message_id"`
	ConversationID uuid.UUID             `json:"conversation_id"`
	CustomerID     string                `json:"customer_id"`
	Channel        omniflow.Channel      `json:"channel"`
	Ordinal        int                   `json:"ordinal" doc:"Which provider call of this recipient."`
	State          omniflow.MessageState `json:"state"`
	Code           string                `json:"code"`
	Attempt        int                   `json:"attempt"`
	SentAt         *time.Time            `json:"sent_at"`
	ReceivedAt     *time.Time            `json:"received_at"`
	ReadAt         *time.Time            `json:"read_at"`
}

type recipientListOutput struct{ Body listBody[recipientBody] }

type timelineInput struct {
	BroadcastPath
	ConversationID uuid.UUID `path:"conversation_id"`
}

type timelineItemBody struct {
	At         time.Time  `json:"at"`
	Kind       string     `json:"kind" doc:"planned, wait, attempt, webhook or state"`
	MessageID  uuid.UUID  `json:"message_id"`
	Ordinal    int        `json:"ordinal" doc:"Which provider call of this recipient."`
	State      string     `json:"state,omitempty"`
	Code       string     `json:"code,omitempty" doc:"planned: eligible, or why skipped; wait: limit, webhooks or the fault; else the reason."`
	Until      *time.Time `json:"until,omitempty" doc:"Of a wait."`
	Attempt    int        `json:"attempt,omitempty"`
	HTTPStatus int        `json:"http_status,omitempty"`
	LatencyMS  int        `json:"latency_ms,omitempty"`
	ProviderID string     `json:"provider_id,omitempty"`
	Trace      string     `json:"trace,omitempty" doc:"The provider's request id, for its support."`
}

type timelineOutput struct {
	Body struct {
		Items []timelineItemBody `json:"items"`
	}
}

func (s *service) addRecipients() {
	register(s, route{method: http.MethodGet, path: "/v1/broadcasts/{id}/recipients", id: "list-recipients", summary: "List the ledger rows of a broadcast",
		access: memberOnly}, s.listRecipients)
	register(s, route{method: http.MethodGet, path: "/v1/broadcasts/{id}/recipients/{conversation_id}/timeline", id: "get-timeline",
		summary: "Tell what happened to one recipient", access: memberOnly}, s.getTimeline)
}

func (s *service) listRecipients(ctx context.Context, in *listRecipientsInput) (*recipientListOutput, error) {
	who := identityOf(ctx)
	if err := permitOperate(who); err != nil {
		return nil, err
	}
	if in.State != "" {
		if _, no := omniflow.ParseMessageState(in.State); no != nil {
			return nil, no
		}
	}
	q := postgres.RecipientQuery{TeamID: who.TeamID, BroadcastID: in.ID, State: in.State, Channel: in.Channel, Code: in.Code, AfterSeq: -1, Limit: in.Limit}
	if in.After != "" {
		var err error
		if q.AfterAccount, q.AfterSeq, err = readPlace(in.After); err != nil {
			return nil, err
		}
	}
	rows, err := s.store.ListRecipients(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &recipientListOutput{Body: listBody[recipientBody]{Items: make([]recipientBody, len(rows))}}
	for i, r := range rows {
		out.Body.Items[i] = recipientBody{MessageID: r.MessageID, ConversationID: r.ConversationID, CustomerID: r.CustomerID, Channel: r.Channel,
			Ordinal: r.Ordinal, State: r.State, Code: r.Code, Attempt: r.Attempt, SentAt: r.SentAt, ReceivedAt: r.ReceivedAt, ReadAt: r.ReadAt}
	}
	out.Body.Next = nextAfter(rows, in.Limit, placeOf)
	return out, nil
}

// placeOf is the cursor of a row: its lane and its place there.
func placeOf(r postgres.BroadcastRecipient) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s %d", r.ChannelAccountID, r.Seq))
}

func readPlace(cursor string) (account uuid.UUID, seq int, err error) {
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	id, place, _ := strings.Cut(string(text), " ")
	account, accountErr := uuid.Parse(id)
	seq, seqErr := strconv.Atoi(place)
	if errors.Join(err, accountErr, seqErr) != nil {
		return uuid.Nil, 0, badInput("after is not the next of a page")
	}
	return account, seq, nil
}

func (s *service) getTimeline(ctx context.Context, in *timelineInput) (*timelineOutput, error) {
	who := identityOf(ctx)
	if err := permitOperate(who); err != nil {
		return nil, err
	}
	items, err := s.store.Timeline(ctx, who.TeamID, in.ID, in.ConversationID)
	if err != nil {
		return nil, err
	}
	out := &timelineOutput{}
	out.Body.Items = make([]timelineItemBody, len(items))
	for i, item := range items {
		out.Body.Items[i] = timelineItemBody(item)
	}
	return out, nil
}
