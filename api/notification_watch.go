package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"omniflow/internal/postgres"
)

const (
	// notificationPause is the shortest pause between two looks for what is new.
	// A look that took long makes the pause ten times as long as it took.
	notificationPause = time.Second
	// notificationLife is how long a stream lives: then the client asks again,
	// and is asked who it is.
	notificationLife = 15 * time.Minute
)

type watchNotificationsInput struct {
	LastEventID string `header:"Last-Event-ID" doc:"Of the last event; without it the stream begins now."`
}

// watchNotifications streams until the client goes, notificationLife is over,
// or the program is told to stop; the client then goes on elsewhere, from the
// id of the last event. That of a stream in which nothing has happened yet comes
// by itself, before the first event.
func (s *service) watchNotifications(ctx context.Context, in *watchNotificationsInput) (*huma.StreamResponse, error) {
	who := identityOf(ctx)
	w := &notificationStream{service: s, who: who}
	var err error
	if in.LastEventID == "" {
		w.place, err = s.store.NewestNotification(ctx, who.TeamID, who.MemberID)
	} else if w.place, err = postgres.ParseNotificationPlace(in.LastEventID); err == nil {
		_, _, err = s.store.NewNotifications(ctx, who.TeamID, who.MemberID, w.place) // a bad place is a problem and no stream
	}
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		r, out := humago.Unwrap(ctx)
		w.out = openEvents(out)
		if err := w.run(r.Context()); err != nil && r.Context().Err() == nil {
			s.log.WarnContext(r.Context(), "notification stream ended", "error", err)
		}
	}}, nil
}

// notificationStream is one member's.
type notificationStream struct {
	*service
	who   identity
	place postgres.NotificationPlace
	out   *eventStream
}

func (w *notificationStream) run(ctx context.Context) error {
	if err := w.out.write("id: %s\n\n", w.place); err != nil {
		return err
	}
	for until := time.Now().Add(notificationLife); time.Now().Before(until); {
		begin := time.Now()
		if err := w.look(ctx); err != nil {
			return err // the client asks again and is told what is wrong
		}
		if !w.pause(ctx, max(notificationPause, 10*time.Since(begin))) {
			return nil
		}
	}
	return nil
}

// look writes what is new, or that there is nothing. Only the last of several
// has an id: a stream that breaks among them gives all of them again, and not
// some of them never.
func (w *notificationStream) look(ctx context.Context) error {
	found, next, err := w.store.NewNotifications(ctx, w.who.TeamID, w.who.MemberID, w.place)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return w.out.comment("still here")
	}
	for i, n := range found {
		data, err := json.Marshal(bodyOfNotification(n))
		if err != nil {
			return fmt.Errorf("write notification: %w", err)
		}
		if i == len(found)-1 {
			err = w.out.write("id: %s\nevent: notification\ndata: %s\n\n", next, data)
		} else {
			err = w.out.event("notification", data)
		}
		if err != nil {
			return err
		}
	}
	w.place = next
	return nil
}
