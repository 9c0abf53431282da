package main

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

type notificationBody struct {
	ID               uuid.UUID                 `json:"id"`
	At               time.Time                 `json:"at"`
	Kind             omniflow.NotificationKind `json:"kind" doc:"added, removed, left, taken_over, transferred, ended or customer_message"`
	Text             string                    `json:"text" doc:"In Chinese, with the names of now; empty for a customer_message."`
	ConversationID   uuid.UUID                 `json:"conversation_id"`
	ConversationName string                    `json:"conversation_name" doc:"Of the customer or group, as in lists."`
	MessageID        *uuid.UUID                `json:"message_id" doc:"Of a customer_message."`
	CloseRoom        bool                      `json:"close_room" doc:"Close the conversation if it is open: the member takes no part in it any more, or it has ended (NTF-04)."`
	ReadAt           *time.Time                `json:"read_at"`
}

type notificationListBody struct {
	Items  []notificationBody `json:"items"`
	Next   string             `json:"next" doc:"Empty on the last page."`
	Unread int                `json:"unread" doc:"How many there are in all that the member has not read."`
}

type listNotificationsInput struct {
	PageInput
	Unread bool `query:"unread" doc:"Only those that are not read."`
}

type notificationListOutput struct{ Body notificationListBody }

type readNotificationsInput struct {
	Body struct {
		IDs  []uuid.UUID `json:"ids,omitempty" nullable:"false" minItems:"1" maxItems:"200" doc:"These: all or none."`
		UpTo uuid.UUID   `json:"up_to,omitempty" doc:"Instead of ids: this one and all that are older."`
	}
}

type unreadOutput struct {
	Body struct {
		Unread int `json:"unread" doc:"How many are left that the member has not read."`
	}
}

// addNotifications serves what members are told at once (NTF-01). No contract
// of this product has a push provider: the stream is the delivery. It is
// durable, for it reads what was committed with its cause, and it is resumed
// where it broke, so nothing is sent with attempts and given up (D-NTF-1); who
// is away finds it in the list.
func (s *service) addNotifications() {
	const path = "/v1/notifications"
	register(s, route{method: http.MethodGet, path: path, id: "list-notifications", summary: "List what I was told, newest first", access: memberOnly}, s.listNotifications)
	register(s, route{method: http.MethodPost, path: path + ":read", id: "read-notifications", summary: "Mark notifications of mine as read", access: memberOnly}, s.readNotifications)
	register(s, route{method: http.MethodGet, path: path + "/events", id: "watch-notifications", access: memberOnly,
		summary: `Be told at once: server-sent events "notification"; Last-Event-ID goes on where a stream broke`}, s.watchNotifications)
}

func (s *service) listNotifications(ctx context.Context, in *listNotificationsInput) (*notificationListOutput, error) {
	who := identityOf(ctx)
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	found, unread, err := s.store.ListNotifications(ctx, who.TeamID, who.MemberID, in.Unread, postgres.Page{After: after, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &notificationListOutput{Body: notificationListBody{Items: make([]notificationBody, len(found)), Unread: unread}}
	for i, n := range found {
		out.Body.Items[i] = bodyOfNotification(n)
	}
	out.Body.Next = nextAfter(found, in.Limit, func(n postgres.Notification) string { return n.ID.String() })
	return out, nil
}

func bodyOfNotification(n postgres.Notification) notificationBody {
	out := notificationBody{ID: n.ID, At: n.CreatedAt, Kind: n.Kind, Text: n.Text, ConversationID: n.ConversationID, ConversationName: n.Conversation,
		CloseRoom: n.Kind.ClosesRoom(), ReadAt: n.ReadAt}
	if n.Kind == omniflow.NotifiedCustomerMessage {
		out.MessageID = &n.ActionID
	}
	return out
}

func (s *service) readNotifications(ctx context.Context, in *readNotificationsInput) (*unreadOutput, error) {
	who, out := identityOf(ctx), &unreadOutput{}
	var err error
	switch ids, upTo := in.Body.IDs, in.Body.UpTo; {
	case (len(ids) == 0) == (upTo == uuid.Nil):
		return nil, badInput("give ids or up_to, and not both")
	case len(ids) > 0:
		out.Body.Unread, err = s.store.ReadNotifications(ctx, who.TeamID, who.MemberID, ids)
	default:
		out.Body.Unread, err = s.store.ReadNotificationsUpTo(ctx, who.TeamID, who.MemberID, upTo)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}
