package apiclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Notification is what the token's member was told.
type Notification struct {
	ID               string     `json:"id"`
	At               time.Time  `json:"at"`
	Kind             string     `json:"kind"`
	Text             string     `json:"text"` // "" of a customer_message
	ConversationID   string     `json:"conversation_id"`
	ConversationName string     `json:"conversation_name"`
	MessageID        string     `json:"message_id"` // of a customer_message
	CloseRoom        bool       `json:"close_room"`
	ReadAt           *time.Time `json:"read_at"`
}

// NotificationList is one page, newest first; Unread counts all there are.
type NotificationList struct {
	List[Notification]
	Unread int `json:"unread"`
}

// Notifications lists what the member was told, all or what is unread.
func (c *Client) Notifications(ctx context.Context, unread bool, page Page) (NotificationList, error) {
	var list NotificationList
	query := page.query()
	if unread {
		query.Set("unread", "true")
	}
	err := c.do(ctx, request{method: http.MethodGet, path: "/v1/notifications", query: query, out: &list})
	return list, err
}

// NotificationsRead says which notifications the member has read: IDs, or UpTo
// and all that are older.
type NotificationsRead struct {
	IDs  []string `json:"ids,omitempty"`
	UpTo string   `json:"up_to,omitempty"`
}

// ReadNotifications marks notifications as read and says how many are not.
func (c *Client) ReadNotifications(ctx context.Context, r NotificationsRead) (unread int, err error) {
	var out struct {
		Unread int `json:"unread"`
	}
	err = c.do(ctx, request{method: http.MethodPost, path: "/v1/notifications:read", body: r, out: &out})
	return out.Unread, err
}

// NotificationWatcher is told what WatchNotifications sees. Lost may be nil.
type NotificationWatcher struct {
	Told func(Notification) // each once, from now on
	Lost func(error)        // the stream broke, once a break; watching goes on by itself
}

// WatchNotifications tells what the member is told, as it comes, until ctx ends.
// A stream that ends or breaks is taken up again where it was.
//
// Errors: ctx.Err(); *Problem when the API refuses; *Unreachable when nothing
// answered for the client's patience.
func (c *Client) WatchNotifications(ctx context.Context, w NotificationWatcher) error {
	var place string
	seen := map[string]bool{} // since place
	silent, told := time.Now(), false
	alive := func() { silent, told = time.Now(), false }
	for {
		err := c.follow(ctx, "/v1/notifications/events", place, alive, func(e event) (bool, error) {
			if len(e.data) > 0 {
				var n Notification
				if err := json.Unmarshal(e.data, &n); err != nil {
					return false, fmt.Errorf("read a notification: %w", err)
				}
				if !seen[n.ID] {
					seen[n.ID] = true
					w.Told(n)
				}
			}
			if e.id != "" {
				place = e.id
				clear(seen)
			}
			return false, nil
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if final(err) || time.Since(silent) > c.patience {
			return err
		}
		if broken(err) && !errors.Is(err, errStreamEnded) && !told && w.Lost != nil {
			told = true
			w.Lost(err)
		}
		if err := wait(ctx, c.pollEvery); err != nil {
			return err
		}
	}
}
