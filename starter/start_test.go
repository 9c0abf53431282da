package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	wantRequest = `{"kind":"broadcast_message","name":"n","audience":{"tags":["VIP"]},"messages":[{"kind":"text","text":"秋季 🍂"}]}`
	yamlFile    = "kind: broadcast_message\nname: n\naudience: {tags: [VIP]}\nmessages:\n  - kind: text\n    text: 秋季 🍂\n"
)

// server accepts broadcasts and shows them as finished.
func server(w http.ResponseWriter, r *http.Request) {
	body := `{"id":"B","state":"finished","workflow_id":"w","finished_at":"2026-11-20T12:00:00Z","counts":{"planned":3,"sent":3},
		"lanes":[{"channel":"line","channel_account_id":"A","control":"running","counts":{"planned":3,"sent":3}}]}`
	body = strings.ReplaceAll(body, "\n\t\t", "")
	switch {
	case r.Method == http.MethodPost:
		w.WriteHeader(http.StatusAccepted)
		body = `{"id":"B","workflow_id":"w","state":"accepted"}`
	case strings.HasSuffix(r.URL.Path, "/progress"):
		body = "event: progress\ndata: " + body + "\n\nevent: done\ndata: " + body + "\n\n"
	}
	_, _ = io.WriteString(w, body) // the client may have gone
}

func TestStartReadsJSONAndYAML(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"b.json": wantRequest, "b.yaml": yamlFile, "b": yamlFile} {
		s := newShell(t, server)
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		code, out, errs := s.run(context.Background(), "broadcast", "start", "--file", path)
		require.Zero(t, code, errs)
		require.Equal(t, "broadcast B accepted, workflow w\nnext: starter broadcast watch B\n", out)
		require.Equal(t, []string{"POST /v1/broadcasts " + wantRequest}, s.requests)
		require.Equal(t, "idempotency key: "+s.keys[0]+"\n", errs)
		require.Len(t, s.keys[0], 36)
	}
}

func TestStartRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	s := newShell(t, server)
	s.in = "kind: broadcast_message\naudience: {tag: [VIP]}\n"
	code, _, errs := s.run(context.Background(), "broadcast", "start", "--file", "-")
	require.Equal(t, 1, code)
	require.Equal(t, "starter: read the broadcast in -: json: unknown field \"tag\"\n", errs)
	require.Empty(t, s.requests, "a misspelt filter would widen the audience")
}

func TestStartAndWatch(t *testing.T) {
	t.Parallel()
	s := newShell(t, server)
	s.in = yamlFile
	code, out, errs := s.run(context.Background(), "broadcast", "start", "--file", "-", "--watch", "--idempotency-key", "k1")
	require.Zero(t, code, errs)
	require.Equal(t, "idempotency key: k1\n", errs)
	require.Equal(t, "k1", s.keys[0])
	require.Contains(t, out, "  line                   3/3 100 %  failed 0  skipped 0  done\n")
	require.Contains(t, out, "broadcast B : finished, workflow w\n")
}

func TestWatchAsJSON(t *testing.T) {
	t.Parallel()
	s := newShell(t, server)
	code, out, errs := s.run(context.Background(), "broadcast", "watch", "B", "--json")
	require.Zero(t, code, errs)
	for line := range strings.Lines(out) {
		require.True(t, strings.HasPrefix(line, `{"id":"B"`), line)
	}
	require.Equal(t, 3, strings.Count(out, "\n"), "two events and the last state")
}

func TestWatchStopsWithoutAnError(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	s := newShell(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel() // Ctrl-C while the stream is open
		<-r.Context().Done()
	})
	code, out, errs := s.run(ctx, "broadcast", "watch", "B")
	require.Zero(t, code, errs)
	require.Equal(t, "stopped watching; the broadcast goes on: starter broadcast watch B\n", out)
	require.Empty(t, errs)
}
