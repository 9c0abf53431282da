package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"
)

const (
	// progressPause is the shortest pause between two looks at a broadcast. A
	// look that took long makes the pause ten times as long as it took.
	progressPause = time.Second
	// progressWrite bounds one write to a slow client.
	progressWrite = 10 * time.Second
)

func (s *service) addProgress() {
	register(s, route{method: http.MethodGet, path: "/v1/broadcasts/{id}/progress", id: "watch-broadcast", access: memberOnly,
		summary: `Watch a broadcast: server-sent events "progress" with its detail whenever it changed, "done" at the end`}, s.watchBroadcast)
}

// watchBroadcast streams until the broadcast has ended, the client goes, or
// the program is told to stop; the client then watches again elsewhere.
func (s *service) watchBroadcast(ctx context.Context, in *BroadcastPath) (*huma.StreamResponse, error) {
	who := identityOf(ctx)
	if err := permitOperate(who); err != nil {
		return nil, err
	}
	if _, err := s.showBroadcast(ctx, who.TeamID, in.ID); err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		r, w := humago.Unwrap(ctx)
		if err := s.stream(r.Context(), openEvents(w), who.TeamID, in.ID); err != nil && r.Context().Err() == nil {
			s.log.WarnContext(r.Context(), "progress stream ended", "error", err)
		}
	}}, nil
}

func (s *service) stream(ctx context.Context, out *eventStream, teamID, id uuid.UUID) error {
	var last []byte
	for {
		begin := time.Now()
		b, err := s.showBroadcast(ctx, teamID, id)
		if err != nil {
			return err // the client watches again and is told what is wrong
		}
		detail, err := json.Marshal(b.Body)
		if err != nil {
			return fmt.Errorf("write detail: %w", err)
		}
		if b.Body.FinishedAt != nil {
			return out.event("done", detail)
		}
		if bytes.Equal(detail, last) {
			err = out.comment("still here")
		} else {
			err = out.event("progress", detail)
		}
		if err != nil {
			return err
		}
		last = detail
		if !s.pause(ctx, max(progressPause, 10*time.Since(begin))) {
			return nil
		}
	}
}

// pause waits for d; false means that the stream must end.
func (s *service) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.draining:
	case <-ctx.Done():
	}
	return false
}

// eventStream writes server-sent events, each at once.
type eventStream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// openEvents begins an answer of server-sent events.
func openEvents(w http.ResponseWriter) *eventStream {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	return &eventStream{w: w, control: http.NewResponseController(w)}
}

func (e *eventStream) event(name string, data []byte) error {
	return e.write("event: %s\ndata: %s\n\n", name, data)
}

func (e *eventStream) comment(text string) error { return e.write(": %s\n\n", text) }

func (e *eventStream) write(format string, args ...any) error {
	if err := e.control.SetWriteDeadline(time.Now().Add(progressWrite)); err != nil {
		return fmt.Errorf("bound write: %w", err)
	}
	if _, err := fmt.Fprintf(e.w, format, args...); err != nil {
		return fmt.Errorf("write event: %w", err)
	}
	return e.control.Flush()
}
