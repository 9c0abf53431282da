package apiclient

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// stream writes events and leaves the stream, or cuts it.
func stream(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/event-stream")
	reply(w, 200, text)
	w.(http.Flusher).Flush()
}

const (
	running  = `{"id":"B","state":"running","counts":{"planned":2,"sent":1}}`
	finished = `{"id":"B","state":"finished","finished_at":"2026-11-20T12:00:00Z","counts":{"planned":2,"sent":2}}`
)

func isProgress(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/progress") }

// watch follows broadcast B and gives what the watcher was told.
func watch(c *Client) (last Broadcast, seen []int, lost int, err error) {
	last, err = c.Watch(context.Background(), "B", Watcher{
		Update: func(b Broadcast) { seen = append(seen, b.Counts.Sent) },
		Lost:   func(error) { lost++ },
	})
	return last, seen, lost, err
}

func TestWatchReadsTheStream(t *testing.T) {
	t.Parallel()
	c, calls := api(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		if !isProgress(r) || r.Header.Get("Accept") != "text/event-stream" {
			reply(w, 200, finished)
			return
		}
		stream(w, ": heartbeat\n\nevent: progress\r\ndata: "+running+"\r\n\r\nid: 7\nevent: done\ndata: "+finished[:10]+"\ndata: "+finished[10:]+"\n\n")
	})
	last, seen, lost, err := watch(c)
	require.NoError(t, err)
	require.True(t, last.Finished())
	require.Equal(t, []int{1, 2, 2}, seen)
	require.Zero(t, lost)
	require.Len(t, calls(), 2)
}

func TestWatchSurvivesARestart(t *testing.T) {
	t.Parallel()
	var streams, polls atomic.Int32
	c, _ := api(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		if !isProgress(r) {
			reply(w, 200, map[bool]string{true: running, false: finished}[polls.Add(1) <= 2])
			return
		}
		switch streams.Add(1) {
		case 1:
			stream(w, "event: progress\ndata: "+running+"\n\n")
			cut(w)
		case 2, 3:
			cut(w)
		default:
			stream(w, "event: done\ndata: {}\n\n")
		}
	})
	last, seen, lost, err := watch(c)
	require.NoError(t, err)
	require.True(t, last.Finished())
	require.Equal(t, []int{1, 1, 1, 2}, seen)
	require.Equal(t, 1, lost, "one break is told once")
}

func TestWatchPollsWithoutAStream(t *testing.T) {
	t.Parallel()
	var polls atomic.Int32
	c, _ := api(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		if isProgress(r) {
			reply(w, 404, `{"code":"not_found"}`)
			return
		}
		if polls.Add(1) < 3 {
			reply(w, 200, running)
			return
		}
		reply(w, 200, finished)
	})
	last, seen, lost, err := watch(c)
	require.NoError(t, err)
	require.True(t, last.Finished())
	require.Equal(t, []int{1, 1, 2}, seen)
	require.Zero(t, lost)
}

func TestWatchEndsWithARefusal(t *testing.T) {
	t.Parallel()
	c, _ := api(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		reply(w, 404, `{"code":"not_found","detail":"no broadcast"}`)
	})
	_, _, _, err := watch(c)
	var p *Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, "not_found", p.Code)
}

func TestWatchLosesPatience(t *testing.T) {
	t.Parallel()
	c, _ := api(t, func(_ int, w http.ResponseWriter, _ *http.Request) { cut(w) })
	_, _, lost, err := watch(c)
	var u *Unreachable
	require.ErrorAs(t, err, &u)
	require.Equal(t, 1, lost)
}

func TestWatchEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	c, _ := api(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		stream(w, "event: progress\ndata: "+running+"\n\n")
		<-r.Context().Done()
	})
	_, err := c.Watch(ctx, "B", Watcher{Update: func(Broadcast) { cancel() }})
	require.ErrorIs(t, err, context.Canceled)
}

func TestReadEvents(t *testing.T) {
	t.Parallel()
	alive := 0
	var got []event
	err := readEvents(strings.NewReader(":c\n\nid: 7\n\ndata:a\ndata: b\n\nid: 8\nevent: done\n\nevent: never\n\n"), func() { alive++ },
		func(e event) (bool, error) { got = append(got, e); return e.name == "done", nil })
	require.NoError(t, err)
	require.Equal(t, []event{{id: "7", data: []byte{}}, {data: []byte("a\nb")}, {id: "8", name: "done", data: []byte{}}}, got)
	require.Equal(t, 10, alive)
	require.ErrorIs(t, readEvents(strings.NewReader("data: half"), func() {}, nil), errStreamEnded)
	stop := errors.New("stop")
	err = readEvents(strings.NewReader("data: x\n\n"), func() {}, func(event) (bool, error) { return false, stop })
	require.ErrorIs(t, err, stop)
}
