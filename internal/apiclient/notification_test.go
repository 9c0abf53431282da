package apiclient

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWatchNotificationsGoesOnWhereTheStreamBroke(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	places := make(chan string, 9)
	c, _ := api(t, func(i int, w http.ResponseWriter, r *http.Request) {
		places <- r.Header.Get("Last-Event-ID")
		switch i {
		case 0:
			stream(w, "id: p0\n\n: still here\n\nevent: notification\ndata: {\"id\":\"1\"}\n\n") // of two in one look
			cut(w)
		case 1, 2:
			cut(w)
		case 3: // both again; then it ends in good order
			stream(w, "event: notification\ndata: {\"id\":\"1\"}\n\nid: p2\nevent: notification\ndata: {\"id\":\"2\",\"text\":\"t\"}\n\n")
		default:
			stream(w, "id: p3\nevent: notification\ndata: {\"id\":\"3\",\"close_room\":true}\n\n")
			<-r.Context().Done()
		}
	})
	var told []Notification
	lost := 0
	err := c.With(Patience(time.Minute)).WatchNotifications(ctx, NotificationWatcher{
		Told: func(n Notification) {
			if told = append(told, n); n.CloseRoom {
				cancel()
			}
		},
		Lost: func(error) { lost++ },
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, []Notification{{ID: "1"}, {ID: "2", Text: "t"}, {ID: "3", CloseRoom: true}}, told, "each once")
	require.Equal(t, 1, lost, "one break is told once, and an orderly end not at all")
	for _, place := range []string{"", "p0", "p0", "p0", "p2"} {
		require.Equal(t, place, <-places)
	}
}

func TestWatchNotificationsEndsWithARefusalOrPatience(t *testing.T) {
	t.Parallel()
	c, _ := api(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		reply(w, 403, `{"code":"actor_inactive","status":403}`)
	})
	var p *Problem
	require.ErrorAs(t, c.WatchNotifications(context.Background(), NotificationWatcher{}), &p)
	require.Equal(t, "actor_inactive", p.Code)
	c, _ = api(t, func(_ int, w http.ResponseWriter, _ *http.Request) { cut(w) })
	var u *Unreachable
	require.ErrorAs(t, c.WatchNotifications(context.Background(), NotificationWatcher{}), &u)
}
