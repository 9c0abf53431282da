package apiclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Watcher is told what Watch sees. Each field may be nil.
type Watcher struct {
	Update func(Broadcast) // every change, and the state at the end
	Lost   func(error)     // the stream broke, once a break; Watch goes on by itself
}

// Watch follows a broadcast to its end and returns its last state. It reads the
// progress stream; while there is none it polls about once a second and tries
// the stream again, so a restart of the API is only a pause.
//
// Errors: ctx.Err(); *Problem when the API refuses, such as not_found;
// *Unreachable when nothing answered for the client's patience.
func (c *Client) Watch(ctx context.Context, id string, w Watcher) (Broadcast, error) {
	silent, told := time.Now(), false // nobody answered since silent
	update := func(b Broadcast) {
		silent = time.Now()
		if w.Update != nil {
			w.Update(b)
		}
	}
	for {
		err := c.followBroadcast(ctx, id, func(b Broadcast) { told = false; update(b) })
		if ctx.Err() != nil {
			return Broadcast{}, ctx.Err()
		}
		if broken(err) && !told && w.Lost != nil {
			told = true
			w.Lost(err)
		}
		b, err := c.Broadcast(ctx, id)
		switch {
		case err == nil:
			update(b)
			if b.Finished() {
				return b, nil
			}
		case final(err) || time.Since(silent) > c.patience:
			return Broadcast{}, err
		}
		if err := wait(ctx, c.pollEvery); err != nil {
			return Broadcast{}, err
		}
	}
}

// broken says that a stream was cut, and not refused by the API.
func broken(err error) bool {
	var p *Problem
	return err != nil && !errors.As(err, &p)
}

// final says that asking again cannot help: the API refuses the request itself.
func final(err error) bool {
	var p *Problem
	return errors.As(err, &p) && p.Status < 500
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// followBroadcast reads one stream until it says done, which is nil, or breaks.
func (c *Client) followBroadcast(ctx context.Context, id string, update func(Broadcast)) error {
	return c.follow(ctx, broadcastPath(id, "/progress"), "", func() {}, func(e event) (bool, error) {
		if len(e.data) > 0 {
			var b Broadcast
			if err := json.Unmarshal(e.data, &b); err != nil {
				return false, fmt.Errorf("read a progress event: %w", err)
			}
			if b.ID != "" {
				update(b)
			}
		}
		return e.name == "done", nil
	})
}

// follow reads one stream of events, behind the one with the id last unless
// that is "", as readEvents does.
func (c *Client) follow(ctx context.Context, path, last string, alive func(), each func(event) (done bool, err error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// A stream that sends not even a heartbeat is dead, though TCP has not noticed.
	watchdog := time.AfterFunc(c.silence, cancel)
	defer watchdog.Stop()
	body, err := c.open(ctx, path, last)
	if err != nil {
		return err
	}
	defer body.Close()
	return readEvents(body, func() { watchdog.Reset(c.silence); alive() }, each)
}

// open asks for a stream of events.
func (c *Client) open(ctx context.Context, path, last string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url(path, nil), nil)
	if err != nil {
		return nil, fmt.Errorf("make request for events: %w", err)
	}
	c.authorize(req)
	req.Header.Set("Accept", "text/event-stream")
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	res, err := c.stream.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if res.StatusCode != http.StatusOK {
		defer res.Body.Close()
		body, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
		if err != nil {
			return nil, c.unreachable(ctx, err)
		}
		return nil, readProblem(res.StatusCode, body)
	}
	return res.Body, nil
}
